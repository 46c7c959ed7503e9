"""Tables: which columns, in which format."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables import overview
from grokscope.dashboard.words.dates import DATES
from grokscope.dashboard.words.patterns import PATTERN_WORDS

ROW_HEIGHT = 36
NOTHING = "–"
PATTERNS_SAID = "  \n".join(f"{words.term}: {words.sentence}" for words in PATTERN_WORDS.values())


def columns() -> dict[str, Any]:
    """Return how the columns of ``runs_table`` and ``groups_table`` are shown."""
    return _run_columns() | _group_columns()


def _run_columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "run_id": None,
        "run": config.TextColumn("Run", width="medium"),
        "status": config.TextColumn("Status", width="small"),
        "test accuracy": config.LineChartColumn("Test accuracy", y_min=0, y_max=1, width=112),
        "pattern": config.TextColumn("Pattern", help=PATTERNS_SAID),
        **{
            name: config.NumberColumn(name.capitalize(), format="localized", help=words.sentence)
            for name, words in DATES.items()
        },
        "onset 95 %": config.TextColumn("95 % interval", help="Of the onset"),
        "delay": config.NumberColumn(
            "Delay", format="localized", help="Steps from memorized to the midpoint"
        ),
        "delay ratio": config.NumberColumn("Delay ×", format="%.1f×", help="Midpoint over memorized step"),
        "final test": config.NumberColumn("Final test", format="percent"),
        "group": config.TextColumn("Group"),
        "seed": config.NumberColumn("Seed", format="%d", width="small"),
        "step": config.NumberColumn("Step", format="localized"),
    }


def _group_columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "runs": config.NumberColumn("Runs"),
        "grokked": config.NumberColumn("Grokked"),
        "median onset": config.NumberColumn(
            "Median onset", format="localized", help="Of the runs that grokked"
        ),
        "onset range": config.TextColumn("Onset range"),
        "median delay ratio": config.NumberColumn("Median delay ×", format="%.1f×"),
        "median final test": config.NumberColumn("Median final test", format="percent"),
    }


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs={Snapshot: lambda snapshot: snapshot.found})
def runs_table(snapshot: Snapshot) -> pl.DataFrame:
    """Return ``overview.runs_table``, made once for all pages that show what one reading found."""
    return overview.runs_table(snapshot)


def finished_table(snapshot: Snapshot, run_ids: Sequence[str], *, key: str) -> None:
    """Draw a short table of the given runs, in their order."""
    table = runs_table(snapshot)
    place = {run: i for i, run in enumerate(run_ids)}
    rows = table.filter(pl.col("run_id").is_in(list(run_ids))).sort(
        pl.col("run_id").replace_strict(place, return_dtype=pl.Int64())
    )
    st.dataframe(
        rows,
        key=key,
        hide_index=True,
        column_config=columns(),
        column_order=[
            "run",
            "test accuracy",
            "pattern",
            "memorized",
            "onset",
            "onset 95 %",
            "delay ratio",
            "final test",
        ],
        row_height=ROW_HEIGHT,
        placeholder=NOTHING,
        alt="Runs that finished last",
    )
