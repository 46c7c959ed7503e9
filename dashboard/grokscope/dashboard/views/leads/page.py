"""Which measure moved first, over runs: medians, ranges, and how far chance explains them."""

from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.charts.leads import FARTHEST, pooled_leads_chart
from grokscope.dashboard.component.chart import note, show
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.component.page_shell import palette, refreshing
from grokscope.dashboard.component.table import NOTHING, ROW_HEIGHT
from grokscope.dashboard.state.data import Data, Snapshot
from grokscope.dashboard.tables.leads import MEANING_OF_LEADS, Leads, has_lead, leads_of, said_of_p
from grokscope.dashboard.words import phrases

_MOST_RUNS, _MOST_MEASURES = 200, 60
_SURE = 0.05
_HINDSIGHT = (
    "In hindsight: a measure's change is known when it is over, so this ranks measures and is no alarm. "
    "What merely follows memorization stands there, whatever comes later; measures of the training set are "
    "grey for that reason."
)


def render(data: Data) -> None:
    """Draw the leads of the selected runs, or of all."""
    refreshing(data, lambda snapshot: _page(data, snapshot))


def _page(data: Data, snapshot: Snapshot) -> None:
    asked = list(data.selection.runs) or snapshot.runs["run_id"].to_list()
    usable = [run for run in asked if has_lead(snapshot.verdicts.get(run))]
    leads = _pooled(data, snapshot, asked, usable[:_MOST_RUNS])
    if leads.pooled.is_empty():
        _nothing(leads, asked)
        return
    st.markdown(MEANING_OF_LEADS)
    runs = leads.members["run_id"].n_unique()
    st.caption(f"{_counted(runs, 'run')} · {said_of_p(leads.configurations)}")
    spec = _chart(leads)
    note(
        phrases.cut(
            len(usable[:_MOST_RUNS]), len(usable), "runs with a delay", rest="Select runs on the page Runs."
        )
    )
    st.caption(_HINDSIGHT)
    _table(leads, spec)
    _left_out(leads, len(asked))


def _pooled(data: Data, snapshot: Snapshot, asked: list[str], usable: list[str]) -> Leads:
    by = "group"
    if usable:
        by = st.segmented_control(
            "One configuration is",
            ["group", "run"],
            default="group",
            required=True,
            key="leads_by",
            help="group: does the lead hold over configurations? run: does it hold over seeds of these?",
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
        "No run has both a delay and a measure that moved after memorization: nothing can be told about "
        "which moved first."
    )
    _left_out(leads, len(asked))


def _chart(leads: Leads) -> dict[str, Any]:
    sure = (pl.col("q_value") <= _SURE) & (pl.col("worst_p_value").fill_null(1.0) <= 2 * _SURE)
    rows = leads.pooled.with_columns(at=-pl.col("median"), sure=sure)
    shown = rows.head(_MOST_MEASURES)
    spec = show(
        pooled_leads_chart,
        shown,
        leads.members.select("run", "measure", "label", "half"),
        key="leads_chart",
        text="Median position of every measure over runs, in delays before half of the held-out rise",
        palette=palette(),
    )
    st.caption(_key(rows))
    note(phrases.cut(shown.height, rows.height, "measures", rest="The table holds all."))
    return spec


def _key(rows: pl.DataFrame) -> str:
    beyond = rows.filter((pl.col("earliest") < -FARTHEST) | (pl.col("latest") > FARTHEST)).height
    edge = f" · beyond {FARTHEST:g} delays drawn at the edge" if beyond else ""
    return (
        "● median whose sign is significant (q ≤ 0.05, adjusted for all measures, and p ≤ 0.1 whichever "
        "configuration is left out) · "
        f"○ median whose sign is not · line: all runs · ticks: each run{edge}"
    )


def _table(leads: Leads, spec: dict[str, Any]) -> None:
    pooled = leads.pooled
    table = pooled.select(
        "measure",
        "label",
        pl.col("median").alias("median lead"),
        (-pl.col("latest")).alias("smallest"),
        (-pl.col("earliest")).alias("largest"),
        "runs",
        "configurations",
        pl.col("p_value").alias("p"),
        pl.col("q_value").alias("q"),
        pl.col("lowest").alias("least, one left out"),
        pl.col("highest").alias("most, one left out"),
        pl.col("worst_p_value").alias("worst p"),
    )
    if leads.configurations <= 1:
        table = table.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in ("p", "q"))
    st.subheader("Leads in delays", anchor=False)
    st.dataframe(
        table,
        key="leads_table",
        hide_index=True,
        column_config=_columns(),
        row_height=ROW_HEIGHT,
        placeholder=NOTHING,
        alt="Leads of all measures over runs, with permutation p-values and leave-one-configuration-out",
    )
    offer_downloads(
        {"leads by run": leads.members.drop("run_id"), "pooled leads": table}, key="leads", specs=[spec]
    )


def _columns() -> dict[str, Any]:
    config = st.column_config
    lead = "%.2f"
    out = "Over all sets that leave one configuration out"
    return {
        "measure": config.TextColumn("Measure", width="medium"),
        "label": config.TextColumn("What it is", width="medium"),
        "median lead": config.NumberColumn("Median", format=lead, help="Positive: it moved first"),
        "smallest": config.NumberColumn("Smallest", format=lead, help="Over runs"),
        "largest": config.NumberColumn("Largest", format=lead, help="Over runs"),
        "runs": config.NumberColumn("Runs", width="small"),
        "configurations": config.NumberColumn("Configurations", width=120),
        "p": config.NumberColumn("p", format="%.3f", help="Permutation of the configurations' signs"),
        "q": config.NumberColumn("q", format="%.3f", help="p adjusted for all measures (Benjamini–Hochberg)"),
        "least, one left out": config.NumberColumn("Least median", format=lead, help=out),
        "most, one left out": config.NumberColumn("Most median", format=lead, help=out),
        "worst p": config.NumberColumn("Worst p", format="%.3f", help=out),
    }


def _left_out(leads: Leads, asked: int) -> None:
    out = leads.left_out
    if out.is_empty():
        return
    runs = "The run has" if asked == 1 else f"{out.height} of {asked} runs have"
    with st.expander(f"{runs} no part in this, and why", key="leads_left_out"):
        st.dataframe(out, hide_index=True, key="leads_left_out_table", alt="Runs left out of the leads")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
