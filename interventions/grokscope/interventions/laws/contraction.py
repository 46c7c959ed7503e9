"""Whether the weight norm contracts exponentially after memorization: what two laws of the delay rest on."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from grokscope.interventions.designs.axis import VariableError

LEAST_EVALUATIONS = 5
"""Evaluations of the norm after memorization from which a straight line can be told from a curve."""
LEAST_FIT = 0.9
"""R² of log V against the step, below which it does not fall at one rate."""
LEAST_FALL = 0.05
"""Fall of log V below which nothing can be said of its rate."""
MOSTLY = 0.5
"""Share of the runs whose norm must contract, so that those that do are no odd ones out."""

CONTRACTION = pl.Schema(
    {
        "run_id": pl.String(),
        "evaluations": pl.Int64(),
        "log_start": pl.Float64(),
        "log_end": pl.Float64(),
        "slope": pl.Float64(),
        "r_squared": pl.Float64(),
        "contracts": pl.Boolean(),
        "missing": pl.String(),
    }
)
"""One row a run: log V at memorization and at generalization (or at the last evaluation), the slope of log V
between them for each step, how straight it is, and why it does not count as contraction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The columns that a run's part is cut by.

    Attributes:
        memorized: ``COSTS`` of memorization, in steps.
        generalized: ``COSTS`` of generalization, in steps.
    """

    memorized: pl.DataFrame
    generalized: pl.DataFrame


def contraction(
    curves: pl.DataFrame, window: Window, *, metric: str = "weights/norm", is_squared: bool = False
) -> pl.DataFrame:
    """Return for each run whether log V falls in a straight line from memorization to generalization.

    V is the squared norm of the weights. The line is that of least squares over the evaluations from the one
    that first shows memorization to the one that first shows generalization, or to the last.

    Args:
        curves: ``CURVES`` with the metric.
        window: When each run memorized and generalized. Runs that have not memorized are left out.
        metric: The norm.
        is_squared: Whether the metric is V itself, and not its root.

    Raises:
        VariableError: If no run has the metric.

    >>> curves = pl.DataFrame({"run_id": "a", "metric": "weights/norm", "step": range(0, 600, 100)})
    >>> curves = curves.with_columns(value=(pl.col("step") * -0.001).exp())
    >>> costs = pl.DataFrame({"run_id": ["a"], "reached": [True], "high": [1.0]})
    >>> window = Window(memorized=costs, generalized=costs.with_columns(high=pl.lit(500.0)))
    >>> contraction(curves, window).select(pl.col("slope").round(6), "contracts").row(0)
    (-0.002, True)
    """
    norms = curves.filter((pl.col("metric") == metric) & (pl.col("value") > 0) & pl.col("value").is_finite())
    if norms.is_empty():
        raise VariableError(f"no run has {metric!r} above 0; name the metric of the weight norm")
    begun = window.memorized.filter("reached").select("run_id", begin="high")
    ended = window.generalized.select("run_id", end=pl.col("high").fill_null(float("inf")))
    part = norms.join(begun.join(ended, on="run_id"), on="run_id").filter(
        pl.col("step").is_between(pl.col("begin"), pl.col("end"))
    )
    step, log_v = pl.col("step").cast(pl.Float64), pl.col("value").log() * (1 if is_squared else 2)
    lines = (
        part.sort("run_id", "step")
        .group_by("run_id", maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("evaluations"),
            log_v.first().alias("log_start"),
            log_v.last().alias("log_end"),
            (pl.cov(step, log_v) / step.var()).alias("slope"),
            (pl.corr(step, log_v) ** 2).alias("r_squared"),
        )
    )
    every = begun.select("run_id").join(lines, on="run_id", how="left", maintain_order="left")
    return _judged(every.with_columns(pl.col("evaluations").fill_null(0)))


def _judged(lines: pl.DataFrame) -> pl.DataFrame:
    fall = pl.col("log_start") - pl.col("log_end")
    short = pl.format(
        "{} evaluations of the norm after memorization; {} are needed", "evaluations", LEAST_EVALUATIONS
    )
    reasons = (
        (pl.col("evaluations") < LEAST_EVALUATIONS, short),
        (pl.col("slope") >= 0, pl.lit("the norm grows after memorization")),
        (fall < LEAST_FALL, pl.format("log V falls by {} only", fall.round(3))),
        (
            pl.col("r_squared").fill_nan(0).fill_null(0) < LEAST_FIT,
            pl.format("log V does not fall in a straight line (R² = {})", pl.col("r_squared").round(2)),
        ),
    )
    missing = pl.coalesce(*(pl.when(holds).then(reason) for holds, reason in reasons))
    return lines.with_columns(missing=missing, contracts=missing.is_null()).match_to_schema(CONTRACTION)


def contracts_sentence(judged: pl.DataFrame) -> str:
    """Return in how many runs the norm contracts, and why it does not in most of the others."""
    holds, runs = int(np.sum(judged["contracts"].to_numpy())), len(judged)
    told = f"the norm contracts exponentially in {holds} of {runs} runs that memorized"
    if holds == runs:
        return told
    growing = int((judged["slope"] >= 0).sum())
    return f"{told}; it grows in {growing}" if growing else told
