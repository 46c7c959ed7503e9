"""Levels of curves: the best that was held, the last one, and how much of the time a target was held."""

import polars as pl

from grokscope.interventions.outcomes.evaluations import evaluations_of
from grokscope.interventions.outcomes.target import SUSTAINED, Target


def sustained_levels(curves: pl.DataFrame, metric: str, *, is_upward: bool) -> pl.DataFrame:
    """Return the best level that each run held for ``SUSTAINED`` evaluations in a row, as ``run_id, value``.

        max over i of min(xᵢ, xᵢ₊₁, xᵢ₊₂) where high is good; the reverse where low is

    Runs with fewer evaluations are left out, and so are those that were never finite so long.

    >>> values = {"step": range(5), "value": [0.1, 0.9, 0.8, 0.7, 1.0]}
    >>> curves = pl.DataFrame(values).with_columns(run_id=pl.lit("a"), metric=pl.lit("m"))
    >>> [sustained_levels(curves, "m", is_upward=one)["value"].item() for one in (True, False)]
    [0.7, 0.9]
    """
    worst = float("-inf") if is_upward else float("inf")
    finite = pl.when(pl.col("value").is_finite()).then("value").otherwise(worst)
    rolling = (finite.rolling_min if is_upward else finite.rolling_max)(SUSTAINED).over("run_id")
    held = pl.col("held").max() if is_upward else pl.col("held").min()
    return (
        evaluations_of(curves, metric)
        .with_columns(held=rolling)
        .group_by("run_id")
        .agg(value=held)
        .filter(pl.col("value").is_finite())
        .sort("run_id")
    )


def last_values(curves: pl.DataFrame, metric: str) -> pl.DataFrame:
    """Return the last finite value of each run that has one, as ``run_id, value``.

    >>> curves = pl.DataFrame({"run_id": "a", "metric": "m", "step": [2, 1], "value": [0.5, 0.1]})
    >>> last_values(curves, "m").rows()
    [('a', 0.5)]
    """
    return (
        evaluations_of(curves, metric)
        .filter(pl.col("value").is_finite())
        .group_by("run_id")
        .agg(pl.col("value").last())
        .sort("run_id")
    )


def held_shares(curves: pl.DataFrame, target: Target, costs: pl.DataFrame) -> pl.DataFrame:
    """Return the share of evaluations that hold the target since it was reached, as ``run_id, value``.

    Args:
        curves: ``CURVES``.
        target: What was reached.
        costs: ``COSTS`` in steps; runs that have not reached it are left out.

    >>> from grokscope.interventions.outcomes.costs import costs_of
    >>> values = {"step": range(5), "value": [0.0, 1.0, 1.0, 0.0, 1.0]}
    >>> curves = pl.DataFrame(values).with_columns(run_id=pl.lit("a"), metric=pl.lit("m"))
    >>> target = Target.parse("m>=1")
    >>> held_shares(curves, target, costs_of(curves, target)).rows()
    [('a', 0.75)]
    """
    since = costs.filter("reached").select("run_id", "high")
    value = pl.col("value").fill_null(float("nan"))
    return (
        curves.filter(pl.col("metric") == target.metric)
        .join(since, on="run_id")
        .filter(pl.col("step") >= pl.col("high"))
        .group_by("run_id")
        .agg(value=target.is_met(value).mean())
        .sort("run_id")
    )
