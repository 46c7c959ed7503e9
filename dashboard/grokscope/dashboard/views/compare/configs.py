"""In what the compared runs differ: params and code, side by side."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from grokscope.dashboard.component.chart import note
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.state.narrowing import by_run
from grokscope.dashboard.tables.config_diff import MOST_COLUMNS, config_diff, same_in_all
from grokscope.dashboard.words import phrases


def config_section(snapshot: Snapshot, chosen: Sequence[str]) -> None:
    """Draw the rows in which the first of the chosen runs differ; nothing for less than two."""
    runs = list(chosen)[:MOST_COLUMNS]
    if len(runs) < 2:  # noqa: PLR2004 - nothing to compare
        return
    st.subheader("Configs that differ", anchor=False)
    named = dict(snapshot.runs.select("run_id", "label").iter_rows())
    params, tags = _of(snapshot.params, runs), _of(snapshot.tags, runs)
    table = config_diff({run: named[run] for run in runs}, params, tags)
    if table.is_empty():
        st.write(_same(params))
    else:
        st.dataframe(
            table,
            key="compare_configs",
            hide_index=True,
            height="content",
            column_config={"name": st.column_config.TextColumn("Name", pinned=True)},
            alt="Params and code versions in which the runs differ, a column a run",
        )
    note(_said(params, len(runs), len(chosen)))


def _of(pairs: pl.DataFrame, runs: Sequence[str]) -> dict[str, dict[str, str]]:
    known = by_run(pairs.filter(pl.col("run_id").is_in(runs)))
    return {run: known.get(run, {}) for run in runs}


def _said(params: dict[str, dict[str, str]], shown: int, of: int) -> str:
    same = same_in_all(list(params.values()))
    told = f"{phrases.counted(same, 'param')} equal in all." if same else None
    rest = "Select up to eight on the page Runs to see others."
    return " ".join(filter(None, [told, phrases.cut(shown, of, "runs", rest=rest)]))


def _same(params: dict[str, dict[str, str]]) -> str:
    if any(params.values()):
        return "These runs have the same params and the same code, as far as they have logged them."
    return "These runs have logged no params, so in what their settings differ cannot be told."
