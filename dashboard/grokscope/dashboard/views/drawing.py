"""From a snapshot to the frames that charts take."""

from collections.abc import Sequence

import polars as pl

from grokscope.dashboard import phases
from grokscope.dashboard.charts import LIMIT, StepAxis, ceiling, marks_of, thinned
from grokscope.dashboard.data import Snapshot

MOST_RUNS = 200
"""Runs over each other; beyond, lines are only ink."""

_CHART_ROWS = 24_000
_FEWEST = 20
MOST_ROWS = 60
"""Rows of a timeline; beyond, names are no longer read but searched for, which a table does better."""

TIMELINE = "When each run memorized, began to generalize and had generalized"
"""Alternative text of timelines."""

KEY = "○ memorized  ◆ onset, its 95 % interval shaded  ● generalized  ▶ now"


def budget(lines: int) -> int:
    """Return how many points each of ``lines`` lines of one chart may have."""
    return max(_FEWEST, min(LIMIT, _CHART_ROWS // max(1, lines)))


def axis_of(snapshot: Snapshot, *, run_ids: Sequence[str] | None = None, log: bool = True) -> StepAxis:
    """Return the step axis that holds the given runs, or all, to their planned ends."""
    runs = snapshot.runs if run_ids is None else snapshot.runs.filter(pl.col("run_id").is_in(list(run_ids)))
    training = runs.filter(pl.col("status") == "RUNNING")
    return StepAxis(last=ceiling(runs["step"], [*training["planned"], *_ends(runs)]), log=log)


def _ends(runs: pl.DataFrame) -> list[int | None]:
    """Return where ended runs stopped: nothing will pass there, so the axis need not be round."""
    return runs.filter(pl.col("status") != "RUNNING")["step"].to_list()


def drawn_points(
    points: pl.DataFrame, snapshot: Snapshot, axis: StepAxis, *, limit: int = LIMIT
) -> pl.DataFrame:
    """Return thinned points with the runs' labels and groups."""
    kept = thinned(points, axis, limit=limit).select("run_id", "metric", "step", "value")
    return kept.join(_named(snapshot), on="run_id", how="inner", maintain_order="left")


def drawn_marks(
    snapshot: Snapshot, points: pl.DataFrame, *, train: str, test: str, run_ids: Sequence[str] | None = None
) -> pl.DataFrame:
    """Return the events of the given runs, or of all, with the runs' labels and groups.

    ``train`` and ``test`` are the curves in ``points`` on which the events are put.
    """
    wanted: list[str] = list(snapshot.runs["run_id"] if run_ids is None else run_ids)
    verdicts = {run: snapshot.verdicts[run] for run in wanted if run in snapshot.verdicts}
    now = set(phases.active(snapshot.runs)["run_id"])
    marks = marks_of(verdicts, points, train=train, test=test, now=now)
    return marks.join(_named(snapshot), on="run_id", how="inner", maintain_order="left")


def rows_of(snapshot: Snapshot, run_ids: Sequence[str]) -> pl.DataFrame:
    """Return ``run, group, step`` of the given runs for a timeline: group by group, seed by seed."""
    order = {group: place for place, group in enumerate(snapshot.groups())}
    rank = pl.col("group").replace_strict(order, default=len(order), return_dtype=pl.Int64())
    mine = snapshot.runs.filter(pl.col("run_id").is_in(list(run_ids)))
    ordered = mine.sort(rank, "seed", "label", nulls_last=True).head(MOST_ROWS)
    return ordered.select(pl.col("label").alias("run"), "group", "step")


def _named(snapshot: Snapshot) -> pl.DataFrame:
    return snapshot.runs.select("run_id", pl.col("label").alias("run"), "group")
