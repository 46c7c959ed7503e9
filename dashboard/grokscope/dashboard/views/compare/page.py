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
    said_of_steps,
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
from grokscope.dashboard.tables.x_units import STEPS, Unit, in_unit, units_of
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import plain
from grokscope.schemas import empty_points
from grokscope.schemas.runs.groups import UNGROUPED

_LINES = "thick: mean while half of the group's runs go on · band: lowest to highest · thin: each run"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What the controls above the chart say.

    Attributes:
        metric: What is drawn; ``None`` while nothing is logged.
        points: Its curves.
        runs: Those of the chosen runs that have it.
        is_of_several: Each run has it by a name of its own.
        by: What lines are coloured by.
        unit: What steps are counted in.
        whole, axis: The x-axis of these runs, and the part of it that is asked for.
    """

    metric: str | None
    points: pl.DataFrame
    runs: list[str]
    is_of_several: bool
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
    _say_of_which(look, len(chosen))
    _charts(snapshot, look)
    said = cost_section(snapshot, asked)
    if said:
        result.markdown(said)
    runs = runs_table(snapshot).filter(pl.col("run_id").is_in(asked))
    if runs["group"].unique().to_list() != [UNGROUPED]:
        _groups(snapshot, runs)


def _groups(snapshot: Snapshot, runs: pl.DataFrame) -> None:
    st.subheader("Groups", anchor=False)
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
        points, is_of_several = _points(data, snapshot, chosen, metric)
        runs = [run for run in chosen if run in set(points["run_id"])]
        unit = _unit(snapshot, chosen)
        scale = st.segmented_control(
            "Scale", ["log", "linear"], default="log", required=True, key="compare_axis", bind=IN_ADDRESS
        )
        first_by = "run" if _is_by_run(snapshot, chosen) else "group"
        by = st.segmented_control(
            "Colour by", ["group", "run"], default=first_by, required=True, key="compare_by", bind=IN_ADDRESS
        )
        whole = axis_over(snapshot, unit, run_ids=runs, log=scale != "linear")
        axis = windowed(whole, key="compare_window") if unit is STEPS else whole
        if data.selection.runs:
            st.space("stretch")
            if st.button(f"Only {len(chosen)} selected · show all", key="compare_all"):
                data.open_view("compare", [])
    return _Look(
        metric=metric,
        points=points,
        runs=runs,
        is_of_several=is_of_several,
        by=by or "group",
        unit=unit,
        whole=whole,
        axis=axis,
    )


def _unit(snapshot: Snapshot, chosen: list[str]) -> Unit:
    units = {unit.name: unit for unit in units_of(snapshot.curves, chosen)}
    if len(units) <= 1:
        return STEPS
    over = st.selectbox("Over", list(units), key="compare_over", width=120, bind=IN_ADDRESS)
    return units[over or STEPS.name]


def _points(
    data: Data, snapshot: Snapshot, chosen: list[str], metric: str | None
) -> tuple[pl.DataFrame, bool]:
    """Return the curves of a metric, and whether each run has them by a name of its own."""
    if metric is None:
        return empty_points(), False
    main = main_curves(snapshot, run_ids=chosen)
    if metric in held_out_scores(main):
        return held_out_points(main, metric), True
    return data.source.points(chosen, [metric]), False


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


def _charts(snapshot: Snapshot, look: _Look) -> None:
    metric, axis, by_group = look.metric or "", look.axis, look.by == "group"
    raw = within(in_unit(look.points, snapshot.curves, look.unit), axis)
    averages = _averages(snapshot, raw, axis) if by_group else AVERAGE_SCHEMA.to_frame()
    points = drawn_points(raw, snapshot, axis, limit=budget(len(look.runs)))
    dated = drawn_marks(snapshot, look.points, run_ids=look.runs)
    marks = in_unit(dated, snapshot.curves, look.unit, columns=("step", "low", "high"))
    colouring = _colouring(snapshot, look.runs, look.by)
    spec = show(
        comparison_chart,
        points,
        within(marks, axis),
        averages,
        key="compare_chart",
        text=f"{_name(metric)} over {look.unit.name} of {len(look.runs)} runs",
        axis=axis,
        colouring=colouring,
    )
    note(" · ".join(filter(None, [_LINES if by_group else "", key_of(snapshot)])))
    note(said_of_units(snapshot, look.runs))
    note(said_of_steps(snapshot, look.runs))
    note(said_of_thinning(points.height, raw.height))
    note(said_of_grey(colouring, f"{look.by}s"))
    specs = [spec, *_timeline(snapshot, marks, look=look, colouring=colouring)]
    main = main_curves(snapshot, run_ids=look.runs)
    frames = _frames(snapshot, _by_own_names(raw, main) if look.is_of_several else raw, marks, look.unit)
    offer_downloads(frames | ({"mean and range": averages} if by_group else {}), key="compare", specs=specs)


def _averages(snapshot: Snapshot, raw: pl.DataFrame, axis: StepAxis) -> pl.DataFrame:
    return thinned_averages(of_most(averaged(drawn_points(raw, snapshot, axis))), axis)


def _say_of_which(look: _Look, chosen: int) -> None:
    of = "Of each run the held-out curve that it is judged by. " if look.is_of_several else ""
    others = "are judged by something else" if look.is_of_several else "have not logged it"
    rest = f"The others {others}; the menu above says how many runs have which metric."
    cut = phrases.cut(len(look.runs), chosen, "runs", rest=rest)
    note(f"{of}{cut or ''}".strip() or None)


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
    snapshot: Snapshot, marks: pl.DataFrame, *, look: _Look, colouring: Colouring
) -> list[dict[str, Any]]:
    if marks.is_empty():
        return []
    rows = in_unit(rows_of(snapshot, look.runs), snapshot.curves, look.unit).drop("run_id")
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
    note(phrases.cut(rows.height, len(look.runs), "runs", rest=MORE_ROWS))
    return [spec]


def _colouring(snapshot: Snapshot, chosen: list[str], by: str) -> Colouring:
    colours = palette()
    if by == "group":
        return colours_of(snapshot, colours, run_ids=chosen)
    labels = snapshot.runs.filter(pl.col("run_id").is_in(chosen))["label"].to_list()
    return Colouring(field=by, colours=colours.of(labels), palette=colours)
