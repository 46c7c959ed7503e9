"""Tables from files, with every cell as it is; what it means is said in ``shapes``."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import polars as pl

from grokscope.importing.encodings import encoding_of, in_utf8
from grokscope.importing.limits import Tally
from grokscope.importing.readers.tables.clocks import is_clock
from grokscope.importing.readers.tables.json_shapes import rows_of
from grokscope.importing.readers.tables.separated import read_separated
from grokscope.importing.readers.tables.table import Table
from grokscope.importing.readers.trainer_state import HISTORY
from grokscope.importing.records import ImportingError, NotALogError
from grokscope.schemas.metrics.reading import read_alone

_FIRST = 1024
_CELLS_A_POINT = 20
"""A table may have as many cells for each point that is taken: a few rows of JSON name many columns."""


_SETTINGS = frozenset({"args", "config", "cfg", "hparams", "params", "hyperparameters"})
"""Parts of a record that repeat what the run was made with: no curves."""


def read_table(path: Path, tally: Tally) -> Table:
    """Return the table in a file; the columns of a text file are all text.

    Raises:
        ImportingError: If it cannot be read, or has more columns or cells than the caps allow.
    """
    try:
        return READERS.get(path.suffix.lower(), _text_table)(path, tally)
    except (pl.exceptions.PolarsError, OSError, ValueError, RecursionError, OverflowError) as error:
        first = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ImportingError(f"{path.name!r} cannot be read as {path.suffix[1:]}: {first}") from error


def _parquet(path: Path, tally: Tally) -> Table:
    scanned = pl.scan_parquet(path, glob=False)
    names = scanned.collect_schema().names()
    rows = int(scanned.select(pl.len()).collect().item())
    # Told by the footer, before anything is unpacked: a small file may hold very many rows.
    _check_size(rows, len(names), tally)
    return Table(frame=scanned.collect())


def _separated(path: Path, tally: Tally) -> Table:
    return read_separated(path, tally, _check_size)


def _text_table(path: Path, tally: Tally) -> Table:
    with path.open("rb") as file:
        is_json = in_utf8(file.read(_FIRST)).lstrip().startswith(b"{")
    return _lines(path, tally) if is_json else _separated(path, tally)


def are_scores(head: bytes) -> bool:
    r"""Say whether any text begins with records of JSON that have scores and no steps, as DETR wrote them.

    >>> are_scores(b'{"test_loss": 2}\n{"test_loss": 1}\n'), are_scores(b'{"epoch": 1, "test_loss": 2}\n')
    (True, False)
    """
    lines = [line for line in head.split(b"\n") if line.strip()][:2]
    if len(lines) < 2 or not all(line.lstrip().startswith(b"{") for line in lines):  # noqa: PLR2004 - two rows
        return False
    try:
        rows = [flat(_row(json.loads(line))) for line in lines]
    except (ValueError, RecursionError, ImportingError):
        return False
    names = {name for row in rows for name in row}
    return not any(map(is_clock, names)) and any(read_alone(name).key is not None for name in names)


def _lines(path: Path, tally: Tally) -> Table:
    most = tally.limits.record_bytes
    rows: list[dict[str, Any]] = []
    bad: list[str] = []
    with path.open("rb") as file:
        encoding = encoding_of(file.read(_FIRST))
    with path.open(encoding=encoding, errors="replace") as file:
        number = 0
        while line := file.readline(most + 1):
            number += 1
            if len(line) > most:
                raise ImportingError(f"{path.name!r} has a line of more than {most:,} characters")
            try:
                rows += [_row(json.loads(line))] if line.strip() else []
            except (ValueError, RecursionError) as error:
                bad.append(f"line {number}: {error}")
            if len(rows) > tally.limits.points:
                tally.points(len(rows))
    if bad and not rows:
        raise ValueError(bad[0])
    notes = (f"{len(bad):,} of its lines are no JSON and left out, {bad[0][:200]}",) if bad else ()
    return Table(frame=_of_rows(rows, tally), notes=notes)


def _json(path: Path, tally: Tally) -> Table:
    try:
        content: Any = json.loads(in_utf8(path.read_bytes()))
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise
        return _lines(path, tally)  # Detectron2's metrics.json and MMEngine's logs hold a record a line
    if isinstance(content, dict) and HISTORY in content:
        raise ImportingError(f"{path.name!r} has a {HISTORY}; import it with --kind transformers")
    return Table(
        frame=_of_rows(rows_of(content, lambda rows, columns: _check_size(rows, columns, tally)), tally)
    )


def _row(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise NotALogError("the JSON holds no rows; it should be a list, or lines, of objects")
    return cast("dict[str, Any]", item)


def _of_rows(rows: list[dict[str, Any]], tally: Tally) -> pl.DataFrame:
    rows = [flat(row) for row in rows]
    names = list(dict.fromkeys(name for row in rows for name in row))
    _check_size(len(rows), len(names), tally)
    return pl.DataFrame({name: [_text(row.get(name)) for row in rows] for name in names})


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with nested ones under dotted names; settings, and what is twice as deep, are left out.

    >>> flat({"step": 1, "train": {"loss": 0.5}, "args": {"lr": 0.1}})
    {'step': 1, 'train.loss': 0.5}
    """
    found: dict[str, Any] = {}
    for name, cell in row.items():
        if isinstance(cell, dict) and name in _SETTINGS:
            continue
        if isinstance(cell, dict):
            for inner, value in cast("dict[str, Any]", cell).items():
                found[f"{name}.{inner}"] = value
        else:
            found[name] = cell
    return found


def _text(cell: Any) -> str | None:
    if cell is None or isinstance(cell, dict | list | bool):
        return None
    return cell if isinstance(cell, str) else repr(cell)


def _check_size(rows: int, columns: int, tally: Tally) -> None:
    tally.metrics(columns)
    most = tally.limits.points
    if rows > most:
        raise ImportingError(f"{rows:,} rows, more than {most:,}; raise the cap with --max-points")
    if rows * columns > most * _CELLS_A_POINT:
        raise ImportingError(
            f"{rows:,} rows of {columns:,} columns, more than {most * _CELLS_A_POINT:,} cells, empty ones "
            "included; raise the cap with --max-points"
        )


READERS: Mapping[str, Callable[[Path, Tally], Table]] = {
    ".parquet": _parquet,
    ".csv": _separated,
    ".tsv": _separated,
    ".tab": _separated,
    ".jsonl": _lines,
    ".ndjson": _lines,
    ".json": _json,
}
"""Ending of a table's name -> its reader."""
