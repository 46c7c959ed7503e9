"""Which measures changed before the held-out curve rose, over all runs that have a delay."""

from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.charts.leads import FARTHEST, pooled_leads_chart
from grokscope.dashboard.component.chart import note, show
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.component.page_shell import refreshing
from grokscope.dashboard.component.table import NOTHING, ROW_HEIGHT
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.state.data import Data, Snapshot
from grokscope.dashboard.tables.leads import (
    FEWEST_CONFIGURATIONS,
    FIRST_MEASURES,
    MEANING_OF_LEADS,
    Leads,
    first_of,
    has_lead,
    leads_of,
    said_of_p,
)
from grokscope.dashboard.words import phrases

_MOST_RUNS, _MOST_MEASURES = 200, 60
_SURE = 0.05
_HINDSIGHT = (
    "When a measure changed is known only once it has changed: this ranks measures afterwards and is no "
    "alarm. What only follows memorization stands near it, whether the run generalizes later or not; that "
    "is why measures of the training set are grey."
)


def render(data: Data) -> None:
    """Draw the measures of the selected runs, or of all, the earliest first."""
    refreshing(data, lambda snapshot: _page(data, snapshot))


def _page(data: Data, snapshot: Snapshot) -> None:
    asked = list(data.selection.runs) or snapshot.runs["run_id"].to_list()
    usable = [run for run in asked if has_lead(snapshot.verdicts.get(run))]
    with st.container(horizontal=True, vertical_alignment="bottom", key="measures_controls"):
        leads = _pooled(data, snapshot, asked, usable[:_MOST_RUNS])
        rows = _rows(leads)
    if rows.is_empty():
        _nothing(leads, asked)
        return
    st.markdown(MEANING_OF_LEADS)
    st.caption(f"{_said_of_runs(leads, len(asked))} {said_of_p(leads.configurations)}")
    spec = _chart(leads, rows)
    note(
        phrases.cut(
            len(usable[:_MOST_RUNS]), len(usable), "runs with a delay", rest="Select runs on the page Runs."
        )
    )
    st.caption(_HINDSIGHT)
    _table(leads, rows, spec)
    _left_out(leads, len(asked))


def _rows(leads: Leads) -> pl.DataFrame:
    """Return the measures to show: the first, or all where that is asked for."""
    first = first_of(leads.pooled)
    if first.height == leads.pooled.height:
        return first
    is_all = st.toggle(
        f"All {leads.pooled.height} measures",
        key="measures_all",
        help=f"First shown are the {FIRST_MEASURES} earliest of those that at least "
        f"{FEWEST_CONFIGURATIONS} configurations have.",
        persist_state="session",
    )
    return leads.pooled if is_all else first


def _said_of_runs(leads: Leads, asked: int) -> str:
    runs = leads.members["run_id"].n_unique()
    return (
        f"{runs:,} of {phrases.counted(asked, 'run')} {'has' if runs == 1 else 'have'} a delay to count in."
    )


def _pooled(data: Data, snapshot: Snapshot, asked: list[str], usable: list[str]) -> Leads:
    by = "group"
    if usable:
        by = st.segmented_control(
            "Counted as one configuration",
            ["group", "run"],
            default="group",
            required=True,
            key="leads_by",
            help="group: runs that differ in the seed alone count once, so the p-values tell whether a lead "
            "holds for other settings. run: each run counts, so they tell whether it holds for other seeds "
            "of these settings.",
        )
    mine = snapshot.runs.filter(pl.col("run_id").is_in(asked))
    state = tuple(mine.select("run_id", "step", "last_ms", "group").rows())
    return _cached(data, snapshot, asked, usable, by=by or "group", state=state)


@st.cache_data(max_entries=16, show_spinner="Comparing all measures …")
def _cached(
    _data: Data, _snapshot: Snapshot, _asked: list[str], usable: list[str], *, by: str, state: tuple[Any, ...]
) -> Leads:
    own = {run: run if by == "run" else group for run, _, _, group in state}
    points = _data.source.points(usable) if usable else _snapshot.curves.clear()
    mine = [*usable, *(run for run in _asked if not has_lead(_snapshot.verdicts.get(run)))]
    return leads_of(points, _snapshot, mine, configurations=own)


def _nothing(leads: Leads, asked: list[str]) -> None:
    st.info(
        "No run has both a delay and a measure that changed after memorization, so there is nothing to rank. "
        "A delay needs a run that memorized first and generalized later."
    )
    _left_out(leads, len(asked))


