"""What each trial of AlgoPerf needed, and which trial of a study counts."""

import polars as pl

from grokscope.interventions.profiles.study_times import TIMES as STUDY_TIMES
from grokscope.interventions.rules.algoperf.targets import AlgoPerfTargets
from grokscope.schemas import GrokscopeError

NAMES = ("submission", "workload", "study", "trial")
EVALUATIONS = (*NAMES, "step", "seconds", "metric", "value")
"""Columns that are read: the params that name a trial, its evaluations, and what was spent until each."""

TRIALS = pl.Schema({"evaluation": pl.Int64(), "seconds": pl.Float64(), "reached": pl.Boolean()})
"""Columns beside ``NAMES``, one row a trial.

``evaluation``: number of the first evaluation at or beyond the target, from 0; ``seconds``: spent until then;
both null of a trial that has none.
"""


class AlgoPerfRunsError(GrokscopeError):
    """Runs that AlgoPerf's rule cannot be applied to."""


def trials_of(evaluations: pl.DataFrame, targets: AlgoPerfTargets) -> pl.DataFrame:
    """Return where each trial reached the target of its workload, as ``NAMES`` and ``TRIALS``.

    Only the first evaluation counts that is at or beyond the target, not whether it stays there. NaN reaches
    nothing, and is an evaluation. A trial that never logged the metric has not reached the target. Rows
    without finite seconds, or without one of ``NAMES``, are passed over.

    Args:
        evaluations: ``EVALUATIONS`` in any order; further columns are passed over.
        targets: Workloads without a target are passed over.

    Raises:
        AlgoPerfRunsError: If a column is missing, or no run is of a workload with a target.

    >>> row = {"submission": "a", "workload": "w", "study": 0, "trial": 1, "metric": "validation/loss"}
    >>> runs = pl.DataFrame({"step": [9, 5], "seconds": [18.0, 10.0], "value": [0.1, 0.2]})
    >>> level = {"target_metric_name": "loss", "validation_target_value": 0.15}
    >>> data = {"base_workloads": ["w"], "held_out_workloads": [], "workloads": {"w": level}}
    >>> runs = runs.with_columns(**{name: pl.lit(value) for name, value in row.items()})
    >>> trials_of(runs, AlgoPerfTargets.parse(data)).select("evaluation", "seconds", "reached").rows()
    [(1, 18.0, True)]
    """
    missing = [name for name in EVALUATIONS if name not in evaluations.columns]
    if missing:
        raise AlgoPerfRunsError(
            f"AlgoPerf's rule needs the columns {', '.join(EVALUATIONS)}; missing: {', '.join(missing)}"
        )
    rows = [(name, target.metric, target.is_upward, target.level) for name, target in targets.targets.items()]
    levels = pl.DataFrame(rows, schema=["workload", "wanted", "upward", "level"], orient="row")
    trials = _first_reached(evaluations.select(EVALUATIONS).drop_nulls(NAMES), levels)
    if trials.is_empty():
        got = ", ".join(sorted(evaluations["workload"].cast(pl.String).unique().drop_nulls())[:5]) or "none"
        raise AlgoPerfRunsError(f"no run is of a workload with a target; the runs are of {got}")
    return trials


def _first_reached(evaluations: pl.DataFrame, levels: pl.DataFrame) -> pl.DataFrame:
    """Return ``NAMES`` and ``TRIALS`` of the trials whose workload has a level."""
    value, level = pl.col("value"), pl.col("level")
    met = pl.when("upward").then(value >= level).otherwise(value <= level) & value.is_not_nan()
    counts = (pl.col("metric") == pl.col("wanted")) & pl.col("seconds").cast(pl.Float64).is_finite()
    met_at, evaluated_at = pl.col("step").filter("met"), pl.col("step").filter("counts")
    return (
        evaluations.with_columns(pl.col("workload").cast(pl.String))
        .join(levels, on="workload")
        .with_columns(counts=counts)
        .with_columns(met=(met & counts).fill_null(value=False))
        .group_by(NAMES)
        .agg(
            pl.when(pl.col("met").any())
            .then((evaluated_at < met_at.min()).sum())
            .cast(pl.Int64)
            .alias("evaluation"),
            pl.col("seconds").filter("met").get(met_at.arg_min(), null_on_oob=True).cast(pl.Float64),
            pl.col("met").any().alias("reached"),
        )
    )


def study_times_of(trials: pl.DataFrame) -> pl.DataFrame:
    """Return the time of each study: of the trial that reached the target at the earliest evaluation.

    Earliest by its number, not by its seconds; of equal ones, the first trial.

    Args:
        trials: ``NAMES`` and ``TRIALS``.

    Returns:
        ``profiles.study_times.TIMES``, one row a study, ∞ where no trial reached the target.

    >>> trials = pl.DataFrame({"trial": [1, 2], "evaluation": [7, 3], "seconds": [50.0, 60.0]}).with_columns(
    ...     submission=pl.lit("a"), workload=pl.lit("w"), study=0, reached=True
    ... )
    >>> study_times_of(trials).rows()
    [('a', 'w', 60.0)]
    """
    number = pl.col("trial").cast(pl.String).cast(pl.Int64, strict=False)
    return (
        trials.sort(pl.col("evaluation"), number, pl.col("trial"), nulls_last=True)
        .group_by("submission", "workload", "study", maintain_order=True)
        .agg(pl.col("seconds").first().fill_null(float("inf")).alias("cost"))
        .select(pl.col("submission").cast(pl.String).alias("group"), "workload", "cost")
        .match_to_schema(STUDY_TIMES)
    )
