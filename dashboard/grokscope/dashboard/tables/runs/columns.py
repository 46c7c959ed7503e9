"""The table of runs that a reader asked for: which columns, in which order of rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from grokscope.dashboard.charts.elements.axes import ceiling
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.runs.details import (
    as_tree,
    details,
    level_column,
    levels_table,
    param_column,
    params_table,
)
from grokscope.dashboard.tables.runs.overview import sparklines

CURVE = "held-out curve"
COLUMNS = (
    "status", "parent", CURVE, "judged by", "pattern", "reviewed", "memorized", "onset", "onset 95 %",
    "midpoint", "completion", "delay", "delay ratio", "collapse", "final", "group", "seed", "step",
    "duration", "commit",
    "tags", "note",
)  # fmt: skip
"""What can be shown of every run besides its params and the levels of its metrics."""

FIRST = (
    "status", "parent", CURVE, "judged by", "pattern", "reviewed", "memorized", "onset", "onset 95 %",
    "delay", "collapse", "final", "seed", "duration", "commit", "tags", "note",
)  # fmt: skip
"""What is shown first."""

_BEFORE_PARAMS = COLUMNS[: COLUMNS.index("group")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a reader chose.

    Attributes:
        columns: Of ``COLUMNS``.
        params: Names of params.
        metrics: Those whose levels are columns.
        statistics: Which levels: of ``details.STATISTICS``.
        curve: The metric that the small pictures show; ``None`` for what each run is judged by.
        sort: The column that rows are sorted by; ``None``: the newest run first, nested runs behind theirs.
        descending: The largest first.
    """

    columns: tuple[str, ...] = FIRST
    params: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ("last", "best")
    curve: str | None = None
    sort: str | None = None
    descending: bool = False

    def needed(self) -> list[str]:
        """Return the metrics whose points are needed."""
        return sorted({*self.metrics, *([self.curve] if self.curve else [])})


def rows_of(snapshot: Snapshot, runs: pl.DataFrame, shown: Shown, points: pl.DataFrame) -> pl.DataFrame:
    """Return a row a run with all columns that can be shown of it, in the order that is asked for.

    Args:
        snapshot: The runs that are looked at.
        runs: Their rows of ``overview.runs_table``.
        shown: What is asked for.
        points: Of ``shown.needed()``.
    """
    parts = [details(snapshot), params_table(snapshot, shown.params)]
    if shown.metrics:
        parts.append(levels_table(points.filter(pl.col("metric").is_in(shown.metrics)), shown.statistics))
    table = runs if shown.curve is None else _with_curve(runs, points, shown.curve)
    for part in parts:
        table = table.join(part, on="run_id", how="left", maintain_order="left")
    if shown.sort in table.columns:
        return table.sort(shown.sort, descending=shown.descending, nulls_last=True, maintain_order=True)
    return as_tree(table, snapshot)


def _with_curve(runs: pl.DataFrame, points: pl.DataFrame, metric: str) -> pl.DataFrame:
    lines = sparklines(points.filter(pl.col("metric") == metric), last_step=ceiling(runs["step"]))
    curves = [lines.get(run, []) for run in runs["run_id"]]
    return runs.with_columns(pl.Series(CURVE, curves, dtype=pl.List(pl.Float64())))


def order_of(table: pl.DataFrame, shown: Shown) -> list[str]:
    """Return the columns to show, in their order: those asked for that apply to some run."""
    levels = [level_column(metric, name) for metric in shown.metrics for name in shown.statistics]
    behind = [name for name in COLUMNS if name not in _BEFORE_PARAMS]
    params = map(param_column, shown.params)
    wanted = ["run", *_chosen(_BEFORE_PARAMS, shown), *levels, *params, *_chosen(behind, shown)]
    # In a tree, a run stands behind its parent: the column would say that again.
    left_out = {"parent"} if shown.sort is None else set[str]()
    telling = ["status", "judged by", *map(param_column, shown.params)]
    left_out |= {name for name in telling if _is_one_value(table, name)}
    return [
        name
        for name in dict.fromkeys(wanted)
        if name in table.columns and name not in left_out and _applies(table[name])
    ]


def _chosen(names: Sequence[str], shown: Shown) -> list[str]:
    return [name for name in names if name in shown.columns]


def _is_one_value(table: pl.DataFrame, name: str) -> bool:
    """Return whether a column tells none of several runs from the others."""
    return table.height > 1 and name in table.columns and table[name].n_unique() == 1


def _applies(values: pl.Series) -> bool:
    if isinstance(values.dtype, pl.List):
        return bool((values.list.len() > 0).any())
    return values.null_count() < values.len()
