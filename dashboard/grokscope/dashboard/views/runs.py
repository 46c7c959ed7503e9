"""All runs of an experiment in a table: filter, sort, select, go on."""

import polars as pl
import streamlit as st

from grokscope.dashboard.data import Data
from grokscope.dashboard.tables import runs_table
from grokscope.dashboard.views.frame import ready
from grokscope.dashboard.views.grid import NOTHING, ROW_HEIGHT, columns

_WHOLE = 20
"""Up to this many rows are shown without scrolling inside the table."""

_COLUMNS = (
    "run", "status", "test accuracy", "pattern", "memorized", "onset", "onset 95 %", "delay", "delay ratio",
    "final test", "group", "seed",
)  # fmt: skip


def render(data: Data) -> None:
    """Draw the table."""
    snapshot = data.snapshot()
    if not ready(snapshot):
        return
    table = _filtered(runs_table(snapshot))
    if table.is_empty():
        st.info("No run matches these filters. Clear one of them.")
        return
    actions = st.container(horizontal=True, vertical_alignment="center", key="runs_actions")
    picked = st.dataframe(
        table,
        key="runs_table",
        hide_index=True,
        column_config=columns(),
        column_order=_COLUMNS,
        row_height=ROW_HEIGHT,
        placeholder=NOTHING,
        height="content" if table.height <= _WHOLE else _WHOLE * ROW_HEIGHT,
        selection_mode="multi-row",
        on_select="rerun",
        alt="All runs of the experiment with their verdicts",
    )
    rows: list[int] = [row for row in picked["selection"]["rows"] if row < table.height]
    with actions:
        _actions(data, table["run_id"].gather(rows).to_list(), table.height)


def _filtered(table: pl.DataFrame) -> pl.DataFrame:
    with st.container(horizontal=True, vertical_alignment="top", key="runs_filters"):
        text = st.text_input("Find", key="runs_text", placeholder="name or group", width=240)
        patterns = _pills("Pattern", table["pattern"], "runs_pattern")
        statuses = _pills("Status", table["status"], "runs_status")
    if text:
        found = [
            pl.col(c).str.to_lowercase().str.contains(text.lower(), literal=True) for c in ("run", "group")
        ]
        table = table.filter(pl.any_horizontal(found))
    if patterns:
        table = table.filter(pl.col("pattern").is_in(patterns))
    return table.filter(pl.col("status").is_in(statuses)) if statuses else table


def _pills(label: str, values: pl.Series, key: str) -> list[str]:
    options: list[str] = values.drop_nulls().unique().sort().to_list()
    return list(st.pills(label, options, selection_mode="multi", key=key) or [])


def _actions(data: Data, chosen: list[str], shown: int) -> None:
    if not chosen:
        st.caption(
            f"{shown} {'run' if shown == 1 else 'runs'} · tick rows to compare them, or one row to open it"
        )
        return
    if st.button(f"Compare {len(chosen)} runs", key="runs_compare", type="primary", disabled=len(chosen) < 2):  # noqa: PLR2004
        data.open_view("compare", chosen)
    if st.button("Open run", key="runs_open", disabled=len(chosen) != 1):
        data.open_view("run", chosen)
