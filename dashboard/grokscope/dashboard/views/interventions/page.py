"""Which training choice reaches a degree of generalization for the least compute."""

import streamlit as st

from grokscope.dashboard.component.page_shell import refreshing
from grokscope.dashboard.state.data import Data, Snapshot
from grokscope.dashboard.state.narrowing import narrowed, settings_of_several
from grokscope.dashboard.views.interventions.computed import rows_of
from grokscope.dashboard.views.interventions.controls import asked_of
from grokscope.dashboard.views.interventions.further import draw_further
from grokscope.dashboard.views.interventions.overview import draw_overview
from grokscope.dashboard.views.interventions.phase import draw_phase

_NOTHING = (
    "Nothing can be told of these runs: none has a held-out curve with a verdict, or an evaluation of the "
    "metric. Log one, or choose *metric* under *Until* and name a level of what they have logged."
)

_OTHER_SETTINGS = (
    "Phase diagrams, laws, levels and forecasts put runs with one value of a param together, whichever "
    "experiment they are of. These experiments differ in their setting, so none is drawn: choose one of "
    "them, or find the runs of one setting."
)


def render(data: Data) -> None:
    """Draw what each group of runs spends until it generalizes, and what follows from that."""
    refreshing(data, lambda snapshot: _page(data, snapshot))


def _page(data: Data, snapshot: Snapshot) -> None:
    chosen = data.selection.runs
    snapshot = narrowed(snapshot, chosen) if chosen else snapshot
    if not snapshot.verdicts:
        st.info("No run has curves that can be judged yet. The first verdicts appear here by themselves.")
        return
    answer = st.container(key="interventions_answer")
    asked = asked_of(data, snapshot)
    if chosen and st.button(f"Only {snapshot.runs.height} selected · show all", key="interventions_all"):
        data.open_view("interventions", [])
    if rows_of(asked.snapshot, asked.goal, asked.unit, data.source).is_empty():
        answer.info(_NOTHING)
        return
    groups = draw_overview(data, asked, answer=answer)
    if settings_of_several(asked.snapshot):
        st.info(_OTHER_SETTINGS)
        return
    draw_phase(data, asked, groups.budget)
    draw_further(data, asked, groups)
