"""The report of a selection: what is on the page about its runs, as one file for others."""

from collections.abc import Sequence

import polars as pl

from grokscope.dashboard.charts import group_chart, quantity_of
from grokscope.dashboard.charts.elements.palette import Palette
from grokscope.dashboard.component.chart import described
from grokscope.dashboard.component.chart_data import (
    MOST_RUNS,
    axis_of,
    budget,
    colours_of,
    drawn_marks,
    drawn_points,
)
from grokscope.dashboard.component.downloads import offer_report, selected_in_address
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.exporting.bundle import versions
from grokscope.dashboard.exporting.figure import Kind
from grokscope.dashboard.exporting.files import to_figure
from grokscope.dashboard.exporting.publication import Spec
from grokscope.dashboard.exporting.report import Selected
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.main_metric import main_curves
from grokscope.dashboard.tables.runs.overview import groups_table
from grokscope.dashboard.words.escaping import plain
from grokscope.dashboard.words.sentences import sentence


def report_section(
    snapshot: Snapshot, runs: pl.DataFrame, *, key: str, specs: Sequence[Spec] = (), is_in_row: bool = False
) -> None:
    """Offer a page about some runs: their table and that of their groups, what each did, and the charts.

    Args:
        snapshot: What is shown.
        runs: Rows of ``runs_table``: those that are selected.
        key: Name of the elements.
        specs: Charts, which become one figure of the page; without any, the curves that runs are judged by.
        is_in_row: Whether it stands among buttons.
    """
    address, own = selected_in_address(), palette()  # where the page is made, there is no browser

    def make(kind: Kind) -> Selected:
        drawn = list(specs) or _main_charts(snapshot, runs["run_id"].to_list()[:MOST_RUNS], own)
        figures = {"The charts of this selection": to_figure(drawn, kind)} if drawn else {}
        return Selected(
            title=f"Runs of {snapshot.experiment}",
            runs=runs,
            groups=groups_table(runs, snapshot.groups()),
            sentences=_told(snapshot, runs),
            figures=figures,
            made_by={"experiment": str(snapshot.experiment), **address, **versions()},
        )

    offer_report(make, runs=runs.height, key=key, is_in_row=is_in_row)


def _main_charts(snapshot: Snapshot, run_ids: Sequence[str], own: Palette) -> list[Spec]:
    """Return a chart a quantity of the curves that these runs are judged by, with what is dated in them."""
    main = main_curves(snapshot, run_ids=run_ids)
    axis, colouring = axis_of(snapshot, run_ids=run_ids), colours_of(snapshot, own, run_ids=run_ids)
    specs: list[Spec] = []
    for (quantity,), points in main.group_by("quantity", maintain_order=True):
        shown = drawn_points(points, snapshot, axis, limit=budget(2 * points["run_id"].n_unique()))
        marks = drawn_marks(snapshot, points, run_ids=points["run_id"].unique(maintain_order=True).to_list())
        scale = quantity_of(str(points["metric"][0]), points["value"])
        chart = described(group_chart, shown, marks, axis=axis, quantity=scale, colouring=colouring)
        title = f"{plain(str(quantity)).replace('_', ' ')}: held-out as full lines, training dashed"
        specs.append({**chart, "title": title})
    return specs


def _told(snapshot: Snapshot, runs: pl.DataFrame) -> list[str]:
    return [
        f"{name}: {sentence(snapshot.verdicts[run_id])}"
        for run_id, name in runs.select("run_id", "run").iter_rows()
        if run_id in snapshot.verdicts
    ]
