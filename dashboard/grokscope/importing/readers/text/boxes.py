"""Boxes of names and values, a reading each, as Baselines, Stable-Baselines3 and Spinning Up print them."""

import re
from collections.abc import Iterator

from grokscope.importing.readers.tables.clocks import plain_name
from grokscope.importing.readers.text.patterns import number
from grokscope.importing.readers.text.record import Record

_RULE = re.compile(r"\s{0,80}+[-=+|]{10,400}+\s*+")
_CELL = r"\|\s{0,400}+(?P<%s>[^|]{%d,200}?)\s*+"
_ROW = re.compile(rf"\s{{0,80}}+{_CELL % ('name', 1)}{_CELL % ('value', 0)}\|\s*+")
_CLOCKS = (
    *("total_timesteps", "num_timesteps", "timesteps", "total_env_steps", "totalenvinteracts", "env_steps"),
    *("global_step", "step", "steps", "iterations", "iteration", "itr", "epoch"),
)
"""What counts the steps of a box, the surest first; a box tells updates and seconds too."""
_MOST_ROWS = 1000


class Boxes:
    r"""Puts the rows of boxes together, line by line.

    >>> boxes = Boxes()
    >>> rows = ("-" * 20, "| time/ | |", "|    total_timesteps | 8 |", "| loss | 0.5 |", "-" * 20)
    >>> [record.step for line in rows if (record := boxes.read(line))]
    [8.0]
    """

    def __init__(self) -> None:
        self._rows: dict[str, float] = {}
        self._group = ""

    def read(self, line: str) -> Record | None:
        """Return what the box tells that ends with this line; ``None`` if none does, or it tells nothing."""
        if _RULE.fullmatch(line):
            record = _record(self._rows)
            self._rows, self._group = {}, ""
            return record
        row = _ROW.fullmatch(line) if "|" in line else None
        if row is None or len(self._rows) >= _MOST_ROWS:
            self._rows, self._group = {}, ""
            return None
        if not row["value"]:
            self._group = row["name"] if row["name"].endswith("/") else ""
        elif (value := number(row["value"])) is not None:
            self._rows[self._group + row["name"]] = value
        return None


def _record(rows: dict[str, float]) -> Record | None:
    """Return a box as what a line says; the step is no value any more."""
    plain = dict(_plain(rows))
    clock = next((plain[name] for name in _CLOCKS if name in plain), None)
    if len(rows) <= (clock is not None):
        return None
    values = {name: value for name, value in rows.items() if name != clock}
    return Record(step=None if clock is None else rows[clock], values=values)


def _plain(rows: dict[str, float]) -> Iterator[tuple[str, str]]:
    """Yield the last word on the way to a value and its name, in reverse, so that the first one counts."""
    for name in reversed(rows):
        yield plain_name(name.rpartition("/")[2]), name
