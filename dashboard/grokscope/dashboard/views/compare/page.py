"""Selected runs over each other, one metric at a time."""

from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.charts import (
    AVERAGE_SCHEMA,
    StepAxis,
    averaged,
    comparison_chart,
    of_most,
    thinned_averages,
    timeline_chart,
)
from grokscope.dashboard.charts.elements.palette import Colouring
from grokscope.dashboard.charts.elements.quantity import label_of
from grokscope.dashboard.component.chart import IN_ADDRESS, note, show
from grokscope.dashboard.component.chart_data import (
    MORE_ROWS,
    MOST_RUNS,
    TIMELINE,
    axis_over,
    budget,
    colours_of,
    drawn_marks,
    drawn_points,
    key_of,
    rows_of,
    said_of_grey,
    said_of_thinning,
    said_of_units,
)
from grokscope.dashboard.component.cost_section import cost_section
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.component.page_shell import palette, refreshing
from grokscope.dashboard.component.table import NOTHING, ROW_HEIGHT, columns, runs_table
from grokscope.dashboard.component.window import windowed, within
from grokscope.dashboard.state.data import Data, Snapshot
from grokscope.dashboard.tables.main_metric import (
    TEST,
    first_metric,
    held_out_points,
    held_out_scores,
    main_curves,
)
from grokscope.dashboard.tables.overview import groups_table
from grokscope.dashboard.tables.run_table import UNGROUPED
from grokscope.dashboard.tables.x_units import STEPS, Unit, in_unit, units_of
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import plain

