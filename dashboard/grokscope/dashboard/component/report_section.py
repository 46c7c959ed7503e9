"""The report of a selection: what is on the page about its runs, as one file for others."""

from collections.abc import Sequence

import polars as pl

from grokscope.dashboard.component.downloads import offer_report, selected_in_address
from grokscope.dashboard.exporting.bundle import versions
from grokscope.dashboard.exporting.figure import Kind
from grokscope.dashboard.exporting.files import to_figure
from grokscope.dashboard.exporting.publication import Spec
from grokscope.dashboard.exporting.report import Selected
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.runs.overview import groups_table
from grokscope.dashboard.words.sentences import sentence


def report_section(
    snapshot: Snapshot, runs: pl.DataFrame, *, key: str, specs: Sequence[Spec] = (), is_in_row: bool = False
) -> None:
    """Offer a page about some runs: their table and that of their groups, what each did, and the charts.

    Args:
        snapshot: What is shown.
        runs: Rows of ``runs_table``: those that are selected.
        key: Name of the elements.
        specs: Charts, which become one figure of the page.
        is_in_row: Whether it stands among buttons.
    """
    address = selected_in_address()  # where the page is made, there is none

    def make(kind: Kind) -> Selected:
        figures = {"The charts of this selection": to_figure(list(specs), kind)} if specs else {}
        return Selected(
            title=f"Runs of {snapshot.experiment}",
            runs=runs,
            groups=groups_table(runs, snapshot.groups()),
            sentences=_told(snapshot, runs),
            figures=figures,
            made_by={"experiment": str(snapshot.experiment), **address, **versions()},
        )

    offer_report(make, runs=runs.height, key=key, is_in_row=is_in_row)


def _told(snapshot: Snapshot, runs: pl.DataFrame) -> list[str]:
    return [
        f"{name}: {sentence(snapshot.verdicts[run_id])}"
        for run_id, name in runs.select("run_id", "run").iter_rows()
        if run_id in snapshot.verdicts
    ]
