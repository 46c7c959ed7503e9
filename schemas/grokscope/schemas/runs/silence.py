"""When a run that is called running has fallen silent: the rule for pages and for the terminal."""

from collections.abc import Callable, Sequence

import polars as pl

from grokscope.schemas.metrics.evaluations import is_evaluation

SILENT_MS = 30_000
"""A trainer that has given no sign of life for this long, and for ``PAUSES`` of its usual pauses, is silent.

Signs of life are points, and the tag ``LAST_SEEN`` that grokscope's own tracker keeps up between them.
"""

PAUSES = 5


def silent_runs(
    runs: pl.DataFrame, points_of: Callable[[Sequence[str]], pl.DataFrame], *, now_ms: int
) -> list[str]:
    """Return the ids of the runs that are called running and have not been heard of for too long.

    Args:
        runs: ``run_id, status, start_ms, last_ms``; times are Unix times in ms, ``last_ms`` the latest sign
            of life.
        points_of: Gives the points of some runs; it is asked only where their usual pause decides.
        now_ms: The time.

    >>> columns = {"run_id": ["a", "b"], "status": ["RUNNING"] * 2, "start_ms": [0, 0]}
    >>> runs = pl.DataFrame({**columns, "last_ms": [10_000, 990_000]})
    >>> silent_runs(runs, lambda ids: pl.DataFrame(), now_ms=1_000_000)
    ['a']
    """
    heard = pl.max_horizontal("last_ms", "start_ms").fill_null(now_ms)
    since = runs.select("run_id", "status", pause=now_ms - heard, ran=heard - pl.col("start_ms"))
    late = since.filter((pl.col("status") == "RUNNING") & (pl.col("pause") > SILENT_MS))
    # No usual pause is longer than the run itself: a store of runs that died long ago is told without points.
    gone = late.filter(pl.col("pause") > PAUSES * pl.col("ran"))["run_id"]
    open_ = late.filter(~pl.col("run_id").is_in(gone.implode()))
    usual = _usual_pauses(points_of(open_["run_id"].to_list())) if open_.height else {}
    limits = [PAUSES * usual.get(run, 0) for run in open_["run_id"]]
    found = {*gone, *open_.filter(pl.col("pause") > pl.Series(limits, dtype=pl.Int64))["run_id"]}
    return [run for run in runs["run_id"] if run in found]


def _usual_pauses(points: pl.DataFrame) -> dict[str, int]:
    """Return the median time between evaluations, in milliseconds, by run."""
    # A loss that is logged at every step tells nothing of how long an evaluation takes, and not all see it.
    metrics = [name for name in points["metric"].unique() if is_evaluation(name)]
    times = points.filter(pl.col("metric").is_in(metrics)).select("run_id", "time_ms").unique()
    pauses = times.group_by("run_id").agg(pl.col("time_ms").unique().sort().diff().median().alias("pause"))
    return {run: int(pause) for run, pause in pauses.drop_nulls().iter_rows()}
