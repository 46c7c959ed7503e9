"""What each run spent until it reached a target, known only as far as it was evaluated.

Between two evaluations nobody looked, so a cost is an interval: more than at the last evaluation without the
target, at most that of the first with it. A run that has not reached it costs more than it has spent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grokscope.interventions.outcomes.evaluations import are_in_order
from grokscope.interventions.outcomes.target import SUSTAINED, Target
from grokscope.schemas import GrokscopeError

FloatArray = NDArray[np.float64]

CURVES = pl.Schema({"run_id": pl.String(), "metric": pl.String(), "step": pl.Int64(), "value": pl.Float64()})
"""Columns that curves need; further numeric columns are units to count in (``seconds``, ``tokens``)."""

COSTS = pl.Schema(
    {
        "run_id": pl.String(),
        "reached": pl.Boolean(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "spent": pl.Float64(),
        "last": pl.Float64(),
        "best": pl.Float64(),
        "evaluations": pl.Int64(),
        "fell_back": pl.Boolean(),
        "ends_met": pl.Boolean(),
    }
)
"""One row a run, in the unit that is counted in.

``low``, ``high``: the cost is in (low, high]; ``high`` is null of a run that has not reached the target, and
``low`` is then what it has spent. ``spent``: at its last evaluation. ``last``, ``best``: of the metric;
``last`` is NaN of a run that diverged. ``fell_back``: reached, and later evaluations miss the target again.
``ends_met``: the last evaluation meets the target.
"""

STEPS = "steps"
"""The unit that every curve has; counted in the column ``step``."""


class UnitError(GrokscopeError):
    """A unit that the curves do not count."""


@dataclass(frozen=True, slots=True)
class CensoredCosts:
    """Costs of some runs, as arrays: each is in (low, high], and ``high`` is ∞ of those not there yet.

    >>> costs = CensoredCosts(np.array([100.0, 500.0]), np.array([200.0, np.inf]))
    >>> costs.reached, costs.at
    (array([ True, False]), array([200., 500.]))
    """

    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, costs: pl.DataFrame) -> Self:
        """Return the costs of the rows of a frame with ``COSTS``."""
        high = costs["high"].to_numpy()  # null becomes NaN
        return cls(costs["low"].to_numpy(), np.where(np.isnan(high), np.inf, high))

    @property
    def reached(self) -> NDArray[np.bool_]:
        """Which runs have reached the target."""
        return np.isfinite(self.high)

    @property
    def at(self) -> FloatArray:
        """Where each was first seen to have reached it, or was last seen without: the usual single number."""
        return np.where(self.reached, self.high, self.low)


def common_budget(samples: Sequence[CensoredCosts]) -> float:
    """Return how far every group was followed: one whose runs are all there would be at any budget.

    >>> there, not_there = (CensoredCosts(np.array([9.0]), np.array([high])) for high in (9.0, np.inf))
    >>> common_budget([there]), common_budget([there, not_there])
    (9.0, 9.0)
    """
    followed = [float(sample.at.max()) for sample in samples if not sample.reached.all()]
    return min(followed) if followed else max(float(sample.at.max()) for sample in samples)


def costs_of(curves: pl.DataFrame, target: Target, *, unit: str = STEPS) -> pl.DataFrame:
    """Return what each run spent until it reached the target, as ``COSTS``, sorted by run.

    Args:
        curves: ``CURVES`` in any order, and a column named as the unit, unless that is ``"steps"``. Rows of
            other metrics, and rows where the unit is no finite number from 0 on, are passed over; so are runs
            in which it falls, since then it is no count of what was spent.
        target: What is to be reached.
        unit: What is counted.

    Returns:
        One row a run that has an evaluation of the metric.

    Raises:
        UnitError: If the curves have no such column.

    >>> values = {"run_id": ["a", "a", "b"], "step": [10, 20, 30], "value": [3.0, 2.0, 3.0]}
    >>> curves = pl.DataFrame(values).with_columns(metric=pl.lit("loss"))
    >>> costs_of(curves, Target.parse("loss<=2.5")).select("run_id", "reached", "low", "high", "spent").rows()
    [('a', True, 10.0, 20.0, 20.0), ('b', False, 30.0, None, 30.0)]
    """
    evaluations = _evaluations(curves, target, unit)
    reached, first = pl.col("reached").any(), pl.col("reached").arg_max()
    cost, finite = pl.col("cost"), pl.col("value").filter(pl.col("value").is_finite())
    aggregates = (
        reached,
        pl.when(reached).then(pl.col("before").get(first)).otherwise(cost.last()).alias("low"),
        pl.when(reached).then(cost.get(first)).alias("high"),
        cost.last().alias("spent"),
        pl.col("value").last().alias("last"),
        (finite.max() if target.is_upward else finite.min()).alias("best"),
        pl.len().cast(pl.Int64).alias("evaluations"),
        (reached & pl.col("met").slice(first).not_().any()).alias("fell_back"),
        pl.col("met").last().alias("ends_met"),
    )
    costs = evaluations.group_by("run_id").agg(*aggregates).sort("run_id")
    return costs.match_to_schema(COSTS)


def _evaluations(curves: pl.DataFrame, target: Target, unit: str) -> pl.DataFrame:
    """Return the evaluations of the target's metric in order: what each cost, and whether it is reached."""
    column = "step" if unit == STEPS else unit
    units = [name for name, kind in curves.schema.items() if kind.is_numeric() and name not in CURVES]
    if unit not in (STEPS, *units):
        told = ", ".join((STEPS, *units))
        raise UnitError(f"nothing counts {unit!r} in these runs; they can be counted in {told}")
    value = pl.col("value").fill_null(float("nan"))
    is_count = pl.col(column).is_finite() & (pl.col(column) >= 0)
    rows = curves.filter((pl.col("metric") == target.metric) & is_count).select(
        "run_id", "step", pl.col(column).cast(pl.Float64).alias("cost"), value
    )
    if not are_in_order(rows):
        # A row that is there twice is one evaluation.
        rows = rows.unique(["run_id", "step"], keep="last", maintain_order=True).sort(
            "run_id", "step", "cost"
        )
    if unit != STEPS:
        rows = rows.filter((pl.col("cost").diff() >= 0).all().over("run_id"))
    return (
        rows.with_columns(met=target.is_met(pl.col("value")))
        .with_columns(reached=_reached(target))
        .with_columns(before=pl.col("cost").shift(1).over("run_id").fill_null(0.0))
    )


def _reached(target: Target) -> pl.Expr:
    """Return the evaluations from which on the target counts as reached."""
    if not target.sustained:
        return pl.col("met")
    # Where fewer evaluations are left, all of them must hold; one alone shows nothing sustained.
    held = pl.col("met")
    for ahead in range(1, SUSTAINED):
        held = held & pl.col("met").shift(-ahead).over("run_id").fill_null(value=ahead > 1)
    return held
