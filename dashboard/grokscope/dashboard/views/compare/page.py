"""Selected runs over each other: a grid of charts that are zoomed and read together."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl
import streamlit as st

from grokscope.dashboard.charts.linked import HINT, ColumnNames, LinkedGrid, linked_axis
from grokscope.dashboard.component.chart import note
from grokscope.dashboard.component.chart_data import (
    MOST_RUNS,
    key_of,
    said_of_grey,
    said_of_steps,
    said_of_thinning,
    said_of_units,
)
from grokscope.dashboard.component.cost_section import answer_of
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.component.linked_charts import linked_charts
from grokscope.dashboard.component.page_shell import refreshing
from grokscope.dashboard.component.report_section import report_section
from grokscope.dashboard.component.table import NOTHING, ROW_HEIGHT, columns, runs_table
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.state.data import Data, Snapshot
from grokscope.dashboard.tables.first_charts import first_charts
from grokscope.dashboard.tables.main_metric import held_out_scores, main_curves
from grokscope.dashboard.tables.runs.overview import groups_table
from grokscope.dashboard.tables.x_places import said_of_left_out
from grokscope.dashboard.views.compare.configs import config_section
from grokscope.dashboard.views.compare.controls import CHARTS, Asked, By, First, arranged, controls
from grokscope.dashboard.views.compare.files import WholeSpecs
from grokscope.dashboard.views.compare.grid import Grid, columns_said, grid_of, least_share
from grokscope.dashboard.views.compare.height import chosen_height, keep_height
from grokscope.dashboard.views.compare.levels import levels_of, said_of_levels
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape, plain
from grokscope.schemas.runs.groups import UNGROUPED

_GRID = "compare_grid"
_PICKED = "compare_picked"
_MOST_NAMED = 3
_JUDGED = (
    "held-out/…: of each run the held-out curve that it is judged by; runs judged by another quantity "
    "are not in it."
)
_SMOOTHED = "Smoothed for the eye: the faint curves are what was logged, and all dates are read from those."


def render(data: Data) -> None:
    """Draw the comparison of the selected runs, or of all."""
    refreshing(data, lambda snapshot: _page(data, snapshot))


def _page(data: Data, snapshot: Snapshot) -> None:
    asked_for: list[str] = list(data.selection.runs) or snapshot.runs["run_id"].to_list()
    chosen = asked_for[:MOST_RUNS]
    result = st.container(key="compare_answer")
    main = main_curves(snapshot, run_ids=chosen)
    names = held_out_scores(main) | data.source.metrics(chosen)
    if not names:
        st.info("These runs have not logged any metric yet. The first points appear here by themselves.")
        return
    levels = levels_of(snapshot, chosen, data.selection.split)
    first = First(
        metrics=first_charts(names, main),
        by=_first_by(snapshot, chosen, is_picked=bool(data.selection.runs)),
        levels=None if levels is None else len(levels.drawn),
    )
    asked = controls(snapshot, chosen, list(names), first=first)
    asked = replace(asked, split=data.selection.split)
    rest = "Search at the left, or select on the page Runs, to see others."
    note(phrases.cut(len(chosen), len(asked_for), "runs", rest=rest))
    note(said_of_levels(levels))
    specs = _charts(data, snapshot, chosen, asked)
    config_section(snapshot, chosen)
    with result:
        _answer(data, snapshot, asked_for)
    runs = runs_table(snapshot).filter(pl.col("run_id").is_in(asked_for))
    if runs["group"].unique().to_list() != [UNGROUPED]:
        _groups(snapshot, runs)
    report_section(snapshot, runs, key="compare_report", specs=specs)


def _first_by(snapshot: Snapshot, chosen: list[str], *, is_picked: bool) -> By:
    """Return what lines are coloured by first: few runs that were picked, or of one group, by themselves."""
    groups = snapshot.runs.filter(pl.col("run_id").is_in(chosen))["group"].unique().to_list()
    is_few = len(chosen) <= len(palette().series)
    is_by_run = groups == [UNGROUPED] or (is_few and (is_picked or len(groups) == 1))
    return "run" if is_by_run else "group"


def _charts(data: Data, snapshot: Snapshot, chosen: list[str], asked: Asked) -> WholeSpecs:
    grid = grid_of(data.source, snapshot, tuple(chosen), asked, palette())
    if not asked.metrics:
        st.info("No chart is chosen: add a metric above.")
    value, band = columns_said(asked) if asked.has_averages else ("value", "")
    reported = linked_charts(
        LinkedGrid(
            charts=grid.charts,
            axes={name: linked_axis(axis) for name, axis in grid.axes.items()},
            palette=palette(),
            columns=asked.columns,
            names=ColumnNames(value=value, band=band),
            height=chosen_height(),
            hint=f"{HINT} · click on a run's curve: a link to that run below",
        ),
        key=_GRID,
        on_change=_arrange,
    )
    _offer_run(data, snapshot, reported.picked)
    _notes(snapshot, chosen, asked, grid)
    frames = {"curves": grid.curves, "events": grid.events}
    means = {"mean and range": grid.averages} if grid.averages.height else {}
    specs = WholeSpecs(grid.charts)
    offer_downloads(frames | means, key="compare", specs=specs)
    return specs


def _answer(data: Data, snapshot: Snapshot, run_ids: Sequence[str]) -> None:
    """Say which group is the cheapest, and offer what lies behind the answer and beside the selection."""
    said = answer_of(snapshot, run_ids)
    if said is None and not data.selection.runs:
        return
    text, more = st.columns([6, 1], vertical_alignment="center")
    text.markdown(said or "")
    with more.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if said and st.button(
            "What it takes", key="compare_interventions", type="tertiary", help="The page Interventions"
        ):
            data.open_view("interventions", list(data.selection.runs))
        if data.selection.runs:
            shown = min(len(run_ids), MOST_RUNS)
            if st.button(f"Only {shown} selected · show all", key="compare_all"):
                data.open_view("compare", [])


def _arrange() -> None:
    """Move or remove a chart, or keep a height, as is asked for, before the page is drawn anew."""
    keep_height(st.session_state[_GRID].get("resized"))
    event = st.session_state[_GRID].get("arranged")
    if event:
        st.session_state[CHARTS] = arranged(
            st.session_state[CHARTS], kind=event["kind"], chart=event["chart"]
        )


def _offer_run(data: Data, snapshot: Snapshot, picked: Mapping[str, str] | None) -> None:
    """Offer the page of the run whose curve was clicked last."""
    if picked is not None:
        st.session_state[_PICKED] = picked["key"]
    run = st.session_state.get(_PICKED)
    labels = snapshot.runs.filter(pl.col("run_id") == run)["label"].to_list() if run else []
    if labels and st.button(f"Open the run {escape(labels[0])}", key="compare_open", type="tertiary"):
        data.open_view("run", [str(run)])


def _notes(snapshot: Snapshot, chosen: list[str], asked: Asked, grid: Grid) -> None:
    note(" · ".join(filter(None, [_lines(asked), key_of(snapshot), *grid.key])))
    note(_JUDGED if any(metric.startswith("held-out/") for metric in asked.metrics) else None)
    note(_said_of_paths(asked))
    note(said_of_left_out(snapshot, chosen, asked.place))
    note(_SMOOTHED if asked.smoothing != "none" else None)
    if grid.empty:
        note(f"Nothing of this can be drawn here: {', '.join(escape(plain(name)) for name in grid.empty)}.")
    for metric, runs in grid.cut.items():
        note(_said_of_cut(metric, runs))
    note(said_of_units(snapshot, chosen))
    note(said_of_steps(snapshot, chosen))
    note(
        said_of_thinning(grid.drawn, grid.whole, of=" of what is on the y-axis" if asked.place.metric else "")
    )
    note(said_of_grey(grid.colouring, f"{asked.by}s"))


def _lines(asked: Asked) -> str:
    """Return what the lines of groups are."""
    if not asked.has_averages:
        return ""
    centre, band = columns_said(asked)
    where = "where all of the group's runs are" if least_share(asked) == 1 else _AS_LONG
    said = [f"thick: {centre}, {where}"]
    said += [f"band: {band}"] if band else []
    said += ["thin: each run"] if asked.has_members else []
    return " · ".join(said)


_AS_LONG = "as long as half of the group's runs last"


def _said_of_paths(asked: Asked) -> str | None:
    """Return how points are paired along a metric; ``None`` along anything else."""
    if not asked.place.metric:
        return None
    name = escape(plain(asked.place.metric))
    itself = " It is not drawn along itself." if asked.place.metric in asked.metrics else ""
    return (
        "A path a run: arrows point to later steps, a dot is where it ends. Each value stands at the last "
        f"value of {name} at or before its step.{itself}"
    )


def _said_of_cut(metric: str, runs: Sequence[str]) -> str:
    """Return which runs go beyond a y-axis, and how to see them."""
    named = ", ".join(escape(plain(run)) for run in runs[:_MOST_NAMED])
    more = f" and {len(runs) - _MOST_NAMED:,} more" if len(runs) > _MOST_NAMED else ""
    return (
        f"{escape(plain(metric))}: the y-axis is that of the other runs; {named}{more} "
        f"{'goes' if len(runs) == 1 else 'go'} far beyond it. *Outliers* under *Curves* shows them whole."
    )


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
