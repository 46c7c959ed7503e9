"""All measures of one run at once: which moved first, and, to explore, where they turn together."""

from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.charts import StepAxis
from grokscope.dashboard.charts.leads import run_leads_chart
from grokscope.dashboard.charts.segments import segments_chart
from grokscope.dashboard.component.chart import note, show
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.leads import EVENT, MEANING_OF_LEADS, members_of, rise_of, why_left_out
from grokscope.dashboard.tables.panels import is_about_learning
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import plain
from grokscope.transitions import Segmentation, segment

_MOST_MEASURES = 40
_CAVEAT = (
    "Exploratory: a picture to look at, not a verdict. Every measure weighs the same, what was not logged "
    "cannot speak, and a boundary has no meaning of its own. Events are those dated above."
)


def leads_section(points: pl.DataFrame, snapshot: Snapshot, run_id: str) -> None:
    """Draw when each measure of the run moved, against its held-out curve; or say why that cannot be told."""
    st.subheader("Which measure moved first", anchor=False)
    verdict = snapshot.verdicts.get(run_id)
    why = why_left_out(verdict)
    if verdict is None or why is not None:
        st.caption(f"Cannot be told for this run: {why}. Leads are counted in units of the delay.")
        return
    members = members_of(points, snapshot, [run_id])
    begin, half = rise_of(verdict)
    judged = plain(verdict.outcomes[0].metric) if verdict.outcomes else "the held-out curve"
    itself = {"measure": f"{judged} itself", "label": "the event", "role": EVENT}
    event = pl.DataFrame([{**itself, "begin": begin, "half": half}])
    shown = members.head(_MOST_MEASURES)
    rows = pl.concat([shown.select(event.columns), event]).sort("half", maintain_order=True)
    st.markdown(MEANING_OF_LEADS)
    spec = show(
        run_leads_chart,
        rows,
        key="run_leads",
        text="When each measure had changed by 10 % and by 50 %, in delays before half of the held-out rise",
        palette=palette(),
    )
    st.caption("bar: from 10 % to 50 % of the change since memorization · ● 50 % · grey: of the training set")
    note(phrases.cut(shown.height, members.height, "measures", rest="The data hold all."))
    offer_downloads({"leads": members.drop("run_id", "run")}, key="run_leads", specs=[spec])


def segments_section(points: pl.DataFrame, run_id: str, axis: StepAxis, *, state: tuple[Any, ...]) -> None:
    """Draw the exploratory segmentation, labelled so. ``state`` changes whenever the run's points do."""
    box = st.expander("Exploratory: segments of all measures", key="run_segments_box", on_change="rerun")
    if not box.open:  # what is not seen is not drawn, and keeps no page from refreshing
        return
    found = _segmented(points, run_id, state)
    with box:
        st.caption(_CAVEAT)
        if found is None or found.reason is not None or not found.segments:
            st.caption((found.reason if found else None) or "No measure has been logged yet.")
            return
        trends, boundaries = _frames(found)
        spec = show(
            segments_chart,
            trends,
            boundaries,
            key="run_segments",
            text="How each measure moves in each segment, and where all change their course",
            axis=axis,
            palette=palette(),
        )
        st.caption(
            "orange: rises · blue: falls, by up to its whole range · line: boundary, with the middle 95 % of "
            "where it lies when measures are drawn anew · segments explain "
            f"{phrases.percent(found.explained)} of what a straight line leaves"
        )
        offer_downloads({"trends": trends, "boundaries": boundaries}, key="run_segments", specs=[spec])


@st.cache_data(max_entries=64, show_spinner=False)
def _segmented(_points: pl.DataFrame, run_id: str, state: tuple[Any, ...]) -> Segmentation | None:  # noqa: ARG001
    ours = [m for m in _points["metric"].unique().to_list() if is_about_learning(m)]
    mine = _points.filter(pl.col("metric").is_in(ours))
    return segment(mine, run_id=run_id) if mine.height else None


def _frames(found: Segmentation) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = [
        {"measure": plain(metric), "begin": part.begin, "end": part.end, "trend": trend}
        for metric in found.metrics
        for part in found.segments
        for trend in [part.trends[metric]]
    ]
    edges = [
        {"step": b.step, "low": b.low, "high": b.high, "stability": b.stability} for b in found.boundaries
    ]
    schema = {"step": pl.Int64(), "low": pl.Int64(), "high": pl.Int64(), "stability": pl.Float64()}
    return pl.DataFrame(rows), pl.DataFrame(edges, schema=schema)
