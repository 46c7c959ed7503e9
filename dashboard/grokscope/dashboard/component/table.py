"""Tables: which columns, in which format."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.charts.elements.quantity import is_in_percent, quantity_name
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.runs import overview
from grokscope.dashboard.words.dates import DATES
from grokscope.dashboard.words.patterns import PATTERN_WORDS

ROW_HEIGHT = 36
NOTHING = "–"
_CURVES = (
    "The curve that the run is judged by, over steps on a log axis: scores from 0 to 1 as they are, others "
    "from their lowest to their highest value"
)
PATTERNS_SAID = "  \n".join(
    f"{words.word}: {words.sentence} In a query: pattern = {pattern}."
    for pattern, words in PATTERN_WORDS.items()
)


def columns(runs: pl.DataFrame) -> dict[str, Any]:
    """Return how the columns of ``runs_table`` and ``groups_table`` are shown.

    Args:
        runs: Rows of ``runs_table``: where all runs are judged by what is said in percent, their levels are.
    """
    judged = runs["judged by"].drop_nulls().unique()
    is_percent = judged.len() > 0 and all(is_in_percent(quantity_name(name)) for name in judged)
    final = "percent" if is_percent else "%.4g"
    return _run_columns(final) | _group_columns(final)


def _run_columns(final: str) -> dict[str, Any]:
    config = st.column_config
    return {
        "run_id": None,
        "run": config.TextColumn("Run", width=240, pinned=True),
        "status": config.TextColumn("Status", width="small"),
        "judged by": config.TextColumn("Judged by", help="The held-out curve of its verdict"),
        "held-out curve": config.LineChartColumn("Held-out curve", y_min=0, y_max=1, width=112, help=_CURVES),
        "pattern": config.TextColumn("Pattern", help=PATTERNS_SAID),
        **{
            name: config.NumberColumn(name.capitalize(), format="localized", help=words.sentence)
            for name, words in DATES.items()
        },
        "onset 95 %": config.TextColumn(label_of_column("onset 95 %"), help="Of the onset"),
        "delay": config.NumberColumn(
            "Delay", format="localized", help="Steps from memorized to the midpoint"
        ),
        "delay ratio": config.NumberColumn("Delay ×", format="%.1f×", help="Midpoint over memorized step"),
        "collapse": config.NumberColumn(
            "Collapse", format="localized", help="The held-out curve falls from what it had reached, for good"
        ),
        "final": config.NumberColumn("Final", format=final, help="Last value of the held-out curve"),
        "group": config.TextColumn("Group"),
        "seed": config.NumberColumn("Seed", format="%d", width="small"),
        "step": config.NumberColumn("Step", format="localized"),
    }


_LABELS: Mapping[str, str] = {
    "parent": "Part of",
    "judged by": "Judged by",
    "onset 95 %": "95 % interval",
    "delay ratio": "Delay ×",
    "commit": "Git commit",
}


def label_of_column(name: str) -> str:
    """Return what a column of ``tables.columns`` is called.

    >>> label_of_column("onset 95 %"), label_of_column("note")
    ('95 % interval', 'Note')
    """
    return _LABELS.get(name, name.capitalize())


def detail_columns(duration: str) -> dict[str, Any]:
    """Return how the columns of ``tables.details`` are shown.

    Args:
        duration: The unit that durations are given in.
    """
    config = st.column_config
    return {
        "look": config.ImageColumn("", width=34, pinned=True, help="The line of its group in charts"),
        "reviewed": config.TextColumn("Reviewed", width=110, help="What people decided, who and when"),
        "parent": config.TextColumn("Part of", help="The run that it is nested in"),
        "duration": config.NumberColumn(
            f"Duration, {duration}", format="%.3g", help="From its start to its end or its last sign of life"
        ),
        "commit": config.TextColumn("Git commit", width=92, help="Of the code, as MLflow noted it"),
        "tags": config.ListColumn("Tags", help="Those that people gave"),
        "note": config.TextColumn("Note", width="medium", help="MLflow's description of the run"),
    }


def value_column(label: str, values: pl.Series, *, is_percent: bool = False, said: str | None = None) -> Any:
    """Return how a column of numbers or texts is shown: a param, or the level of a metric."""
    if not values.dtype.is_numeric():
        return st.column_config.TextColumn(label, help=said)
    form = "percent" if is_percent else "%.6g"
    return st.column_config.NumberColumn(label, format=form, help=said)


def _group_columns(final: str) -> dict[str, Any]:
    config = st.column_config
    return {
        "runs": config.NumberColumn("Runs"),
        "grokked": config.NumberColumn("Grokked"),
        "median onset": config.NumberColumn(
            "Median onset", format="localized", help="Of the runs that grokked"
        ),
        "onset range": config.TextColumn("Onset range"),
        "median delay ratio": config.NumberColumn("Median delay ×", format="%.1f×"),
        "median final": config.NumberColumn(
            "Median final", format=final, help="Where all runs of a group are judged by one quantity"
        ),
    }


def runs_table(snapshot: Snapshot) -> pl.DataFrame:
    """Return ``overview.runs_table``, made once for all pages and whichever runs they show.

    The small curves are over the steps of all runs: they stay as they are whatever is shown beside them.
    """
    if snapshot.whole is None:
        return _runs_table(snapshot)
    shown: list[str] = snapshot.runs["run_id"].to_list()
    return _runs_table(snapshot.whole).filter(pl.col("run_id").is_in(shown))


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs={Snapshot: lambda snapshot: snapshot.found})
def _runs_table(snapshot: Snapshot) -> pl.DataFrame:
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
        column_config=columns(table),
        column_order=[
            "run",
            "held-out curve",
            "judged by",
            "pattern",
            "memorized",
            "onset",
            "onset 95 %",
            "delay ratio",
            "final",
        ],
        row_height=ROW_HEIGHT,
        placeholder=NOTHING,
        alt="Runs that finished last",
    )
