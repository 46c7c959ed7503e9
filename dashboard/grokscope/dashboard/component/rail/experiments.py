"""The rail's choice of experiments: mostly one, as a list to pick from; several, as names to add to."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from grokscope.dashboard.component.address import ONE_BY_ONE
from grokscope.dashboard.component.rail.following import change
from grokscope.dashboard.state.selection import MOST_EXPERIMENTS, Selection, of_experiments
from grokscope.dashboard.words.escaping import plain

_ONE, _MORE, _SEVERAL = "rail_experiment", "rail_more", "rail_experiments"


def experiments(selection: Selection, names: Sequence[str]) -> Selection:
    """Draw the choice of experiments; return the selection with those that are chosen.

    Args:
        selection: What the address says.
        names: All experiments of the store, one or more, the newest activity first.
    """
    now = [name for name in selection.experiments if name in names] or [names[0]]
    if len(now) == 1:
        _one(now[0], names)
    else:
        st.session_state[_SEVERAL] = now
        st.multiselect(
            "Experiments",
            names,
            format_func=plain,
            key=_SEVERAL,
            max_selections=MOST_EXPERIMENTS,
            wrap=True,
            on_change=_choose,
            args=(_SEVERAL,),
            **ONE_BY_ONE,
        )
    return replace(selection, experiments=tuple(now))


def _one(now: str, names: Sequence[str]) -> None:
    st.session_state[_ONE], st.session_state[_MORE] = now, []
    st.selectbox("Experiment", names, format_func=plain, key=_ONE, on_change=_choose, args=(_ONE,))
    if len(names) == 1:
        return
    with st.popover(
        "Look at several experiments at once",
        icon=":material/add:",
        help="Look at several experiments at once",
        type="tertiary",
        key="rail_more_box",
    ):
        st.multiselect(
            "Beside it",
            [name for name in names if name != now],
            format_func=plain,
            key=_MORE,
            max_selections=MOST_EXPERIMENTS - 1,
            placeholder="other experiments",
            on_change=_choose,
            args=(_ONE, _MORE),
            **ONE_BY_ONE,
        )


def _choose(*controls: str) -> None:
    chosen = [st.session_state[key] for key in controls]
    names = [name for one in chosen for name in ([one] if isinstance(one, str) else one)]
    if names:
        change(of_experiments, names)
