"""What is training now: the page that refreshes by itself."""

from collections.abc import Mapping
from statistics import median
from typing import Any, Literal

import polars as pl
import streamlit as st

from grokscope.dashboard.charts import group_chart, quantity_of, timeline_chart
from grokscope.dashboard.charts.elements.palette import Colouring
from grokscope.dashboard.charts.elements.quantity import is_in_percent
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
    said_of_steps,
    said_of_thinning,
    said_of_units,
)
from grokscope.dashboard.component.cost_section import answer_of
from grokscope.dashboard.component.page_shell import palette, refreshing
from grokscope.dashboard.component.table import finished_table
from grokscope.dashboard.state import phases
from grokscope.dashboard.state.data import Data, LiveStatus, Snapshot
from grokscope.dashboard.state.phases import Phase
from grokscope.dashboard.tables.main_metric import main_curves
from grokscope.dashboard.views.live.alerts import chip, feed, labels_of, legend
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape, plain
from grokscope.schemas.runs.groups import UNGROUPED

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
    Phase.DIVERGED: "red",
}


def render(data: Data) -> None:
    """Draw the page, and draw it again every two seconds without a reload."""
    refreshing(data, lambda snapshot: _page(snapshot, data.source.live(snapshot)), every_s=EVERY_S)


def _page(snapshot: Snapshot, live: LiveStatus) -> None:
    main = main_curves(snapshot)
    _summary(snapshot)
    _training(snapshot, main, live)
    is_live = bool(live.states)
    if main.is_empty():
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
    grokked = [v for v in judged if phases.has_generalized(v)]
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


def _training(snapshot: Snapshot, main: pl.DataFrame, live: LiveStatus) -> None:
    alive = pl.concat([phases.active(snapshot.runs), phases.silent(snapshot.runs)])
    shown = alive.head(_MOST_CARDS)
    if shown.is_empty():
        return
    with st.grid(3, min_column_width=330, border=True, key="live_training") as grid:
        for run in shown.iter_rows(named=True):
            with grid.cell():
                _card(snapshot, run, _values(run["run_id"], main), live)
    legend(live, labels_of(snapshot.runs))
    note(phrases.cut(shown.height, alive.height, "runs in training", rest="The page Runs lists all."))


def _values(run_id: str, main: pl.DataFrame) -> str:
    """Return where the main curves of a run stand, each by its own name."""
    mine = main.filter((pl.col("run_id") == run_id) & pl.col("value").is_finite()).sort("step")
    last = (
        mine.group_by("role", "metric", "quantity").agg(pl.col("value").last()).sort("role", descending=True)
    )
    return "".join(
        f" · {escape(metric)} {phrases.percent(value) if is_in_percent(quantity) else phrases.level(value)}"
        for metric, quantity, value in last.sort("role", descending=True)
        .select("metric", "quantity", "value")
        .iter_rows()
    )


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


def _groups(snapshot: Snapshot, main: pl.DataFrame) -> None:
    """Draw a chart a group, and of a group whose runs are judged by several quantities one for each."""
    charts, all_charts = _charted(snapshot, main)
    of_charts = _quantities(snapshot, main).join(charts, on=["group", "quantity"], how="semi")
    runs = _drawn_runs(of_charts)
    raw = main.filter(pl.col("run_id").is_in(runs))
    points = drawn_points(raw, snapshot, axis_of(snapshot, run_ids=runs), limit=budget(2 * _MOST_LINES))
    quantities: list[str] = charts["quantity"].unique().to_list()
    is_one = len(quantities) == 1
    of = quantities[0].replace("_", " ").capitalize() if is_one else "What runs are judged by,"
    st.subheader(f"{of} over steps", anchor=False)
    st.caption(" · ".join(filter(None, ["full line: held-out", "dashed: training", key_of(snapshot)])))
    _draw(snapshot, charts, of_charts, points, drawn_marks(snapshot, raw, run_ids=runs))
    note(_said_of_others(snapshot, main))
    note(said_of_units(snapshot, runs))
    note(said_of_steps(snapshot, runs))
    note(said_of_thinning(points.height, raw.height))
    rest = f"The newest {_MOST_LINES} of each chart; the page Compare draws their mean and range."
    note(phrases.cut(len(runs), of_charts.height, "runs", rest=rest))
    what = "groups" if is_one else "charts"
    note(phrases.cut(charts.height, all_charts, what, rest="The page Compare draws all."))
    note(said_of_grey(colours_of(snapshot, palette()), "groups"))