_LINES = "thick: mean while half of the group's runs go on · band: lowest to highest · thin: each run · "


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What the controls above the chart say."""

    metric: str | None
    by: str
    unit: Unit
    whole: StepAxis
    axis: StepAxis


def render(data: Data) -> None:
    """Draw the comparison of the selected runs, or of all."""
    refreshing(data, lambda snapshot: _page(data, snapshot))


def _page(data: Data, snapshot: Snapshot) -> None:
    asked: list[str] = list(data.selection.runs) or snapshot.runs["run_id"].to_list()
    chosen = asked[:MOST_RUNS]
    result = st.container(key="compare_answer")
    look = _controls(data, snapshot, chosen)
    if look.metric is None:
        st.info("These runs have not logged any metric yet. The first points appear here by themselves.")
        return
    note(
        phrases.cut(len(chosen), len(asked), "runs", rest="Filter and select on the page Runs to see others.")
    )
    _charts(data, snapshot, chosen, look)
    said = cost_section(snapshot, asked)
    if said:
        result.markdown(said)
    st.subheader("Groups", anchor=False)
    runs = runs_table(snapshot).filter(pl.col("run_id").is_in(asked))
    st.dataframe(
        groups_table(runs, snapshot.groups()),
        key="compare_groups",
        hide_index=True,
        column_config=columns(runs),
        row_height=ROW_HEIGHT,
        height="content",
        placeholder=NOTHING,
        alt="How many runs of each group grokked, and when",
    )


def _controls(data: Data, snapshot: Snapshot, chosen: list[str]) -> _Look:
    with st.container(horizontal=True, vertical_alignment="top", key="compare_controls"):
        metric = _metric(data, snapshot, chosen)
        units = {unit.name: unit for unit in units_of(snapshot.curves, chosen)}
        over = (
            st.selectbox("Over", list(units), key="compare_over", width=120, bind=IN_ADDRESS)
            if len(units) > 1
            else None
        )
        unit = units[over or STEPS.name]
        scale = st.segmented_control(
            "Scale", ["log", "linear"], default="log", required=True, key="compare_axis", bind=IN_ADDRESS
        )
        first_by = "run" if _is_by_run(snapshot, chosen) else "group"
        by = st.segmented_control(
            "Colour by", ["group", "run"], default=first_by, required=True, key="compare_by", bind=IN_ADDRESS
        )
        whole = axis_over(snapshot, unit, run_ids=chosen, log=scale != "linear")
        axis = windowed(whole, key="compare_window") if unit is STEPS else whole
        if data.selection.runs:
            st.space("stretch")
            if st.button(f"Only {len(chosen)} selected · show all", key="compare_all"):
                data.open_view("compare", [])
    return _Look(metric=metric, by=by or "group", unit=unit, whole=whole, axis=axis)


def _metric(data: Data, snapshot: Snapshot, chosen: list[str]) -> str | None:
    main = main_curves(snapshot, run_ids=chosen)
    names = held_out_scores(main) | data.source.metrics(chosen)
    first = first_metric(names, main)
    return st.selectbox(
        "Metric",
        list(names),
        index=0 if first is None else list(names).index(first),
        format_func=lambda name: _counted(name, names.get(name, 0), len(chosen)),
        key="compare_metric",
        width=340,
        bind=IN_ADDRESS,
    )


def _is_by_run(snapshot: Snapshot, chosen: list[str]) -> bool:
    """Return whether runs are first told apart one by one: those in no group have nothing to average."""
    groups = snapshot.runs.filter(pl.col("run_id").is_in(chosen))["group"].unique().to_list()
    return groups == [UNGROUPED] or (len(groups) == 1 and len(chosen) <= len(palette().series))


def _counted(metric: str, runs: int, of: int) -> str:
    """Return what to call a metric, and how many runs have it where not all have."""
    return _name(metric) if runs == of else f"{_name(metric)} · {runs:,} of {of:,} runs"


def _name(metric: str) -> str:
    label = label_of(metric)
    return plain(metric) if label == metric else f"{plain(metric)}  ({plain(label)})"


def _charts(data: Data, snapshot: Snapshot, chosen: list[str], look: _Look) -> None:
    metric, axis = look.metric or "", look.axis
    main = main_curves(snapshot, run_ids=chosen)
    is_of_several = metric in held_out_scores(main)
    everything = held_out_points(main, metric) if is_of_several else data.source.points(chosen, [metric])
    raw = within(in_unit(everything, snapshot.curves, look.unit), axis)
    by_group = look.by == "group"
    averages = _averages(snapshot, raw, axis) if by_group else AVERAGE_SCHEMA.to_frame()
    points = drawn_points(raw, snapshot, axis, limit=budget(len(chosen)))
    dated = drawn_marks(snapshot, everything, run_ids=chosen)
    marks = in_unit(dated, snapshot.curves, look.unit, columns=("step", "low", "high"))
    colouring = _colouring(snapshot, chosen, look.by)
    having: list[str] = everything["run_id"].unique().to_list()
    spec = show(
        comparison_chart,
        points,
        within(marks.filter(pl.col("run_id").is_in(having)), axis),
        averages,
        key="compare_chart",
        text=f"{_name(metric)} over {look.unit.name} of {len(having)} runs",
        axis=axis,
        colouring=colouring,
    )
    st.caption(f"{_LINES if by_group else ''}{key_of(snapshot)}")
    _say_of_which(len(having), len(chosen), is_of_several=is_of_several)
    note(said_of_units(snapshot, chosen))
    note(said_of_thinning(points.height, raw.height))
    note(said_of_grey(colouring, f"{look.by}s"))
    specs = [spec, *_timeline(snapshot, chosen, marks, look=look, colouring=colouring)]
    frames = _frames(snapshot, _by_own_names(raw, main) if is_of_several else raw, marks, look.unit)
    offer_downloads(frames | ({"mean and range": averages} if by_group else {}), key="compare", specs=specs)


def _averages(snapshot: Snapshot, raw: pl.DataFrame, axis: StepAxis) -> pl.DataFrame:
    return thinned_averages(of_most(averaged(drawn_points(raw, snapshot, axis))), axis)


def _say_of_which(having: int, chosen: int, *, is_of_several: bool) -> None:
    if is_of_several:
        note("Of each run the held-out curve that it is judged by.")
    others = "are judged by something else" if is_of_several else "have not logged it"
    rest = f"The others {others}; the menu above says how many runs have which metric."
    note(phrases.cut(having, chosen, "runs", rest=rest))


def _by_own_names(points: pl.DataFrame, main: pl.DataFrame) -> pl.DataFrame:
    """Return held-out curves that were drawn together, each under the name that its run has for it."""
    own = dict(main.filter(pl.col("role") == TEST).select("run_id", "metric").unique().iter_rows())
    return points.with_columns(metric=pl.col("run_id").replace_strict(own, return_dtype=pl.String()))


def _frames(
    snapshot: Snapshot, raw: pl.DataFrame, marks: pl.DataFrame, unit: Unit
) -> dict[str, pl.DataFrame]:
    """Return what a reader takes along: each run by its name, steps in the unit that is shown."""
    described = snapshot.runs.select("run_id", pl.col("label").alias("run"), "group", "seed")
    curves = raw.join(described, on="run_id", how="left", maintain_order="left")
    counted_in = {} if unit is STEPS else {"step": unit.name}
    return {
        "curves": curves.drop("run_id", "time_ms").rename(counted_in),
        "events": marks.drop("run_id", "value").rename(counted_in),
    }


def _timeline(
    snapshot: Snapshot, chosen: list[str], marks: pl.DataFrame, *, look: _Look, colouring: Colouring
) -> list[dict[str, Any]]:
    if marks.is_empty():
        return []
    rows = in_unit(rows_of(snapshot, chosen), snapshot.curves, look.unit).drop("run_id")
    shown = marks.filter(pl.col("run").is_in(rows["run"].implode()))
    spec = show(
        timeline_chart,
        rows,
        shown,
        key="compare_timeline",
        text=TIMELINE,
        axis=look.whole,
        colouring=colouring,
    )
    note(phrases.cut(rows.height, len(chosen), "runs", rest=MORE_ROWS))
    return [spec]


def _colouring(snapshot: Snapshot, chosen: list[str], by: str) -> Colouring:
    colours = palette()
    if by == "group":
        return colours_of(snapshot, colours, run_ids=chosen)
    labels = snapshot.runs.filter(pl.col("run_id").is_in(chosen))["label"].to_list()
    return Colouring(field=by, colours=colours.of(labels), palette=colours)
