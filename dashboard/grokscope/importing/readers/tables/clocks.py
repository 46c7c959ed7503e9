"""What counts the steps of a table: one of its columns, two of them together, or its rows."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

import polars as pl

from grokscope.importing.readers.tables.numbers import numbers, whole_numbers
from grokscope.importing.readers.tables.table import listed
from grokscope.importing.records import ImportingError
from grokscope.importing.steps import counted_together, epoch_length

_FINE = (
    "step",
    "global_step",
    "train_global_step",
    "trainer_global_step",
    "steps",
    "current_steps",
    "training_step",
    "optimizer_step",
    "iteration",
    "iterations",
    "iter",
    "iters",
    "iter_num",
    "it",
    "update",
    "updates",
    "num_updates",
    "train_num_updates",
    "total_timesteps",
    "time_total_timesteps",
    "timesteps",
    "timestep",
    "batch",
)
_COARSE = ("epoch", "epochs", "train_epoch", "current_epoch", "ep")
_EXPOSURE = ("tokens", "tokens_seen", "num_tokens", "samples", "samples_seen", "examples_seen")
_RANK: Mapping[str, int] = {name: rank for rank, name in enumerate((*_FINE, *_COARSE, *_EXPOSURE))}
_CALLS = "_step"
"""The column of W&B's exports that counts calls of its ``log``."""
_INDEX = frozenset({"", "unnamed_0", "index", "column_1"})
_STEP_LIMIT = 2.0**63
_ENOUGH = 0.9
"""A column counts the steps if it is filled in as many of the rows, compared with the fullest."""
_OFTEN, _SELDOM = 0.5, 0.25


def plain_name(name: str) -> str:
    """Return a column's name in small letters, with ``_`` for all that is no letter or digit.

    >>> plain_name("  train/Global step "), plain_name("_step")
    ('train_global_step', 'step')
    """
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def is_clock(name: str) -> bool:
    """Say whether a column of this name may count steps.

    >>> is_clock("Global Step"), is_clock("loss")
    (True, False)
    """
    return plain_name(name) in _RANK


