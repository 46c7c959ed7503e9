"""The rail's selection in the page's address, and its controls following that."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from grokscope.dashboard.state.selection import KEYS, Query, Selection

_WRITTEN, _DRAWN = "rail_written", "rail_drawn"


def address() -> dict[str, list[str]]:
    """Return what the page's address says, each parameter with all of its values."""
    return {key: st.query_params.get_all(key) for key in st.query_params}


def write(selection: Selection) -> None:
    """Put the selection, as all controls show it, into the page's address."""
    _put(selection.query())
    st.session_state[_WRITTEN], st.session_state[_DRAWN] = selection.query(), selection


def is_followed(selection: Selection) -> bool:
    """Return whether the controls show what the address says: it was written by them, and not by a link."""
    return st.session_state.get(_WRITTEN) == selection.query()


def change(how: Callable[..., Selection], *arguments: Any) -> None:
    """Change the selection in the address, in a callback of a control; the other controls follow."""
    drawn: Selection | None = st.session_state.get(_DRAWN)
    if drawn is not None:
        changed = how(drawn, *arguments)
        _put(changed.query())
        st.session_state[_DRAWN] = changed  # what is clicked before the page is drawn anew goes on from here


def _put(query: Query) -> None:
    for key in KEYS:
        wanted, now = query.get(key), st.query_params.get_all(key)
        if wanted is None and now:
            del st.query_params[key]
        elif wanted is not None and now != ([wanted] if isinstance(wanted, str) else wanted):
            st.query_params[key] = wanted
