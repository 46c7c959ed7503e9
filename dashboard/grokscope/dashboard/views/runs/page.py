"""All runs of an experiment in a table: filter, sort, select, go on."""

from dataclasses import dataclass

import polars as pl
import streamlit as st

from grokscope.dashboard.component.chart import note
from grokscope.dashboard.component.chart_data import said_of_steps, said_of_units
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.component.page_shell import refreshing
from grokscope.dashboard.component.roles_section import roles_section
from grokscope.dashboard.component.table import NOTHING, ROW_HEIGHT, columns, runs_table
from grokscope.dashboard.state.data import Data, Snapshot
from grokscope.dashboard.words import phrases

_TABLE, _ORDER = "runs_table", "runs_order"
_WHOLE = 20
"""Up to this many rows are shown without scrolling inside the table."""

_COLUMNS = (
    "run", "status", "judged by", "held-out curve", "final", "pattern", "memorized", "onset", "onset 95 %",
    "delay", "delay ratio",
    "group", "seed",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filters:
    """What the controls above the table say."""

    text: str = ""
    patterns: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()

    def of(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that pass."""
        if self.text:
            found = [
                pl.col(c).str.to_lowercase().str.contains(self.text.lower(), literal=True)
                for c in ("run", "group")
            ]
            table = table.filter(pl.any_horizontal(found))
        if self.patterns:
            table = table.filter(pl.col("pattern").is_in(self.patterns))
        return table.filter(pl.col("status").is_in(self.statuses)) if self.statuses else table


def render(data: Data) -> None:
    """Draw the table, which follows runs in training; its filters stay as they are."""
    snapshot = data.snapshot()
    filters = _filters(runs_table(snapshot)) if snapshot.runs.height else _Filters()
    refreshing(data, lambda now: _page(data, now, filters))


def _page(data: Data, snapshot: Snapshot, filters: _Filters) -> None:
    table = _steady(filters.of(runs_table(snapshot)))
    if table.is_empty():
        st.info("No run matches these filters. Clear one of them.")
        return
    actions = st.container(horizontal=True, vertical_alignment="center", key="runs_actions")
    picked = st.dataframe(
        table,
        key=_TABLE,
        hide_index=True,
        column_config=columns(table),
        column_order=_COLUMNS,
        row_height=ROW_HEIGHT,
        placeholder=NOTHING,
        height="content" if table.height <= _WHOLE else _WHOLE * ROW_HEIGHT,
        selection_mode="multi-row",
        on_select="rerun",
        alt="All runs of the experiment with their verdicts",
    )
    rows: list[int] = [row for row in picked["selection"]["rows"] if row < table.height]
    st.session_state[_ORDER] = table["run_id"].to_list()
    with actions:
        _actions(data, table["run_id"].gather(rows).to_list(), table.height)
    note(said_of_units(snapshot, table["run_id"].to_list()))
    note(said_of_steps(snapshot, table["run_id"].to_list()))
    everything = table.drop("held-out curve")
    offer_downloads({"runs": everything}, key="runs")
    roles_section(data, snapshot)


def _steady(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table with its rows where they were, while some are ticked.

    Streamlit remembers ticks by row: a run that appears on top would hand them on to its neighbours.
    """
    ticked = st.session_state.get(_TABLE, {}).get("selection", {}).get("rows", [])
    known: list[str] = st.session_state.get(_ORDER, []) if ticked else []
    present = set(table["run_id"])
    if not known or not present.issuperset(known):
        return table
    order = {run: place for place, run in enumerate(known)}
    place = pl.col("run_id").replace_strict(order, default=len(order), return_dtype=pl.Int64())
    return table.sort(place, maintain_order=True)


def _filters(table: pl.DataFrame) -> _Filters:
    with st.container(horizontal=True, vertical_alignment="top", key="runs_filters"):
        text = st.text_input("Find", key="runs_text", placeholder="name or group", width=240)
        patterns = _pills("Pattern", table["pattern"], "runs_pattern")
        statuses = _pills("Status", table["status"], "runs_status")
    return _Filters(text=text, patterns=tuple(patterns), statuses=tuple(statuses))


def _pills(label: str, values: pl.Series, key: str) -> list[str]:
    options: list[str] = values.drop_nulls().unique().sort().to_list()
    return list(st.pills(label, options, selection_mode="multi", key=key) or [])


def _actions(data: Data, chosen: list[str], shown: int) -> None:
    if not chosen:
        st.caption(f"{phrases.counted(shown, 'run')} · tick rows to compare them, or one row to open it")
        return
    compare = f"Compare {phrases.counted(len(chosen), 'run')}"
    if st.button(compare, key="runs_compare", type="primary", disabled=len(chosen) < 2):  # noqa: PLR2004
        data.open_view("compare", chosen)
    if st.button("Open run", key="runs_open", disabled=len(chosen) != 1):
        data.open_view("run", chosen)
