"""Steps counted in what they took (examples, tokens, FLOPs, seconds, ...), as far as a run has logged it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

_Progress = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What training is counted in.

    Attributes:
        name: In a control.
        metric: Key of the curve that counts it; ``None`` for the steps themselves.
        symbol: After a number.
        least: How a sentence says that something took the least of it.
    """

    name: str
    metric: str | None
    symbol: str
    least: str


STEPS = Unit(name="steps", metric=None, symbol="steps", least="in the fewest steps")
UNITS = (
    STEPS,
    Unit(name="examples", metric="progress/examples", symbol="examples", least="from the fewest examples"),
    Unit(name="tokens", metric="progress/tokens", symbol="tokens", least="from the fewest tokens"),
    Unit(
        name="distinct examples",
        metric="progress/unique_examples",
        symbol="distinct examples",
        least="from the fewest distinct examples",
    ),
    Unit(
        name="distinct tokens",
        metric="progress/unique_tokens",
        symbol="distinct tokens",
        least="from the fewest distinct tokens",
    ),
    Unit(
        name="repetitions",
        metric="progress/repetitions",
        symbol="repetitions",
        least="in the fewest repetitions",
    ),
    Unit(name="FLOPs", metric="progress/flops", symbol="FLOP", least="for the least compute"),
    Unit(name="seconds", metric="progress/seconds", symbol="s", least="in the least time"),
    Unit(name="epochs", metric="progress/epochs", symbol="epochs", least="in the fewest epochs"),
)
"""In the order of a control."""


def units_of(curves: pl.DataFrame, run_ids: Sequence[str]) -> list[Unit]:
    """Return what every one of the runs can be counted in: steps, and whatever all of them have logged.

    >>> curve = pl.DataFrame({"run_id": ["a"], "metric": ["progress/tokens"], "step": [0], "value": [0.0]})
    >>> [u.name for u in units_of(curve, ["a"])], [u.name for u in units_of(curve, ["a", "b"])]
    (['steps', 'tokens'], ['steps'])
    """
    mine = curves.filter(
        pl.col("run_id").is_in(list(run_ids)) & pl.col("metric").str.starts_with("progress/")
    )
    counts: dict[str, int] = dict(mine.group_by("metric").agg(pl.col("run_id").n_unique()).iter_rows())
    wanted = len(set(run_ids))
    return [unit for unit in UNITS if unit.metric is None or counts.get(unit.metric) == wanted]


def in_unit(
    frame: pl.DataFrame, curves: pl.DataFrame, unit: Unit, *, columns: Sequence[str] = ("step",)
) -> pl.DataFrame:
    """Return ``frame`` with steps counted in ``unit``, linearly between the steps at which it was logged.

    Args:
        frame: ``run_id`` and ``columns`` of steps, which may be null.
        curves: Has the runs' curves of ``unit.metric``.
        unit: Steps give the frame as it is.
        columns: What to count anew.

    Returns:
        The rows of the runs that count in ``unit``; a step beyond the first or last logged one stands there.

    >>> curve = pl.DataFrame(
    ...     {"run_id": "a", "metric": "progress/tokens", "step": [0, 10], "value": [0.0, 640.0]}
    ... )
    >>> in_unit(pl.DataFrame({"run_id": ["a", "b"], "step": [5, 5]}), curve, UNITS[2]).rows()
    [('a', 320.0)]
    """
    if unit.metric is None:
        return frame
    progress = _progress(curves, unit.metric)
    rows = frame.filter(pl.col("run_id").is_in(list(progress)))
    parts = [_anew(part, progress[str(run)], columns) for (run,), part in _by_run(rows).items()]
    empty = frame.clear().with_columns(pl.col(name).cast(pl.Float64) for name in columns)
    return pl.concat([empty, *parts])


def _by_run(rows: pl.DataFrame) -> Mapping[tuple[object, ...], pl.DataFrame]:
    return rows.partition_by("run_id", as_dict=True, maintain_order=True)


def _progress(curves: pl.DataFrame, metric: str) -> dict[str, _Progress]:
    wanted = (pl.col("metric") == metric) & pl.col("value").is_finite()
    parts = _by_run(curves.filter(wanted).select("run_id", "step", "value").sort("step"))
    return {
        str(run): (part["step"].to_numpy().astype(np.float64), part["value"].to_numpy())
        for (run,), part in parts.items()
    }


def _anew(rows: pl.DataFrame, curve: _Progress, columns: Sequence[str]) -> pl.DataFrame:
    found: list[pl.Series] = []
    for name in columns:
        steps = rows[name].cast(pl.Float64).to_numpy()
        found.append(pl.Series(name, np.interp(steps, *curve), dtype=pl.Float64).fill_nan(None))
    return rows.with_columns(found)
