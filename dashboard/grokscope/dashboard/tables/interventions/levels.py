"""The level that each run ended at and its best, of one held-out metric, with what was spent until then."""

from collections import Counter

import polars as pl

from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.interventions.goals import Goal, first_sign
from grokscope.dashboard.tables.main_metric import TEST, held_out_points, held_out_scores, main_curves
from grokscope.dashboard.tables.x_units import Unit, in_unit
from grokscope.interventions.designs.exchange_rate import exchange_rates
from grokscope.interventions.outcomes.estimand import PLANNED
from grokscope.schemas import empty_points

LEVELS = pl.Schema(
    {
        "run_id": pl.String(),
        "run": pl.String(),
        "group": pl.String(),
        "best": pl.Float64(),
        "final": pl.Float64(),
        "compute": pl.Float64(),
        "is_over": pl.Boolean(),
    }
)
"""One row a run: its best level and its final one, what was spent when the best was first logged, and whether
it trains no more."""


def judged_points(snapshot: Snapshot) -> tuple[str, pl.DataFrame]:
    """Return the held-out metric that most runs are judged by, and its curves; ``""`` where there is none."""
    main = main_curves(snapshot)
    names = Counter(dict(main.filter(pl.col("role") == TEST).group_by("metric").agg(
        pl.col("run_id").n_unique()).iter_rows()))  # fmt: skip
    shared = held_out_scores(main)
    options = {**names, **shared}
    if not options:
        return "", empty_points()
    name = max(sorted(options), key=lambda one: options[one])
    if name in shared:
        return name, held_out_points(main, name)
    return name, main.filter((pl.col("role") == TEST) & (pl.col("metric") == name))


def levels_of(
    snapshot: Snapshot, goal: Goal, unit: Unit, points: pl.DataFrame | None = None
) -> tuple[str, bool, pl.DataFrame]:
    """Return a metric, whether high values of it are good, and ``LEVELS`` of the runs that have it.

    Args:
        snapshot: The experiment.
        goal: Its metric is taken; without one, the held-out metric that most runs are judged by.
        unit: What compute is counted in.
        points: The curves of the goal's metric.
    """
    metric, is_upward, curves = _curves(snapshot, goal, points)
    value = pl.col("value")
    best = value.arg_max() if is_upward else value.arg_min()
    known = (
        curves.filter(value.is_finite())
        .sort("run_id", "step")
        .group_by("run_id", maintain_order=True)
        .agg(
            (value.max() if is_upward else value.min()).alias("best"),
            value.last().alias("final"),
            pl.col("step").get(best).cast(pl.Float64()).alias("compute"),
        )
    )
    is_over = (pl.col("status") != "RUNNING") | pl.col("silent")
    runs = snapshot.runs.select("run_id", pl.col("label").alias("run"), "group", is_over.alias("is_over"))
    rows = runs.join(known, on="run_id", maintain_order="left")
    counted = in_unit(rows, snapshot.curves, unit, columns=("compute",))
    return metric, is_upward, counted.select(LEVELS.names()).match_to_schema(LEVELS)


def _curves(snapshot: Snapshot, goal: Goal, points: pl.DataFrame | None) -> tuple[str, bool, pl.DataFrame]:
    """Return the metric that levels are of, whether high values of it are good, and its curves."""
    if goal.target is not None and points is not None:
        return goal.target.metric, goal.target.is_upward, points
    metric, curves = judged_points(snapshot)
    return metric, first_sign(metric) == ">=", curves


def worth_of_steps(snapshot: Snapshot, goal: Goal, points: pl.DataFrame | None = None) -> list[str]:
    """Return what steps are worth in the metric that ``levels_of`` takes, of runs that train no more.

    Args:
        snapshot: The experiment.
        goal: As of ``levels_of``.
        points: As of ``levels_of``.
    """
    _, is_upward, curves = _curves(snapshot, goal, points)
    is_over = (pl.col("status") != "RUNNING") | pl.col("silent")
    planned = snapshot.params.filter(pl.col("key") == PLANNED).select(
        "run_id", pl.col("value").cast(pl.Float64, strict=False).alias(PLANNED)
    )
    runs = snapshot.runs.filter(is_over).select("run_id", "group").join(planned, on="run_id", how="left")
    own = curves.select("run_id", "step", "value").with_columns(metric=pl.lit(""))
    return [one.sentence for one in exchange_rates(own, runs, is_upward=is_upward)]


def with_whole_runs(levels: pl.DataFrame, snapshot: Snapshot, unit: Unit) -> pl.DataFrame:
    """Return ``LEVELS`` in which compute is all that a run spent."""
    ends = snapshot.runs.select("run_id", pl.col("step").cast(pl.Float64()).alias("compute"))
    counted = in_unit(ends, snapshot.curves, unit, columns=("compute",))
    rows = levels.drop("compute").join(counted, on="run_id", how="left", maintain_order="left")
    return rows.select(LEVELS.names())
