"""Curves in one JSON value, however people nest them, as rows of a table."""

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from grokscope.importing.readers.tables.clocks import is_clock, plain_name
from grokscope.importing.records import ImportingError, NotALogError
from grokscope.schemas.metrics.reading import read_alone

_STEPS = ("steps", "step", "x", "iterations", "epochs")
_VALUES = ("values", "value", "y")
_TIMES = ("timestamps", "timestamp")
_AT = re.compile(r"(?:(?:epoch|step|iter|iteration|checkpoint)[ _-]?)?(\d{1,18})", re.IGNORECASE)
_PAIR = 2
_DEPTH = 4
_Rows = list[dict[str, Any]]
_Check = Callable[[int, int], None]


def rows_of(content: Any, check: _Check) -> _Rows:
    """Return the rows of a JSON value: records, columns, or a series a metric.

    Args:
        content: The value.
        check: Gets rows and columns before a table of columns is made.

    Raises:
        ImportingError: If it holds none.

    >>> rows_of({"loss": {"steps": [0, 5], "values": [2.0, 1.0]}}, print)[1]
    {'metric': 'loss', 'step': 5, 'value': 1.0}
    >>> rows_of({"epoch_1": {"loss": 2.0}, "epoch_2": {"loss": 1.0}}, print)[1]
    {'step': 2, 'loss': 1.0}
    """
    if isinstance(content, list):
        return _records(cast("list[Any]", content))
    if not isinstance(content, dict):
        raise NotALogError("the JSON holds no rows; it should be a list, or lines, of objects")
    members = cast("dict[str, Any]", content)
    return _by_step(members) or _listed(members) or _series(members) or _columns(members, check)


def _records(items: list[Any]) -> _Rows:
    if not all(isinstance(item, dict) for item in items):
        raise NotALogError("the JSON holds no rows; it should be a list, or lines, of objects")
    return cast("_Rows", items)


def _by_step(members: Mapping[str, Any]) -> _Rows:
    """Read ``{"epoch_1": {metric: value}, …}``."""
    places = [_AT.fullmatch(name) for name in members]
    cells = list(members.values())
    if not members or not all(places) or not all(isinstance(cell, dict) for cell in cells):
        return []
    return [{"step": int(at[1]), **cell} for at, cell in zip(places, cells, strict=True) if at is not None]


def _listed(members: Mapping[str, Any]) -> _Rows:
    """Read the one list of records among settings and other things."""
    lists = [cast("list[Any]", cell) for cell in members.values() if isinstance(cell, list) and cell]
    lists = [cells for cells in lists if all(isinstance(cell, dict) for cell in cells)]
    return _records(lists[0]) if len(lists) == 1 else []


def _series(members: Mapping[str, Any]) -> _Rows:
    """Read ``{metric: {steps, values}}`` and ``{metric: [[step, value], …]}``, also with named pairs."""
    rows: _Rows = []
    for name, cell in members.items():
        for step, value, time in _points(cell):
            row = {"metric": name, "step": step, "value": value}
            rows.append(row if time is None else {**row, "timestamp": time})
    return rows


def _points(cell: Any) -> list[tuple[Any, Any, Any]]:
    if isinstance(cell, dict):
        parts = cast("dict[str, Any]", cell)
        steps, values, times = (
            next((parts[name] for name in names if isinstance(parts.get(name), list)), None)
            for names in (_STEPS, _VALUES, _TIMES)
        )
        if steps is None or values is None:
            return []
        times = times or [None] * len(values)
        return list(zip(steps, values, times, strict=False))
    if not isinstance(cell, list) or not cell:
        return []
    items = cast("list[Any]", cell)
    if all(isinstance(item, list) and len(cast("list[Any]", item)) == _PAIR for item in items):
        return [(step, value, None) for step, value in items]
    if all(
        isinstance(item, dict) and {"step", "value"} <= cast("dict[str, Any]", item).keys() for item in items
    ):
        return [(item["step"], item["value"], None) for item in items]
    return []


def _columns(members: Mapping[str, Any], check: _Check) -> _Rows:
    """Read ``{column: {row: value}}`` or ``{column: [values]}``, as data frames are written by default."""
    by_row = {
        name: cast("dict[str, Any]", cells)
        for name, cells in members.items()
        if isinstance(cells, dict) and not _has_parts(cast("dict[str, Any]", cells))
    }
    lists = dict(_lists(members))
    if not lists and not by_row:
        raise NotALogError(
            "the JSON holds no curve: one value a metric is a result. Give lists of values with their steps, "
            "or a record a step"
        )
    columns: dict[str, Mapping[Any, Any]] = (
        {name: dict(enumerate(cells)) for name, cells in lists.items()} if lists else dict(by_row)
    )
    if len({len(cells) for cells in lists.values()}) > 1:
        return _of_lengths(lists)
    labels = list(dict.fromkeys(label for cells in columns.values() for label in cells))
    check(len(labels), len(columns))
    return [{name: cells.get(label) for name, cells in columns.items()} for label in labels]


def _has_parts(cells: Mapping[str, Any]) -> bool:
    return any(isinstance(cell, list | dict) for cell in cells.values())


def _lists(members: Mapping[str, Any], prefix: str = "", depth: int = 0) -> list[tuple[str, list[Any]]]:
    """Return the lists of values, nested ones with the names on the way to them."""
    found: list[tuple[str, list[Any]]] = []
    for name, cell in members.items():
        if isinstance(cell, list):
            found.append((f"{prefix}{name}", cast("list[Any]", cell)))
        elif isinstance(cell, dict) and depth < _DEPTH:
            inner = cast("dict[str, Any]", cell)
            is_wrapper = not depth and plain_name(name) in ("history", "log", "logs", "metrics", "results")
            found += _lists(inner, prefix if is_wrapper else f"{prefix}{name}/", depth + 1)
    return found


def _of_lengths(lists: Mapping[str, list[Any]]) -> _Rows:
    """Read lists of several lengths, each against the list of steps that is as long."""
    clocks = {len(cells): cells for name, cells in lists.items() if _counts(name)}
    rows: _Rows = []
    for name, cells in lists.items():
        if _counts(name) or not cells:
            continue
        if len(cells) not in clocks:
            if not any(read_alone(one).key is not None for one in lists):
                raise NotALogError(f"its lists ({', '.join(map(repr, [*lists][:6]))}) hold no score")
            lengths = ", ".join(f"{one} {len(values):,}" for one, values in list(lists.items())[:6])
            raise ImportingError(
                f"its lists have different lengths ({lengths}) and no list of steps is as long as {name!r}; "
                'give each its own, such as {"val_loss": {"steps": […], "values": […]}}'
            )
        rows += [
            {"metric": name, "step": step, "value": value}
            for step, value in zip(clocks[len(cells)], cells, strict=True)
        ]
    return rows


def _counts(name: str) -> bool:
    return any(is_clock(word) for word in (name, *re.split(r"[/_. ]", name)))
