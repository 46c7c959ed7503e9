"""When what happened: a row a run, below the charts of the metrics."""

from collections.abc import Sequence

import polars as pl

from grokscope.dashboard.charts import timeline_chart
from grokscope.dashboard.charts.compared import Look
from grokscope.dashboard.charts.elements.more_marks import curve_marks
from grokscope.dashboard.charts.linked import LinkedChart
from grokscope.dashboard.component.chart_data import TIMELINE, drawn_marks, rows_of
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.main_metric import main_curves
from grokscope.dashboard.tables.x_places import DATED, Place, placed

_NAMES = 180
"""Width of the names beside the timeline, in pixels."""


def dated_marks(snapshot: Snapshot, chosen: Sequence[str], place: Place) -> pl.DataFrame:
    """Return all that is dated in the chosen runs, along ``place``: ``MARKS_SCHEMA`` with ``run, group``."""
    main = main_curves(snapshot, run_ids=chosen)
    verdicts = {run: snapshot.verdicts[run] for run in chosen if run in snapshot.verdicts}
    dated = drawn_marks(snapshot, main, run_ids=list(chosen))
    named = snapshot.runs.select("run_id", pl.col("label").alias("run"), "group")
    more = curve_marks(verdicts, main).join(named, on="run_id", how="inner")
    return placed(pl.concat([dated, more]), snapshot, place, columns=DATED)


def timeline(
    snapshot: Snapshot, chosen: Sequence[str], marks: pl.DataFrame, place: Place, look: Look
) -> list[LinkedChart]:
    """Return the chart of ``marks``; none where nothing is dated."""
    if marks.is_empty():
        return []
    # Not before it was trained: a rule begins where the axis does.
    rows = placed(rows_of(snapshot, list(chosen)), snapshot, place).drop("run_id")
    shown = marks.filter(pl.col("run").is_in(rows["run"].implode()))
    chart = timeline_chart(rows, shown, axis=look.axis, colouring=look.colouring, room=_NAMES)
    spec = chart.to_dict(validate=False)
    cut = "" if rows.height == len(chosen) else f" · {rows.height:,} of {len(chosen):,} runs"
    return [
        LinkedChart(key="timeline", title=f"When it happened{cut}", text=TIMELINE, spec=spec, is_wide=True)
    ]
