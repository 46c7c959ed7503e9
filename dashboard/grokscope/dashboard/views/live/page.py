"""What is training now: the page that refreshes by itself."""

from collections.abc import Mapping
from statistics import median
from typing import Any, Literal

import polars as pl
import streamlit as st

from grokscope.dashboard.charts import group_chart, quantity_of, timeline_chart
from grokscope.dashboard.charts.elements.palette import Colouring
from grokscope.dashboard.component.chart import note, show
from grokscope.dashboard.component.chart_data import (
    MORE_ROWS,
    TIMELINE,
    axis_of,
    budget,
    colours_of,
    drawn_marks,
    drawn_points,
    key_of,
    rows_of,
    said_of_grey,
    said_of_thinning,
)
from grokscope.dashboard.component.cost_section import answer_of
from grokscope.dashboard.component.page_shell import palette, refreshing
from grokscope.dashboard.component.table import finished_table
from grokscope.dashboard.state import phases
from grokscope.dashboard.state.data import Data, LiveStatus, Snapshot
from grokscope.dashboard.state.phases import Phase
from grokscope.dashboard.tables.main_metric import MainMetric, main_metric_of
from grokscope.dashboard.tables.overview import last_values
from grokscope.dashboard.views.live.alerts import chip, feed, labels_of, legend
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape, plain

EVERY_S = 2
_Badge = Literal["gray", "orange", "violet", "blue", "green", "red"]
_MOST_CARDS, _MOST_CHARTS, _MOST_LINES, _FINISHED = 12, 12, 24, 8
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
    refreshing(data, lambda snapshot: _page(snapshot, data.source.live(snapshot)), every_s=EVERY_S)


def _page(snapshot: Snapshot, live: LiveStatus) -> None:
    main = main_metric_of(snapshot.curves)
    _summary(snapshot)
    _training(snapshot, main, live)
    is_live = bool(live.states)
    if main is None:
        if is_live:
            feed(live, now_ms=snapshot.taken_ms)
        st.info("No loss or accuracy has been logged yet. What else the runs log is on the page Compare.")
        return
    _groups(snapshot, main)
    if is_live:
        feed(live, now_ms=snapshot.taken_ms)
    _timeline(snapshot, main)
    if not is_live:  # History, then, and no news.
        feed(live, now_ms=snapshot.taken_ms)
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
        st.metric("Generalized", f"{len(grokked)} of {snapshot.runs.height}")
        st.metric("Median delay", phrases.times(median(ratios) if ratios else None))
    if said := answer_of(snapshot):
        st.markdown(said)
    if quiet:
        st.caption(f"{quiet} more {'run has' if quiet == 1 else 'runs have'} fallen silent: see below.")


def _training(snapshot: Snapshot, main: MainMetric | None, live: LiveStatus) -> None:
    alive = pl.concat([phases.active(snapshot.runs), phases.silent(snapshot.runs)])
    shown = alive.head(_MOST_CARDS)
    if shown.is_empty():
        return
    last = last_values(main.points) if main else {}
    with st.grid(3, min_column_width=330, border=True, key="live_training") as grid:
        for run in shown.iter_rows(named=True):
            with grid.cell():
                _card(snapshot, run, _values(run["run_id"], main, last), live)
    legend(live, labels_of(snapshot.runs))
    note(phrases.cut(shown.height, alive.height, "runs in training", rest="The page Runs lists all."))


def _values(run_id: str, main: MainMetric | None, last: Mapping[tuple[str, str], float]) -> str:
    if main is None:
        return ""
    say = phrases.percent if main.quantity == "accuracy" else phrases.number
    train, test = (say(last.get((run_id, metric))) for metric in (main.train, main.test))
    return f" · train {train} · test {test}"


