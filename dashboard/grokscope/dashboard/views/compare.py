"""Selected runs over each other, one metric at a time."""

from dataclasses import dataclass

import polars as pl
import streamlit as st

from grokscope.dashboard.charts import (
    AVERAGE_SCHEMA,
    averaged,
    comparison_chart,
    thinned_averages,
    timeline_chart,
)
from grokscope.dashboard.charts.palette import Colouring
from grokscope.dashboard.charts.quantity import label_of
from grokscope.dashboard.data import Data, Snapshot
from grokscope.dashboard.escaping import plain
from grokscope.dashboard.tables import groups_table
from grokscope.dashboard.views.drawing import (
    KEY,
    MOST_RUNS,
    TIMELINE,
    axis_of,
    budget,
    drawn_marks,
    drawn_points,
    rows_of,
)
from grokscope.dashboard.views.frame import palette, refreshing
from grokscope.dashboard.views.grid import NOTHING, ROW_HEIGHT, columns
from grokscope.dashboard.views.showing import show

_FIRST = ("test/accuracy", "val/accuracy", "train/accuracy", "test/loss", "val/loss", "train/loss")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What the controls above the chart say."""

    metric: str | None
    log: bool
    by: str


def render(data: Data) -> None:
    """Draw the comparison of the selected runs, or of all."""
    refreshing(data, lambda snapshot: _page(data, snapshot))


def _page(data: Data, snapshot: Snapshot) -> None:
    chosen = (list(data.selection.runs) or snapshot.runs["run_id"].to_list())[:MOST_RUNS]
    look = _controls(data, chosen)
    if look.metric is None:
        st.info("These runs have not logged any metric yet. The first points appear here by themselves.")
        return
    _charts(data, snapshot, chosen, look)
    st.subheader("Groups", anchor=False)
    st.dataframe(
        groups_table(snapshot, chosen),
        key="compare_groups",
        hide_index=True,
        column_config=columns(),
        row_height=ROW_HEIGHT,
        height="content",
        placeholder=NOTHING,
        alt="How many runs of each group grokked, and when",
    )


def _controls(data: Data, chosen: list[str]) -> _Look:
    names = data.source.metrics(chosen)
    with st.container(horizontal=True, vertical_alignment="top", key="compare_controls"):
        first = next((names.index(name) for name in _FIRST if name in names), 0)
        metric = st.selectbox(
            "Metric", names, index=first, format_func=_name, key="compare_metric", width=340
        )
        scale = st.segmented_control(
            "Steps", ["log", "linear"], default="log", required=True, key="compare_axis"
        )
        by = st.segmented_control(
            "Colour by", ["group", "run"], default="group", required=True, key="compare_by"
        )
        if data.selection.runs:
            st.space("stretch")
            if st.button(f"Only {len(chosen)} selected · show all", key="compare_all"):
                data.open_view("compare", [])
    return _Look(metric=metric, log=scale != "linear", by=by or "group")


def _name(metric: str) -> str:
    label = label_of(metric)
    return plain(metric) if label == metric else f"{plain(metric)}  ({plain(label)})"


def _charts(data: Data, snapshot: Snapshot, chosen: list[str], look: _Look) -> None:
    metric = look.metric or ""
    axis = axis_of(snapshot, run_ids=chosen, log=look.log)
    raw = data.source.points(chosen, [metric])
    fine = drawn_points(raw, snapshot, axis)
    by_group = look.by == "group"
    averages = thinned_averages(averaged(fine), axis) if by_group else AVERAGE_SCHEMA.to_frame()
    points = drawn_points(raw, snapshot, axis, limit=budget(len(chosen)))
    marks = drawn_marks(snapshot, raw, train=metric, test=metric, run_ids=chosen)
    colouring = _colouring(snapshot, chosen, look.by)
    show(
        comparison_chart,
        points,
        marks,
        averages,
        key="compare_chart",
        text=f"{_name(metric)} over steps of {len(chosen)} runs",
        axis=axis,
        colouring=colouring,
    )
    st.caption(_legend(raw, points, look.by))
    rows = rows_of(snapshot, chosen)
    if marks.height:
        shown = marks.filter(pl.col("run").is_in(rows["run"].implode()))
        show(
            timeline_chart, rows, shown, key="compare_timeline", text=TIMELINE, axis=axis, colouring=colouring
        )
    with st.expander("Data behind this chart"):
        st.dataframe(points.drop("run_id"), hide_index=True, key="compare_data")


def _legend(raw: pl.DataFrame, points: pl.DataFrame, by: str) -> str:
    lines = (
        "thick: mean of the group's runs · band: lowest to highest · thin: each run · "
        if by == "group"
        else ""
    )
    thinned = (
        ""
        if raw.height == points.height
        else f" · {points.height:,} of {raw.height:,} points, all extremes kept"
    )
    return f"{lines}{KEY}{thinned}"


def _colouring(snapshot: Snapshot, chosen: list[str], by: str) -> Colouring:
    colours = palette()
    values = snapshot.groups() if by == "group" else rows_of(snapshot, chosen)["run"].to_list()
    return Colouring(field=by, colours=colours.of(values), palette=colours)
