"""Groups of runs as rows of a table."""

from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.charts.elements.palette import SOLID
from grokscope.dashboard.charts.elements.quantity import is_in_percent, quantity_name
from grokscope.dashboard.charts.elements.swatch import swatch, swatches
from grokscope.dashboard.component.chart import note
from grokscope.dashboard.component.chart_data import colours_of
from grokscope.dashboard.component.table import NOTHING, ROW_HEIGHT
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.runs.groups import group_rows
from grokscope.interventions.survival.median import FEWEST

_WHOLE = 20
_MEDIAN = (
    "The step at which half of the group's runs had begun to generalize. Runs that have not count as later "
    "(Kaplan–Meier), so it is empty while fewer than half have."
)


def group_table(snapshot: Snapshot, runs: pl.DataFrame) -> pl.DataFrame:
    """Draw a row a group; return what it shows.

    Args:
        snapshot: The runs that are looked at.
        runs: Their rows of ``overview.runs_table``.
    """
    rows = _rows(snapshot, runs)
    looks, grey = swatches(colours_of(snapshot, palette())), swatch(palette().muted, SOLID)
    look = pl.col("group").replace_strict(looks, default=grey, return_dtype=pl.String()).alias("look")
    judged = runs["judged by"].drop_nulls().unique()
    is_percent = judged.len() > 0 and all(is_in_percent(quantity_name(name)) for name in judged)
    st.dataframe(
        rows.select(look, pl.exclude("share")),
        key="runs_groups_table",
        hide_index=True,
        column_config=_columns("percent" if is_percent else "%.4g"),
        row_height=ROW_HEIGHT,
        placeholder=NOTHING,
        height="content" if rows.height <= _WHOLE else (_WHOLE + 1) * ROW_HEIGHT,
        alt="Groups of runs: how many generalized, and when",
    )
    note("Groups are made on the left: Group by." if rows.height == 1 else None)
    return rows


def _columns(final: str) -> dict[str, Any]:
    config = st.column_config
    return {
        "look": config.ImageColumn("", width=34, pinned=True, help="The group's line in charts"),
        "group": config.TextColumn("Group", pinned=True),
        "runs": config.NumberColumn("Runs", width="small"),
        "generalized": config.TextColumn("Generalized", help="And have not lost it since"),
        "collapsed": config.NumberColumn("Lost again", help="They had learned it, and lost it"),
        "median onset": config.NumberColumn("Median onset", format="localized", help=_MEDIAN),
        "median 95 %": config.TextColumn(
            "95 % interval", help=f"Of the median; there is none below {FEWEST} runs"
        ),
        "median final": config.NumberColumn(
            "Median final level",
            format=final,
            help="Last value of the curve that runs are judged by, where it is one quantity for all",
        ),
    }


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs={Snapshot: lambda snapshot: snapshot.found})
def _rows(snapshot: Snapshot, _runs: pl.DataFrame) -> pl.DataFrame:
    return group_rows(snapshot, _runs)