def _card(snapshot: Snapshot, run: Mapping[str, Any], values: str, live: LiveStatus) -> None:
    phase = phases.phase_of(snapshot.verdicts.get(run["run_id"]))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{escape(run['label'])}**", width="stretch")
        if run["silent"]:
            since = phrases.clock(run["last_ms"], now_ms=snapshot.taken_ms)
            st.badge(f"trainer silent since {since}", color="gray", icon=":material/cloud_off:")
        else:
            st.badge(phase.value, color=_COLOURS[phase])
    share = phases.share_done(run["step"], run["planned"])
    if share is not None:
        st.progress(share)
    of = f" of {phrases.steps(run['planned'])}" if run["planned"] else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"step {phrases.steps(run['step'])}{of}{values}", width="stretch")
        chip(live.states.get(run["run_id"]))


def _groups(snapshot: Snapshot, main: MainMetric) -> None:
    axis, colouring = axis_of(snapshot), colours_of(snapshot, palette())
    groups = _charted(snapshot)
    of_groups = snapshot.runs.filter(pl.col("group").is_in(groups))
    runs = _drawn_runs(of_groups)
    raw = main.points.filter(pl.col("run_id").is_in(runs))
    points = drawn_points(raw, snapshot, axis, limit=budget(2 * _MOST_LINES))
    marks = drawn_marks(snapshot, raw, train=main.train, test=main.test, run_ids=runs)
    quantity = quantity_of(main.test, points["value"])
    st.subheader(f"{main.quantity.capitalize()} over steps", anchor=False)
    st.caption(f"full line: test · dashed: train · {key_of(snapshot)}")
    with st.grid(min(3, len(groups)), min_column_width=330, key="live_groups", gap="medium") as grid:
        for place, group in enumerate(groups):
            mine = pl.col("group") == group
            with grid.cell():
                show(
                    group_chart,
                    points.filter(mine),
                    marks.filter(mine),
                    key=f"live_chart_{place}",
                    text=f"Train and test {main.quantity} over steps: {plain(group)}",
                    title=_title(snapshot, group, colouring),
                    axis=axis,
                    quantity=quantity,
                    colouring=colouring,
                )
    note(said_of_thinning(points.height, raw.height))
    rest = f"The newest {_MOST_LINES} of each group; the page Compare draws their mean and range."
    note(phrases.cut(len(runs), of_groups.height, "runs", rest=rest))
    note(phrases.cut(len(groups), len(snapshot.groups()), "groups", rest="The page Compare draws all."))
    note(said_of_grey(colouring, "groups"))


def _charted(snapshot: Snapshot) -> list[str]:
    """Return the groups that get a chart: those in training first, if there are too many."""
    groups, training = snapshot.groups(), set(phases.active(snapshot.runs)["group"])
    first = sorted(groups, key=lambda group: group not in training)[:_MOST_CHARTS]
    return [group for group in groups if group in first]


def _drawn_runs(runs: pl.DataFrame) -> list[str]:
    """Return the runs whose curves are drawn: of each group those in training, then the newest."""
    order = [pl.col("status") != "RUNNING", pl.col("start_ms").neg()]
    return runs.sort(order, nulls_last=True).group_by("group").head(_MOST_LINES)["run_id"].to_list()


def _title(snapshot: Snapshot, group: str, colouring: Colouring) -> dict[str, str]:
    runs = snapshot.runs.filter(pl.col("group") == group)
    verdicts = [snapshot.verdicts.get(run) for run in runs["run_id"]]
    done = sum(v is not None and v.generalized is not None for v in verdicts)
    return {
        "text": plain(group, limit=40),
        "subtitle": f"{done} of {runs.height} generalized",
        "color": colouring.colours[group],
    }


def _timeline(snapshot: Snapshot, main: MainMetric) -> None:
    rows = rows_of(snapshot, snapshot.runs["run_id"].to_list())
    shown = rows["run_id"].to_list()
    marks = drawn_marks(snapshot, main.points, train=main.train, test=main.test, run_ids=shown)
    if marks.is_empty():
        return
    st.subheader("From memorized to completion", anchor=False)
    show(
        timeline_chart,
        rows.drop("run_id"),
        marks,
        key="live_timeline",
        text=TIMELINE,
        axis=axis_of(snapshot),
        colouring=colours_of(snapshot, palette()),
    )
    note(phrases.cut(rows.height, snapshot.runs.height, "runs", rest=MORE_ROWS))
