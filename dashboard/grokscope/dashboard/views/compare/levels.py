"""Runs apart by the levels of a param: each chart is drawn once for each of them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape, plain
from grokscope.schemas.runs.ordering import natural
from grokscope.schemas.runs.withholding import withheld

MOST_LEVELS = 8
"""Charts of one metric; beyond, they are too many to be compared by eye."""

_LONGEST = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """The runs at one level of the param.

    Attributes:
        name: As charts are titled.
        run_ids: Its runs.
    """

    name: str
    run_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Runs by what they have of one param.

    Attributes:
        param: The last part of its name.
        drawn: Of so many levels as are drawn, the lowest first; then the runs that have no such param.
        count: How many levels there are.
    """

    param: str
    drawn: tuple[Level, ...]
    count: int


def levels_of(snapshot: Snapshot, run_ids: Sequence[str], param: str | None) -> Levels | None:
    """Return the runs by their levels of ``param``; ``None`` where none has it, or its values are secrets."""
    if param is None:
        return None
    rows = snapshot.params.filter((pl.col("key") == param) & pl.col("run_id").is_in(list(run_ids)))
    values = rows["value"].rename(param)
    if rows.is_empty() or not withheld(values).equals(values):
        return None
    short = param.rpartition(".")[2].rpartition("/")[2]
    of_value: dict[str, list[str]] = {}
    value_of: dict[str, str] = dict(rows.select("run_id", "value").iter_rows())
    for run in run_ids:
        of_value.setdefault(value_of.get(run, ""), []).append(run)
    without = of_value.pop("", [])
    found = [
        Level(name=_short(f"{short} = {value}"), run_ids=tuple(of_value[value]))
        for value in _in_order(of_value)
    ]
    rest = [Level(name=_short(f"no {short}"), run_ids=tuple(without))] if without else []
    levels = (*found, *rest)
    return Levels(param=short, drawn=levels[:MOST_LEVELS], count=len(levels))


def said_of_levels(levels: Levels | None) -> str | None:
    """Return which levels are not drawn, and how to see them; ``None`` if all are."""
    if levels is None or levels.count <= len(levels.drawn):
        return None
    rest = "Search at the left, or select runs, to see others."
    what = f"levels of {escape(levels.param, limit=_LONGEST)}"
    return phrases.cut(len(levels.drawn), levels.count, what, rest=rest)


def _in_order(values: Iterable[str]) -> list[str]:
    """Return values with numbers first, as numbers: 1e-3 comes before 0.01."""
    numbers = {value: number for value in values if (number := _number(value)) is not None}
    rest = natural(value for value in values if value not in numbers)
    return [*sorted(numbers, key=lambda value: (numbers[value], value)), *rest]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _short(text: str) -> str:
    return plain(text, limit=_LONGEST)
