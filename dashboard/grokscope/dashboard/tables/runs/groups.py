"""Groups of runs as rows: how many generalized, when, and to what level."""

import polars as pl

from grokscope.dashboard.charts.elements.quantity import quantity_name
from grokscope.dashboard.state import phases
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.costs import costs_of, group_costs
from grokscope.dashboard.tables.x_units import STEPS
from grokscope.dashboard.words import phrases
from grokscope.schemas import Pattern, mapped

GROUP_ROWS = pl.Schema(
    {
        "group": pl.String(),
        "runs": pl.Int64(),
        "generalized": pl.String(),
        "share": pl.Float64(),
        "collapsed": pl.Int64(),
        "median onset": pl.Float64(),
        "median 95 %": pl.String(),
        "median final": pl.Float64(),
    }
)
"""``generalized``: of how many; ``share``: the same from 0 to 1; ``collapsed``: those that lost what they had
learned, which are in no other count; ``median onset``: of all runs, those without an onset counting as later,
null while fewer than half have one; ``median final``: where a group's runs are judged by one quantity."""


def group_rows(snapshot: Snapshot, runs: pl.DataFrame) -> pl.DataFrame:
    """Return ``GROUP_ROWS``, in the order of the groups' names.

    Args:
        snapshot: The runs that are looked at.
        runs: Their rows of ``overview.runs_table``.
    """
    verdicts = snapshot.verdicts
    done = [run for run, verdict in verdicts.items() if phases.has_generalized(verdict)]
    lost = [run for run, verdict in verdicts.items() if verdict.pattern is Pattern.COLLAPSE]
    quantity = pl.col("quantity").drop_nulls()
    counted = (
        runs.with_columns(quantity=mapped(runs["judged by"], quantity_name))
        .group_by("group")
        .agg(
            pl.len().cast(pl.Int64()).alias("runs"),
            pl.col("run_id").is_in(done).sum().cast(pl.Int64()).alias("done"),
            pl.col("run_id").is_in(lost).sum().cast(pl.Int64()).alias("collapsed"),
            pl.when(quantity.n_unique() == 1).then(pl.col("final").median()).alias("median final"),
        )
    )
    costs = costs_of(snapshot, runs["run_id"].to_list(), event="onset", unit=STEPS)
    medians = group_costs(costs).select("group", pl.col("median").alias("median onset"), "low", "high")
    order = {group: place for place, group in enumerate(snapshot.groups())}
    rows = counted.join(medians, on="group", how="left").sort(
        pl.col("group").replace_strict(order, default=len(order), return_dtype=pl.Int64())
    )
    return rows.with_columns(
        pl.format("{} of {}", "done", "runs").alias("generalized"),
        (pl.col("done") / pl.col("runs")).alias("share"),
        pl.Series(
            "median 95 %", [_interval(*ends) for ends in rows.select("low", "high").iter_rows()], pl.String()
        ),
    ).select(GROUP_ROWS.names())


def _interval(low: float | None, high: float | None) -> str | None:
    """Return the ends of an interval; one that nothing bounds is open.

    >>> _interval(120.0, None), _interval(None, None)
    ('[120, …]', None)
    """
    if low is None and high is None:
        return None
    ends = ("…" if end is None else phrases.steps(end) for end in (low, high))
    return f"[{', '.join(ends)}]"
