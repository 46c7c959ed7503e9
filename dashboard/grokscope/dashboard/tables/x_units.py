"""Steps counted in what they took (examples, tokens, FLOPs, seconds, ...), as far as a run has logged it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray


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
    mine = counting_curves(curves).filter(pl.col("run_id").is_in(list(run_ids)))
    counts: dict[str, int] = dict(mine.group_by("metric").agg(pl.col("run_id").n_unique()).iter_rows())
    wanted = len(set(run_ids))
    return [unit for unit in UNITS if unit.metric is None or counts.get(unit.metric) == wanted]


def counting_curves(curves: pl.DataFrame) -> pl.DataFrame:
    """Return the curves that count what training took: all that ``units_of`` and ``in_unit`` look at."""
    return curves.filter(pl.col("metric").str.starts_with("progress/"))


def preferred(units: Sequence[Unit]) -> Unit:
    """Return the unit that costs are counted in first: compute, else data, else steps.

    >>> preferred([STEPS]).name
    'steps'
    """
    by_name = {unit.name: unit for unit in units}
    return next(by_name[name] for name in ("FLOPs", "tokens", "examples", "steps") if name in by_name)


def in_unit(
    frame: pl.DataFrame, curves: "pl.DataFrame | Progress", unit: Unit, *, columns: Sequence[str] = ("step",)
) -> pl.DataFrame:
    """Return ``frame`` with steps counted in ``unit``, linearly between the steps at which it was logged.

    Args:
        frame: ``run_id`` and ``columns`` of steps, which may be null.
        curves: Has the runs' curves of ``unit.metric``; or what ``Progress.of`` made of them.
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
    progress = curves if isinstance(curves, Progress) else Progress.of(curves, unit.metric)
    rows = frame.filter(pl.col("run_id").is_in(list(progress.place)))
    place = rows["run_id"].replace_strict(progress.place, return_dtype=pl.Int64()).to_numpy()
    found = [pl.Series(name, progress.at(place, rows[name].cast(pl.Float64).to_numpy())) for name in columns]
    return rows.with_columns(one.fill_nan(None) for one in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What runs have spent by step, all on one axis: each run's steps begin ``width`` after those before.

    Attributes:
        place: Run -> where it stands among the runs.
        first, last: Of each run, its first and its last logged step.
        width: Beyond any step.
        axis, values: Steps on the common axis, and what was spent there.
    """

    place: Mapping[str, int]
    first: NDArray[np.float64]
    last: NDArray[np.float64]
    width: float
    axis: NDArray[np.float64]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, curves: pl.DataFrame, metric: str) -> Self:
        """Return it of the runs that have logged the metric."""
        wanted = (pl.col("metric") == metric) & pl.col("value").is_finite()
        known = curves.filter(wanted).select("run_id", "step", "value").sort("run_id", "step")
        ends = known.group_by("run_id", maintain_order=True).agg(
            pl.col("step").min().alias("first"), pl.col("step").max().alias("last")
        )
        steps = known["step"].cast(pl.Float64).to_numpy()
        place = {run: at for at, run in enumerate(ends["run_id"])}
        lowest, highest = (float(np.min(steps)), float(np.max(steps))) if len(steps) else (0.0, 0.0)
        width = highest - min(lowest, 0.0) + 1.0
        which = known["run_id"].replace_strict(place, return_dtype=pl.Int64()).to_numpy()
        return cls(
            place=place,
            first=ends["first"].cast(pl.Float64).to_numpy(),
            last=ends["last"].cast(pl.Float64).to_numpy(),
            width=width,
            axis=steps + which * width,
            values=known["value"].to_numpy(),
        )

    def at(self, place: NDArray[np.int64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what runs have spent by a step each; beyond a run's first or last one, what it had there."""
        if not len(place):
            return np.zeros(0)
        inside = np.clip(steps, self.first[place], self.last[place])
        return np.interp(inside + place * self.width, self.axis, self.values)