def _said_of_others(snapshot: Snapshot, main: pl.DataFrame) -> str | None:
    """Return which runs have no curve in the charts, and why; ``None`` if all have one."""
    others = snapshot.runs.filter(~pl.col("run_id").is_in(main["run_id"].unique().implode()))
    if others.is_empty():
        return None
    what = "1 run has" if others.height == 1 else f"{others.height:,} runs have"
    return (
        f"{what} no accuracy, loss or other score that is read as one of a training and of a held-out set. "
        "The page Runs says what each metric is taken for, and lets you change it."
    )


def _draw(
    snapshot: Snapshot, charts: pl.DataFrame, runs: pl.DataFrame, points: pl.DataFrame, marks: pl.DataFrame
) -> None:
    """Draw the charts beside each other; those of one quantity have the same axes."""
    axis = axis_of(snapshot, run_ids=points["run_id"].unique().to_list())
    colouring = colours_of(snapshot, palette())
    is_one = charts["quantity"].n_unique() == 1
    marks = marks.join(runs.select("run_id", "quantity"), on="run_id", maintain_order="left")
    with st.grid(min(3, charts.height), min_column_width=330, key="live_groups", gap="medium") as grid:
        for place, (group, quantity) in enumerate(charts.iter_rows()):
            mine = (pl.col("group") == group) & (pl.col("quantity") == quantity)
            comparable = points.filter(pl.col("quantity") == quantity)
            with grid.cell():
                show(
                    group_chart,
                    points.filter(mine),
                    marks.filter(mine),
                    key=f"live_chart_{place}",
                    text=f"Training and held-out {plain(quantity)} over steps: {plain(group)}",
                    title=_title(snapshot, runs.filter(mine), colouring, is_one=is_one),
                    axis=axis,
                    quantity=quantity_of(str(comparable["metric"][0]), comparable["value"]),
                    colouring=colouring,
                )


def _quantities(snapshot: Snapshot, main: pl.DataFrame) -> pl.DataFrame:
    """Return the runs that have main curves, with the quantity of these."""
    of_runs = main.sort("role").group_by("run_id", maintain_order=True).agg(pl.col("quantity").first())
    return snapshot.runs.join(of_runs, on="run_id", how="inner", maintain_order="left")


def _charted(snapshot: Snapshot, main: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return ``group, quantity`` of the charts that are drawn, and of how many.

    Those of groups in training come first, if there are too many; in a group, what most runs are judged by.
    """
    order = {group: place for place, group in enumerate(snapshot.groups())}
    training = set(phases.active(snapshot.runs)["group"])
    place = pl.col("group").replace_strict(order, return_dtype=pl.Int64())
    found = _quantities(snapshot, main).group_by("group", "quantity").len()
    charts = found.sort(place, -pl.col("len").cast(pl.Int64()), "quantity").select("group", "quantity")
    first = charts.sort(pl.col("group").is_in(training).not_(), maintain_order=True).head(_MOST_CHARTS)
    return charts.join(first, on=["group", "quantity"], how="semi", maintain_order="left"), charts.height


def _drawn_runs(runs: pl.DataFrame) -> list[str]:
    """Return the runs whose curves are drawn: of each group those in training, then the newest."""
    order = [pl.col("status") != "RUNNING", pl.col("start_ms").neg()]
    of_chart = runs.sort(order, nulls_last=True).group_by("group", "quantity")
    return of_chart.head(_MOST_LINES)["run_id"].to_list()


def _title(snapshot: Snapshot, runs: pl.DataFrame, colouring: Colouring, *, is_one: bool) -> dict[str, str]:
    group, quantity = runs.select("group", "quantity").row(0)
    verdicts = [snapshot.verdicts.get(run) for run in runs["run_id"]]
    done = sum(map(phases.has_generalized, verdicts))
    what = plain(quantity.replace("_", " "), limit=40)
    # One group of all runs has nothing to be told apart from.
    name = plain(group, limit=40) if snapshot.groups() != [UNGROUPED] else "all runs" if is_one else what
    of = "" if is_one or name == what else f"{what} · "
    return {
        "text": name,
        "subtitle": f"{of}{done} of {runs.height} generalized",
        "color": colouring.colours[group],
    }


def _timeline(snapshot: Snapshot, main: pl.DataFrame) -> None:
    rows = rows_of(snapshot, snapshot.runs["run_id"].to_list())
    shown = rows["run_id"].to_list()
    marks = drawn_marks(snapshot, main, run_ids=shown)
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