def _chart(leads: Leads, rows: pl.DataFrame) -> dict[str, Any]:
    sure = (pl.col("q_value") <= _SURE) & (pl.col("worst_p_value").fill_null(1.0) <= 2 * _SURE)
    drawn = rows.with_columns(at=-pl.col("median"), sure=sure)
    shown = drawn.head(_MOST_MEASURES)
    spec = show(
        pooled_leads_chart,
        shown,
        leads.members.select("run", "measure", "label", "half"),
        key="leads_chart",
        text="When each measure was half-way through its change: median over runs, in delays from the "
        "midpoint of the held-out rise",
        palette=palette(),
    )
    st.caption(_key(drawn))
    note(phrases.cut(shown.height, drawn.height, "measures", rest="The table holds all."))
    return spec


def _key(rows: pl.DataFrame) -> str:
    beyond = rows.filter((pl.col("earliest") < -FARTHEST) | (pl.col("latest") > FARTHEST)).height
    edge = f" · what is more than {FARTHEST:g} delays away is drawn at the edge" if beyond else ""
    return (
        "● median, shown to lie before or after the rise (adjusted p ≤ 0.05, and p ≤ 0.1 without any one "
        f"configuration) · ○ median, not shown so · line: all runs · tick: a run{edge}"
    )


def _table(leads: Leads, rows: pl.DataFrame, spec: dict[str, Any]) -> None:
    has_p = leads.configurations > 1
    table = _written(rows, has_p=has_p)
    shown = table.select(
        name for name in table.columns if has_p or name not in ("p", "adjusted p", "highest p, one left out")
    )
    st.dataframe(
        shown,
        key="leads_table",
        hide_index=True,
        column_config=_columns(),
        row_height=ROW_HEIGHT,
        placeholder=NOTHING,
        alt="How much earlier than the held-out rise each measure changed, over runs, with p-values",
    )
    written = _written(leads.pooled, has_p=has_p)
    offer_downloads(
        {"measures by run": leads.members.drop("run_id"), "measures": written}, key="leads", specs=[spec]
    )


def _written(rows: pl.DataFrame, *, has_p: bool) -> pl.DataFrame:
    """Return measures as they stand in the table and in files; p-values are empty where none can be told."""
    table = rows.select(
        "measure",
        "label",
        pl.col("median").alias("median lead"),
        (-pl.col("latest")).alias("smallest"),
        (-pl.col("earliest")).alias("largest"),
        "runs",
        "configurations",
        pl.col("p_value").alias("p"),
        pl.col("q_value").alias("adjusted p"),
        pl.col("worst_p_value").alias("highest p, one left out"),
        pl.col("lowest").alias("lowest median, one left out"),
        pl.col("highest").alias("highest median, one left out"),
    )
    empty = pl.lit(None, dtype=pl.Float64)
    return table if has_p else table.with_columns(empty.alias(name) for name in ("p", "adjusted p"))


def _columns() -> dict[str, Any]:
    return _lead_columns() | _p_columns()


def _lead_columns() -> dict[str, Any]:
    config, lead = st.column_config, "%.2f"
    return {
        "measure": config.TextColumn(
            "Measure", width="medium", pinned=True, help="The metric as it is logged"
        ),
        "label": config.TextColumn("What it is", width="medium"),
        "median lead": config.NumberColumn(
            "Lead",
            format=lead,
            help="Delays before the midpoint of the rise, median over runs; below 0: after",
        ),
        "smallest": config.NumberColumn("Smallest", format=lead, help="Lead of the run with the smallest"),
        "largest": config.NumberColumn("Largest", format=lead, help="Lead of the run with the largest"),
        "runs": config.NumberColumn("Runs", width="small", help="In which it changed after memorization"),
        "configurations": config.NumberColumn("Configurations", width=120, help="That these runs have"),
    }


def _p_columns() -> dict[str, Any]:
    config, lead = st.column_config, "%.2f"
    out = "The median of the runs without one configuration, whichever gives the "
    return {
        "p": config.NumberColumn(
            "p",
            format="%.3f",
            help="How often a median so far from 0 comes about if before and after are equally likely for "
            "every configuration",
        ),
        "adjusted p": config.NumberColumn(
            "Adjusted p",
            format="%.3f",
            help="p for so many measures at once (Benjamini–Hochberg): of those that are called earlier or "
            "later up to 0.05, 5 % are so by chance",
        ),
        "highest p, one left out": config.NumberColumn(
            "p without one",
            format="%.3f",
            help="The highest p when one configuration is left out: whether a single one makes the lead",
        ),
        "lowest median, one left out": config.NumberColumn(
            "Lowest without one", format=lead, help=f"{out}lowest"
        ),
        "highest median, one left out": config.NumberColumn(
            "Highest without one", format=lead, help=f"{out}highest"
        ),
    }


def _left_out(leads: Leads, asked: int) -> None:
    out = leads.left_out
    if out.is_empty():
        return
    which = "Why the run is left out" if asked == 1 else f"{out.height} of {asked} runs are left out, and why"
    with st.expander(which, key="leads_left_out"):
        st.dataframe(out, hide_index=True, key="leads_left_out_table", alt="Runs left out of the leads")