def fine_clocks(names: Iterable[str]) -> list[str]:
    """Return the names of columns that may count steps within an epoch.

    >>> fine_clocks(["epoch", "iter", "loss"])
    ['iter']
    """
    return [name for name in names if plain_name(name) in _FINE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What counts the steps.

    Attributes:
        steps: Of each row: Int64, or Float64 where some are fractions; null where a row has none.
        columns: What they were read from and is no metric; none if rows are counted.
        notes: What is to be said of it.
    """

    steps: pl.Series
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def clock_of(table: pl.DataFrame, *, asked: str | None = None, runs: pl.Series | None = None) -> Clock | None:
    """Return what counts the steps of a table; ``None`` if no column does.

    Args:
        table: Texts or numbers.
        asked: The column to take.
        runs: Which run each row belongs to.

    Raises:
        ImportingError: If there is no column ``asked`` for, or no number in it.

    >>> clock_of(pl.DataFrame({"epoch": ["0", "0"], "step": ["0", "5"], "loss": ["2", "1"]})).columns
    ('step',)
    """
    if asked is not None:
        return _asked(table, asked)
    found = {name: _steps(table[name]) for name in table.columns if is_clock(name)}
    if not found:
        found = {name: steps for name in table.columns if (steps := _likely(name, table[name])) is not None}
    empty = [name for name, steps in found.items() if steps.null_count() == steps.len()]
    found = {name: steps for name, steps in found.items() if name not in empty}
    if not found and any(plain_name(name) in _FINE for name in empty) and table.height:
        raise ImportingError(
            f"its column {empty[0]!r} holds no step in any row, such as {str(table[empty[0]][0])[:40]!r}"
        )
    if not found:
        return _index(table)
    chosen = _finest(found)
    steps, others = found[chosen], [name for name in found if name != chosen]
    for fine, coarse in product(found, found):
        is_pair = plain_name(fine) in _FINE and plain_name(coarse) in _COARSE and chosen in (fine, coarse)
        if is_pair and _restarts(found[fine], found[coarse], runs):
            length = int(epoch_length(found[fine].drop_nulls().to_list()))
            note = counted_together(length, what=f"its {fine} starts")
            return Clock(steps=_together(found[fine], found[coarse], length), columns=(fine,), notes=(note,))
    notes = (f"steps are its column {chosen!r}, not {listed(others)}",) if others else ()
    index = _index(table)  # of a data frame, which counts its rows
    return Clock(steps=steps, columns=(chosen, *(index.columns if index else ())), notes=notes)


def counted_rows(groups: pl.DataFrame) -> pl.Series:
    """Return the number of each row among those that are like it in all columns, from 0.

    >>> counted_rows(pl.DataFrame({"run": ["a", "b", "a"]})).to_list()
    [0, 0, 1]
    """
    counted = groups.with_columns(pl.int_range(pl.len()).over(groups.columns).alias("__row"))
    return counted["__row"].cast(pl.Int64)


def _likely(name: str, cells: pl.Series) -> pl.Series | None:
    """Return the steps of a column that is called like ``env_step``, if they hardly ever fall."""
    if plain_name(name).rpartition("_")[2] not in _RANK:
        return None
    steps = _steps(cells)
    rises = steps.diff().drop_nulls()
    is_rising = len(rises) > 0 and (rises < 0).sum() <= _SELDOM * len(rises)
    return steps if is_rising and steps.n_unique() > 1 else None


def _asked(table: pl.DataFrame, asked: str) -> Clock:
    if asked not in table.columns:
        raise ImportingError(f"it has no column {asked!r} to take steps from; it has {listed(table.columns)}")
    steps = _steps(table[asked])
    if steps.null_count() == steps.len():
        raise ImportingError(f"the column {asked!r} holds no numbers to take for steps")
    return Clock(steps=steps, columns=(asked,))


def _steps(cells: pl.Series) -> pl.Series:
    floats = numbers(cells)
    floats = floats.set((~floats.is_finite() | (floats.abs() >= _STEP_LIMIT)).fill_null(value=False), None)
    if (floats != floats.round()).any():
        return floats
    return whole_numbers(cells).fill_null(floats.cast(pl.Int64, strict=False))


def _finest(found: Mapping[str, pl.Series]) -> str:
    filled = {name: steps.len() - steps.null_count() for name, steps in found.items()}
    full = [name for name in found if filled[name] >= _ENOUGH * max(filled.values())]
    if _CALLS in full:  # what every call of W&B logs and never falls counts better than the calls
        told = [name for name in full if name != _CALLS and _never_falls(name, found)]
        full = told or full
    return max(full, key=lambda name: (found[name].n_unique(), -_RANK.get(plain_name(name), len(_RANK))))


def _never_falls(name: str, found: Mapping[str, pl.Series]) -> bool:
    steps = found[name]
    is_whole = steps.null_count() <= found[_CALLS].null_count() and steps.dtype == pl.Int64
    return plain_name(name) in _FINE and is_whole and bool((steps.diff().drop_nulls() >= 0).all())


def _index(table: pl.DataFrame) -> Clock | None:
    """Return the clock of a data frame that was written with its index: a first column without a name."""
    if not table.columns or plain_name(table.columns[0]) not in _INDEX:
        return None
    steps = _steps(table.to_series(0))
    if steps.null_count() or steps.dtype != pl.Int64 or not (steps.diff() > 0).all():
        return None
    name = table.columns[0]
    return Clock(steps=steps, columns=(name,), notes=("steps are its first column, which has no name",))


def _restarts(steps: pl.Series, epochs: pl.Series, runs: pl.Series | None) -> bool:
    if epochs.dtype != pl.Int64 or steps.dtype != pl.Int64:
        return False
    frame = pl.DataFrame(
        {"step": steps, "epoch": epochs, "run": [None] * len(steps) if runs is None else runs}
    )
    frame = frame.drop_nulls(["step", "epoch"])
    is_next = (frame["epoch"].diff() > 0) & frame["run"].eq_missing(frame["run"].shift(1))
    falls = frame["step"].diff().filter(is_next.fill_null(value=False)) < 0
    return len(falls) > 0 and float(falls.mean() or 0) > _OFTEN  # pyright: ignore[reportArgumentType]


def _together(steps: pl.Series, epochs: pl.Series, length: int) -> pl.Series:
    before = epochs - int(epochs.min() or 0)  # pyright: ignore[reportArgumentType]
    return before * length + steps
