"""What is training now: the page that refreshes by itself."""

from collections.abc import Mapping
from statistics import median
from typing import Any, Literal

import polars as pl
import streamlit as st

from grokscope.dashboard import phases, words
from grokscope.dashboard.charts import group_chart, quantity_of, timeline_chart
from grokscope.dashboard.charts.palette import Colouring
from grokscope.dashboard.data import Data, Snapshot
from grokscope.dashboard.escaping import escape, plain
from grokscope.dashboard.headline import Headline, headline_of
from grokscope.dashboard.phases import Phase
from grokscope.dashboard.tables import last_values
from grokscope.dashboard.views.drawing import (
    KEY,
    TIMELINE,
    axis_of,
    budget,
    drawn_marks,
    drawn_points,
    rows_of,
)
from grokscope.dashboard.views.frame import palette, refreshing
from grokscope.dashboard.views.grid import finished_table
from grokscope.dashboard.views.showing import show

EVERY_S = 2
_Badge = Literal["gray", "orange", "violet", "blue", "green", "red"]
_MOST_CARDS, _MOST_CHARTS, _FINISHED = 12, 12, 8
_COLOURS: Mapping[Phase, _Badge] = {
    Phase.STARTING: "gray",
    Phase.UNJUDGED: "gray",
    Phase.MEMORIZING: "orange",
    Phase.WAITING: "violet",
    Phase.GENERALIZING: "blue",
    Phase.GENERALIZED: "green",
    Phase.COLLAPSED: "red",
}


def render(data: Data) -> None:
    """Draw the page, and draw it again every two seconds without a reload."""
    refreshing(data, _page, every_s=EVERY_S)


def _page(snapshot: Snapshot) -> None:
    headline = headline_of(snapshot.curves)
    _summary(snapshot)
    _training(snapshot, headline)
    if headline is None:
        st.info("No loss or accuracy has been logged yet. What else the runs log is on the page Compare.")
        return
    marks = drawn_marks(snapshot, headline.points, train=headline.train, test=headline.test)
    _groups(snapshot, headline, marks)
    _timeline(snapshot, marks)
    finished = phases.ended(snapshot.runs)
    if finished.height:
        st.subheader("Recently finished", anchor=False)
        finished_table(snapshot, finished["run_id"].head(_FINISHED).to_list(), key="live_finished")


def _summary(snapshot: Snapshot) -> None:
    judged = snapshot.verdicts.values()
    grokked = [v for v in judged if v.generalized is not None]
    ratios = [v.delay.ratio for v in grokked if v.delay and v.delay.ratio is not None]
    quiet = phases.silent(snapshot.runs).height
    with st.grid(4, min_column_width=150, key="live_summary", gap="medium"):
        st.metric("Training now", phases.active(snapshot.runs).height)
        st.metric("Finished", f"{phases.ended(snapshot.runs).height} of {snapshot.runs.height}")
        st.metric("Generalized", len(grokked))
        st.metric("Median delay", words.times(median(ratios) if ratios else None))
    if quiet:
        st.caption(f"{quiet} more {'run has' if quiet == 1 else 'runs have'} fallen silent: see below.")


def _training(snapshot: Snapshot, headline: Headline | None) -> None:
    shown = pl.concat([phases.active(snapshot.runs), phases.silent(snapshot.runs)]).head(_MOST_CARDS)
    if shown.is_empty():
        return
    last = last_values(headline.points) if headline else {}
    with st.grid(3, min_column_width=330, border=True, key="live_training") as grid:
        for run in shown.iter_rows(named=True):
            with grid.cell():
                _card(snapshot, run, _values(run["run_id"], headline, last))


def _values(run_id: str, headline: Headline | None, last: Mapping[tuple[str, str], float]) -> str:
    if headline is None:
        return ""
    say = words.percent if headline.quantity == "accuracy" else words.number
    train, test = (say(last.get((run_id, metric))) for metric in (headline.train, headline.test))
    return f" · train {train} · test {test}"


def _card(snapshot: Snapshot, run: Mapping[str, Any], values: str) -> None:
    phase = phases.phase_of(snapshot.verdicts.get(run["run_id"]))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{escape(run['label'])}**", width="stretch")
        if run["silent"]:
            since = words.clock(run["last_ms"], now_ms=snapshot.taken_ms)
            st.badge(f"trainer silent since {since}", color="gray", icon=":material/cloud_off:")
        else:
            st.badge(phase.value, color=_COLOURS[phase])
    share = phases.share_done(run["step"], run["planned"])
    if share is not None:
        st.progress(share)
    of = f" of {words.steps(run['planned'])}" if run["planned"] else ""
    st.caption(f"step {words.steps(run['step'])}{of}{values}")


def _groups(snapshot: Snapshot, headline: Headline, marks: pl.DataFrame) -> None:
    axis, colouring = axis_of(snapshot), _colouring(snapshot)
    largest = 2 * max(snapshot.runs["group"].value_counts()["count"])
    points = drawn_points(headline.points, snapshot, axis, limit=budget(largest))
    quantity = quantity_of(headline.test, points["value"])
    groups = snapshot.groups()[:_MOST_CHARTS]
    st.subheader(f"{headline.quantity.capitalize()} over steps", anchor=False)
    st.caption(f"full line: test · dashed: train · {KEY}")
    with st.grid(min(3, len(groups)), min_column_width=330, key="live_groups", gap="medium") as grid:
        for place, group in enumerate(groups):
            mine = pl.col("group") == group
            with grid.cell():
                show(
                    group_chart,
                    points.filter(mine),
                    marks.filter(mine),
                    key=f"live_chart_{place}",
                    text=f"Train and test {headline.quantity} over steps: {plain(group)}",
                    title=_title(snapshot, group, colouring),
                    axis=axis,
                    quantity=quantity,
                    colouring=colouring,
                )


def _colouring(snapshot: Snapshot) -> Colouring:
    colours = palette()
    return Colouring(field="group", colours=colours.of(snapshot.groups()), palette=colours)


def _title(snapshot: Snapshot, group: str, colouring: Colouring) -> dict[str, str]:
    runs = snapshot.runs.filter(pl.col("group") == group)
    verdicts = [snapshot.verdicts.get(run) for run in runs["run_id"]]
    done = sum(v is not None and v.generalized is not None for v in verdicts)
    return {
        "text": plain(group, limit=40),
        "subtitle": f"{done} of {runs.height} generalized",
        "color": colouring.colours[group],
    }


def _timeline(snapshot: Snapshot, marks: pl.DataFrame) -> None:
    if marks.is_empty():
        return
    rows = rows_of(snapshot, snapshot.runs["run_id"].to_list())
    marks = marks.filter(pl.col("run").is_in(rows["run"].implode()))
    st.subheader("From memorized to generalized", anchor=False)
    show(
        timeline_chart,
        rows,
        marks,
        key="live_timeline",
        text=TIMELINE,
        axis=axis_of(snapshot),
        colouring=_colouring(snapshot),
    )
