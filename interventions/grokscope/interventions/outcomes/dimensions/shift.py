"""Reliability under distribution shift: levels, gaps and delays of shifted sets, worst group, calibration."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import polars as pl

from grokscope.interventions.outcomes.costs import costs_of
from grokscope.interventions.outcomes.dimensions.levels import last_values, sustained_levels
from grokscope.interventions.outcomes.dimensions.record import Dimension, Outcome
from grokscope.interventions.outcomes.target import Target

SHIFT = "shift:"
CALIBRATION = "calibration_error"
WORST_GROUP = "groups/worst_accuracy"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualSet:
    """What runs did on the held-out set that they are judged by.

    Attributes:
        target: On this set; a shifted set is asked for the same level.
        costs: ``COSTS`` in steps.
        levels: ``sustained_levels``.
    """

    target: Target
    costs: pl.DataFrame
    levels: pl.DataFrame

    @classmethod
    def of(cls, curves: pl.DataFrame, target: Target) -> Self:
        """Return what the curves of the target's metric say."""
        levels = sustained_levels(curves, target.metric, is_upward=target.is_upward)
        return cls(target=target, costs=costs_of(curves, target), levels=levels)


def shift_rows(curves: pl.DataFrame, runs: pl.DataFrame, usual: UsualSet) -> Iterator[pl.DataFrame]:
    """Yield rows of ``DIMENSIONS``: of each shifted set that any run logged, and of the worst group.

    Args:
        curves: ``CURVES``.
        runs: ``run_id``.
        usual: What a shifted set is compared with.
    """
    quantity = usual.target.metric.rpartition("/")[2]
    names = sorted(
        name for name in curves["metric"].unique() if name.startswith(SHIFT) and name.endswith(f"/{quantity}")
    )
    if not names:
        why = f"no shifted set was logged: a curve {SHIFT}NAME/{quantity}"
        for name in ("level", "gap", "delay", "calibration error"):
            yield _outcome(name, f"{SHIFT}*", why).rows(runs, _nothing())
    for name in names:
        yield from _set_rows(curves, runs, usual, name)
    worst = _outcome("worst group accuracy", WORST_GROUP, f"{WORST_GROUP} was not logged")
    yield worst.rows(runs, last_values(curves, WORST_GROUP))


def _outcome(name: str, curve: str, why: str, unit: str = "1") -> Outcome:
    """Return an outcome under shift."""
    return Outcome(dimension=Dimension.RELIABILITY, name=name, curve=curve, unit=unit, why=why)


def _nothing() -> pl.DataFrame:
    """Return values of no run."""
    return pl.DataFrame(schema={"run_id": pl.String, "value": pl.Float64})


def _set_rows(curves: pl.DataFrame, runs: pl.DataFrame, usual: UsualSet, name: str) -> Iterator[pl.DataFrame]:
    """Yield the outcomes of one shifted set."""
    few = f"{name} has fewer than three evaluations"
    target = usual.target
    shifted = sustained_levels(curves, name, is_upward=target.is_upward)
    yield _outcome("level", name, few).rows(runs, shifted)
    loss = (pl.col("value") - pl.col("value_right")) * (1 if target.is_upward else -1)
    gap = usual.levels.join(shifted, on="run_id").select("run_id", value=loss)
    yield _outcome("gap", name, few).rows(runs, gap)
    yield _outcome("delay", name, f"{name} was not logged", "steps").rows(runs, _delays(curves, usual, name))
    calibration = f"{name.rpartition('/')[0]}/{CALIBRATION}"
    outcome = _outcome("calibration error", calibration, f"{calibration} was not logged")
    yield outcome.rows(runs, last_values(curves, calibration))


def _delays(curves: pl.DataFrame, usual: UsualSet, name: str) -> pl.DataFrame:
    """Return how much later the shifted set reached the level, in steps."""
    target = usual.target
    shifted = costs_of(curves, replace(target, metric=name)).select("run_id", "low", "high")
    both = usual.costs.select("run_id", "low", "high").join(shifted, on="run_id")
    reason = (
        pl.when(pl.col("high").is_null())
        .then(pl.lit(f"{target.metric} has not reached the target"))
        .when(pl.col("high_right").is_null())
        .then(pl.lit(f"{name} has not reached the target"))
    )
    return both.select(
        "run_id",
        value=pl.col("high_right") - pl.col("high"),
        low=pl.col("low_right") - pl.col("high"),
        high=pl.col("high_right") - pl.col("low"),
        missing=reason,
    )
