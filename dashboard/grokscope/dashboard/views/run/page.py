"""One run: what it did, in words and in curves that share their steps."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.component.chart import note
from grokscope.dashboard.component.chart_data import axis_of, said_of_steps
from grokscope.dashboard.component.page_shell import refreshing
from grokscope.dashboard.component.window import windowed
from grokscope.dashboard.state.data import Data, Snapshot
from grokscope.dashboard.state.phases import phase_of
from grokscope.dashboard.tables.overview import status_of
from grokscope.dashboard.tables.training_ends import Ends, training_ends
from grokscope.dashboard.views.run import facts as run_facts
from grokscope.dashboard.views.run.measures import leads_section, segments_section
from grokscope.dashboard.views.run.outcomes import outcomes
from grokscope.dashboard.views.run.panels import panels
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape
from grokscope.dashboard.words.patterns import PATTERN_WORDS, headline_of
from grokscope.dashboard.words.sentences import sentence
from grokscope.schemas import Verdict
from grokscope.schemas.runs.groups import UNGROUPED

_NO_CURVE = "No curve of this run has been logged yet."
_NONE_READ = (
    "None of this run's curves is read as a score or loss of a training or held-out set. "
    "The page Runs shows what each name is read as, and lets you change it."
)
_LONGEST = 1000
"""Of what is said of a run."""


def render(data: Data) -> None:
    """Draw the selected run, or the newest."""
    refreshing(data, lambda snapshot: _page(data, snapshot))


def _page(data: Data, snapshot: Snapshot) -> None:
    run_id = _picked(data, snapshot)
    verdict = snapshot.verdicts.get(run_id)
    run = snapshot.runs.row(by_predicate=pl.col("run_id") == run_id, named=True)
    raw = data.source.points([run_id])
    _verdict(verdict, raw)
    _state(run)
    note(said_of_steps(snapshot, [run_id]))
    run_facts.losses(data.source.tags(run_id))
    if verdict is not None:
        outcomes(verdict)
    curves, facts = st.columns([3, 1], gap="large")
    with curves:
        whole = axis_of(snapshot, run_ids=[run_id])
        panels(raw, snapshot, run_id, windowed(whole, key="run_window"))
        if raw.height:
            leads_section(raw, snapshot, run_id)
            segments_section(raw, run_id, whole, state=(run["step"], run["last_ms"]))
    with facts:
        if verdict is not None:
            run_facts.dates(verdict, in_thousandths=run_id in snapshot.in_thousandths)
            run_facts.by_definition(verdict, snapshot.curves.filter(pl.col("run_id") == run_id))
            run_facts.evidence(verdict)
        run_facts.params(data.source.params(run_id))


def _state(run: Mapping[str, Any]) -> None:
    of = f" of {phrases.steps(run['planned'])}" if run["planned"] else ""
    seed = "" if run["seed"] is None else f" · seed {run['seed']}"
    group = "" if run["group"] == UNGROUPED else f" · {escape(run['group'])}"
    st.caption(f"{status_of(run)} · step {phrases.steps(run['step'])}{of}{group}{seed}")


def _picked(data: Data, snapshot: Snapshot) -> str:
    labels: dict[str, str] = dict(snapshot.runs.select("run_id", "label").iter_rows())
    ids = list(labels)
    first = data.selection.runs[0] if data.selection.runs else ids[0]
    chosen = st.selectbox(
        "Run",
        ids,
        index=ids.index(first),
        format_func=labels.__getitem__,
        key=f"run_picker_{first}",
        label_visibility="collapsed",
        width=420,
    )
    if chosen != first:
        data.open_view("run", [chosen])
    return chosen


def _verdict(verdict: Verdict | None, points: pl.DataFrame) -> None:
    if verdict is None:
        st.write(_NO_CURVE if points.is_empty() else _NONE_READ)
        return
    words = PATTERN_WORDS[verdict.pattern]
    word = phase_of(verdict).value.capitalize() if verdict.in_progress else headline_of(verdict)
    ends: Ends = training_ends(points).get(verdict.run, {})
    said = sentence(verdict, trained=ends)
    st.markdown(f"**{word}.** {escape(said, limit=_LONGEST)}", help=f"{words.term}: {words.sentence}")
