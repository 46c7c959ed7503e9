"""What is training now: the page that refreshes by itself."""

from statistics import median

import polars as pl
import streamlit as st

from grokscope.dashboard.charts import group_chart, quantity_of, timeline_chart
from grokscope.dashboard.charts.elements.palette import Colouring
from grokscope.dashboard.component.chart import IN_ADDRESS, note, show
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
from grokscope.dashboard.component.page_shell import refreshing
from grokscope.dashboard.component.table import finished_table
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.state import phases
from grokscope.dashboard.state.data import Data, LiveStatus, Snapshot
from grokscope.dashboard.tables.main_metric import main_curves
from grokscope.dashboard.views.live.alerts import feed, last_run_said
from grokscope.dashboard.views.live.cards import cards, key_of_cards
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import plain
from grokscope.schemas.runs.groups import UNGROUPED

EVERY_S = 1.5
"""What was logged is sent within half a second, and is to be seen within two."""
_NO_CURVE = (
    "No curve of a loss, an accuracy or another score has been logged yet. What else the runs log is on the "
    "page Compare."
)
_MOST_CHARTS, _MOST_LINES, _FINISHED = 12, 24, 8
_PAUSE_SAID = "Nothing is read or drawn again until this is switched off. It stays in the page's address."
_NOTIFY_SAID = (
    "The browser shows each new event while this page is not in front; in a tab that has been hidden for "
    "long, up to a minute late. It asks for your permission once. It works at localhost and over https."
)
_NO_NOTIFICATIONS = {
    "denied": "This browser does not allow notifications of this page. Allow them in its settings for this "
    "address, and reload the page.",
    "missing": "This browser shows no notifications here: they work at localhost and over https.",
}
"""What is said while the switch is on, by what the browser allows; its script shows the one that is true."""


def render(data: Data) -> None:
    """Draw the page; while something trains, again every second and a half without a reload."""
    is_paused = data.whole().runs.height > 0 and _controls()
    refreshing(
        data,
        lambda snapshot: _page(data, snapshot, is_paused=is_paused),
        every_s=EVERY_S,
        is_paused=is_paused,
    )


def _controls() -> bool:
    """Draw the switches; return whether the page stands still."""
    with st.container(horizontal=True, horizontal_alignment="right", key="live_controls"):
        is_to_notify = st.toggle("Notify me of new events", key="live_notify", help=_NOTIFY_SAID)
        is_paused = st.toggle("Pause", key="live_pause", help=_PAUSE_SAID, bind=IN_ADDRESS)
    for permission, sentence in _NO_NOTIFICATIONS.items() if is_to_notify else ():
        with st.container(key=f"live_notify_{permission}"):
            st.caption(sentence)
    return is_paused


def _page(data: Data, snapshot: Snapshot, *, is_paused: bool) -> None:
    live = data.live(snapshot)
    main = main_curves(snapshot)
    _summary(snapshot)
    _now(snapshot, live, is_paused=is_paused)
    cards(data, snapshot, main, live)
    feed(data, snapshot, live, is_training=phases.active(snapshot.runs).height > 0)
    # Below what it would push down once it can be told, and once: with each reading it would be another.
    if phases.active(snapshot.runs).is_empty() and (said := answer_of(snapshot)):
        st.markdown(said)
    if main.is_empty():
        st.info(_NO_CURVE)
        return
    _groups(snapshot, main)
    _timeline(snapshot, main)
    finished = phases.ended(snapshot.runs)
    if finished.height:
        st.subheader("Recently finished", anchor=False)
        finished_table(snapshot, finished["run_id"].head(_FINISHED).to_list(), key="live_finished")


def _summary(snapshot: Snapshot) -> None:
    judged = snapshot.verdicts.values()
    grokked = [v for v in judged if phases.has_generalized(v)]
    ratios = [v.delay.ratio for v in grokked if v.delay and v.delay.ratio is not None]
    with st.grid(4, min_column_width=130, key="live_summary", gap="medium"):
        st.metric("Training now", phases.active(snapshot.runs).height)
        st.metric("Ended", f"{phases.ended(snapshot.runs).height} of {snapshot.runs.height}")
        st.metric("Generalized", f"{len(grokked)} of {snapshot.runs.height}")
        st.metric("Median delay", phrases.times(median(ratios) if ratios else None))


def _now(snapshot: Snapshot, live: LiveStatus, *, is_paused: bool) -> None:
    """Say in a line that is always there what happens now."""
    training = phases.active(snapshot.runs).height
    if is_paused:
        at = phrases.clock(snapshot.taken_ms, now_ms=snapshot.taken_ms)
        said = f"Paused: this is how it was at {at}."
    elif training:
        said = f"{phrases.counted(training, 'run')} in training · {key_of_cards()}"
    else:
        said = last_run_said(snapshot, phases.ended(snapshot.runs).head(1).to_dicts(), live)
    if quiet := phases.silent(snapshot.runs).height:
        said += f" {quiet} more {'has' if quiet == 1 else 'have'} fallen silent: see below."
    st.caption(said)


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
