"""All runs of an experiment in a table: choose columns, sort, tick by id, act on what is ticked."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.charts.elements.palette import SOLID
from grokscope.dashboard.charts.elements.quantity import is_in_percent, quantity_name
from grokscope.dashboard.charts.elements.swatch import swatch, swatches
from grokscope.dashboard.component.chart import note
from grokscope.dashboard.component.chart_data import colours_of, said_of_steps, said_of_units
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.component.page_shell import refreshing
from grokscope.dashboard.component.report_section import report_section
from grokscope.dashboard.component.roles_section import roles_section
from grokscope.dashboard.component.table import (
    NOTHING,
    ROW_HEIGHT,
    columns,
    detail_columns,
    runs_table,
    value_column,
)
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.state.data import Data, Snapshot, SnapshotSource
from grokscope.dashboard.tables.runs.columns import CURVE, Shown, order_of, rows_of
from grokscope.dashboard.tables.runs.details import level_column, param_column, param_labels
from grokscope.dashboard.views.runs.bulk import actions
from grokscope.dashboard.views.runs.controls import controls
from grokscope.dashboard.views.runs.groups import group_table
from grokscope.dashboard.views.runs.ticks import follow, give_to_table, moved, take_from_table, ticked
from grokscope.dashboard.words.escaping import plain
from grokscope.dashboard.words.short_names import short_names
from grokscope.schemas import empty_points

_TABLE = "runs_table"
_WHOLE = 20
"""Up to this many rows are shown without scrolling inside the table."""

_LETTERS = 34
"""Of a run's name that the table has room for."""

_DURATIONS = ((2 * 3600.0, 3600.0, "h"), (120.0, 60.0, "min"), (0.0, 1.0, "s"))
"""From which median on durations are given in which unit, and its seconds."""


def render(data: Data) -> None:
    """Draw the table, which follows runs in training; ticks, columns and order stay as they are."""
    follow(data.selection)
    moved()
    refreshing(data, lambda snapshot: _page(data, snapshot))


def _page(data: Data, snapshot: Snapshot) -> None:
    if moved():
        st.rerun()
    runs = runs_table(snapshot)
    chosen = controls(data, runs)
    if chosen.is_of_groups:
        frame = group_table(snapshot, runs)
        offer_downloads({"groups": frame}, key="runs_groups")
    else:
        if chosen.patterns:
            runs = runs.filter(pl.col("pattern").is_in(chosen.patterns))
        _runs(data, snapshot, chosen.shown, patterns=chosen.patterns)
    note(said_of_units(snapshot, runs["run_id"].to_list()))
    note(said_of_steps(snapshot, runs["run_id"].to_list()))
    roles_section(data, snapshot)


def _runs(data: Data, snapshot: Snapshot, shown: Shown, *, patterns: Sequence[str]) -> None:
    """Draw the table of runs, what can be done to those that are ticked, and the data of both."""
    table = _rows(snapshot, data.source, shown)
    if patterns:
        table = table.filter(pl.col("pattern").is_in(patterns))
    order: list[str] = table["run_id"].to_list()
    above = st.container(key="runs_above")
    give_to_table(_TABLE, order)
    _table(snapshot, table, shown)
    known = set(order)
    chosen = [run for run in ticked() if run in known]
    with above:
        actions(data, snapshot, chosen, shown=table.height)
    everything = _written(table)
    frames = {"runs": everything}
    if chosen:
        frames["ticked runs"] = everything.filter(pl.col("run_id").is_in(chosen))
    offer_downloads(frames, key="runs")
    if not chosen:
        told = runs_table(snapshot).filter(pl.col("run_id").is_in(order))
        report_section(snapshot, told, key="runs_report")


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs={Snapshot: lambda snapshot: snapshot.found})
def _rows(snapshot: Snapshot, _source: SnapshotSource, shown: Shown) -> pl.DataFrame:
    """Return ``columns.rows_of``, made once for what one reading found."""
    needed, ids = shown.needed(), snapshot.runs["run_id"].to_list()
    points = _source.points(ids, needed) if needed else empty_points()
    return rows_of(snapshot, runs_table(snapshot), shown, points)


def _table(snapshot: Snapshot, table: pl.DataFrame, shown: Shown) -> None:
    order = order_of(table, shown)
    seconds, unit = _duration_unit(table["duration"])
    looks = swatches(colours_of(snapshot, palette()))
    grey = swatch(palette().muted, SOLID)
    frame = table.with_columns(
        pl.col("group").replace_strict(looks, default=grey, return_dtype=pl.String()).alias("look"),
        pl.Series("run", short_names(table["run"].to_list(), most=_LETTERS)),
        pl.col("duration") / seconds,
        pl.col(CURVE).cast(pl.List(pl.Float32())),
    )
    st.dataframe(
        frame.select("look", *order),
        key=_TABLE,
        hide_index=True,
        column_config=columns(table) | detail_columns(unit) | _value_columns(table, shown),
        row_height=ROW_HEIGHT,
        placeholder=NOTHING,
        height="content" if table.height <= _WHOLE else (_WHOLE + 1) * ROW_HEIGHT,
        selection_mode="multi-row",
        on_select=lambda: take_from_table(_TABLE),
        alt="Runs of the experiment with their verdicts",
    )


def _value_columns(table: pl.DataFrame, shown: Shown) -> dict[str, Any]:
    labels = param_labels(shown.params)
    params = {param_column(name): (label, plain(name), False) for name, label in labels.items()}
    levels = {
        level_column(metric, name): (f"{plain(metric)} {name}", None, is_in_percent(quantity_name(metric)))
        for metric in shown.metrics
        for name in shown.statistics
    }
    return {
        column: value_column(label, table[column], is_percent=is_percent, said=said)
        for column, (label, said, is_percent) in (params | levels).items()
        if column in table.columns
    }


def _duration_unit(seconds: pl.Series) -> tuple[float, str]:
    """Return the unit that suits durations, in seconds, and its name."""
    median = seconds.median()
    typical = median if isinstance(median, float) else 0.0
    return next((factor, unit) for least, factor, unit in _DURATIONS if typical >= least)


def _written(table: pl.DataFrame) -> pl.DataFrame:
    """Return what a file has of the runs: all that a reader chose, tags as one text, no pictures."""
    return table.drop(CURVE).with_columns(pl.col("tags").list.join("; "))
