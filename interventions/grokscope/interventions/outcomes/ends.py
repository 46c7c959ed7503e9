"""How runs ended that did not reach the target: not all of them are merely unfinished."""

from enum import StrEnum

import polars as pl

from grokscope.interventions.outcomes.estimand import PLANNED


class End(StrEnum):
    """How a run ended, or that it has not."""

    REACHED = "reached"
    DIVERGED = "diverged"
    FAILED = "failed"
    STOPPED = "stopped"
    RUNNING = "running"
    FINISHED = "finished"


_STATUS = {
    "running": End.RUNNING,
    "scheduled": End.RUNNING,
    "killed": End.STOPPED,
    "aborted": End.FINISHED,  # MLPerf: it used up its budget
    "failed": End.FAILED,
}


def ends_of(costs: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Return ``costs`` with the column ``end``, one of ``End``.

    A run whose last value of the metric is no finite number diverged. One that ended a tenth or more short of
    its planned steps was stopped. Without a status and a plan, a run that is not there counts as finished.

    Args:
        costs: ``COSTS``.
        runs: ``run_id``, and ``status`` and ``planned`` where they are known.

    >>> costs = pl.DataFrame({"run_id": ["a"], "reached": [False], "last": [float("nan")], "spent": [9.0]})
    >>> ends_of(costs, pl.DataFrame({"run_id": ["a"]}))["end"].to_list()
    ['diverged']
    """
    known = [name for name in ("status", PLANNED) if name in runs.columns]
    told = costs.join(runs.select("run_id", *known), on="run_id", how="left", maintain_order="left")
    status = pl.col("status").str.to_lowercase() if "status" in known else pl.lit(None, pl.String)
    end = status.replace_strict(
        {word: end.value for word, end in _STATUS.items()}, default=End.FINISHED.value, return_dtype=pl.String
    )
    if PLANNED in known:
        is_short = pl.col("spent") < 0.9 * pl.col(PLANNED).cast(pl.Float64, strict=False)
        end = (
            pl.when(is_short.fill_null(value=False) & (end == End.FINISHED.value))
            .then(pl.lit(End.STOPPED.value))
            .otherwise(end)
        )
    end = (
        pl.when(pl.col("reached"))
        .then(pl.lit(End.REACHED.value))
        .when(pl.col("last").is_finite().not_())
        .then(pl.lit(End.DIVERGED.value))
        .otherwise(end.fill_null(End.FINISHED.value))
    )
    return told.with_columns(end=end).drop(known)


def ended(runs: pl.DataFrame) -> pl.DataFrame:
    """Return the runs that train no more, those of unknown status among them.

    Args:
        runs: With a column ``status`` where it is known.

    >>> ended(pl.DataFrame({"run_id": ["a", "b", "c"], "status": ["RUNNING", "FINISHED", None]})).rows()
    [('b', 'FINISHED'), ('c', None)]
    """
    if "status" not in runs.columns:
        return runs
    going_on = [word for word, end in _STATUS.items() if end is End.RUNNING]
    is_going_on = pl.col("status").str.to_lowercase().is_in(going_on)
    return runs.filter(~is_going_on.fill_null(value=False))


def lasting_as_their_group(costs: pl.DataFrame) -> pl.DataFrame:
    """Return costs in which a run that diverged lasts as long as its group was watched.

    It never gets there, so it stays among those that have not. Nobody watched it for longer than the others
    of its group that have not: beyond their budget it would be the only run that counts. Where there are no
    others, it lasts as long as any run.

    Args:
        costs: ``COSTS`` with ``end`` and ``group``.

    >>> costs = pl.DataFrame({"group": "a", "reached": False, "end": ["diverged", "finished"]})
    >>> costs = costs.with_columns(low=pl.Series([3.0, 9.0]), spent=pl.Series([3.0, 9.0]))
    >>> lasting_as_their_group(costs)["low"].to_list()
    [9.0, 9.0]
    """
    diverged = pl.col("end") == End.DIVERGED.value
    others = ~pl.col("reached") & ~diverged
    watched = pl.col("spent").filter(others).max().over("group")
    lasts = pl.max_horizontal("low", watched.fill_null(pl.col("spent").max()))
    return costs.with_columns(low=pl.when(diverged).then(lasts).otherwise("low"))
