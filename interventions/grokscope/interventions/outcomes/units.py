"""What training is counted in beside steps: columns of curves, from the metrics that count it."""

import polars as pl

from grokscope.schemas.runs.table_params import UNIT_METRICS


def with_units(curves: pl.DataFrame) -> pl.DataFrame:
    """Return curves with a column for every unit that a run has logged; a metric that counts is no row more.

    Between two steps at which it was logged a unit is linear; before the first and after the last, null.

    Args:
        curves: ``run_id, metric, step, value``, at most one value a (run, metric, step).

    >>> rows = [("a", "progress/tokens", 0, 0.0), ("a", "progress/tokens", 10, 640.0), ("a", "loss", 5, 1.0)]
    >>> curves = pl.DataFrame(rows, schema=["run_id", "metric", "step", "value"], orient="row")
    >>> with_units(curves).rows()
    [('a', 'loss', 5, 1.0, 320.0)]
    """
    metrics = curves["metric"].unique().to_list()
    # A metric that is called as the unit counts it, too, where there is none of ours.
    counting = {
        unit: next(name for name in (metric, unit) if name in metrics)
        for unit, metric in UNIT_METRICS.items()
        if metric in metrics or unit in metrics
    }
    rest = curves.filter(~pl.col("metric").is_in(list(counting.values())))
    steps = rest.select("run_id", "step").unique()
    for unit, metric in counting.items():
        logged = curves.filter((pl.col("metric") == metric) & pl.col("value").is_finite())
        known = logged.select("run_id", "step", pl.col("value").alias(unit)).unique(["run_id", "step"])
        both = steps.select("run_id", "step").join(known, on=["run_id", "step"], how="full", coalesce=True)
        linear = pl.col(unit).interpolate_by("step").over("run_id")
        steps = steps.join(
            both.sort("run_id", "step").with_columns(linear), on=["run_id", "step"], how="left"
        )
    return rest.join(steps, on=["run_id", "step"], how="left", maintain_order="left") if counting else rest
