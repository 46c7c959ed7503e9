"""How a query can go on, offered below the search while it is typed."""

from typing import Any, cast

import streamlit as st
from streamlit.components.v2 import component

from grokscope.dashboard.component.registration import COMPLETION, is_registered
from grokscope.dashboard.state.data import Snapshot, SnapshotSource
from grokscope.dashboard.state.search import names_in
from grokscope.schemas.runs.query import Names, complete

_ELEMENT, _TYPED = "rail_completion", "rail_typed"
_MOST = 8
_LONGEST = 1000


@st.fragment
def completion(snapshot: Snapshot, source: SnapshotSource, *, field: str) -> None:
    """Draw the list, empty until somebody types; without its script the search is as good as before.

    Args:
        snapshot: The runs that are searched.
        source: Knows their metrics.
        field: Key of the search's field.
    """
    if not is_registered():
        return
    text, cursor = st.session_state.get(_TYPED, ("", 0))
    offers = complete(text, cursor, _names(snapshot, source), most=_MOST) if text else []
    # In the page's own tree, not in a shadow of its own: the field names its list and what is chosen in it.
    drawn = component(COMPLETION, js="completion.js", css="completion.css", isolate_styles=False)
    cast("Any", drawn)(
        key=_ELEMENT,
        data={
            "field": f"st-key-{field}",
            "text": text,
            "offers": [[one.text, one.kind, one.start, one.end] for one in offers],
        },
        on_typed_change=_keep,
    )


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Snapshot: lambda snapshot: snapshot.found})
def _names(snapshot: Snapshot, _source: SnapshotSource) -> Names:
    return names_in(snapshot, _source)


def typed_in(raw: Any) -> tuple[str, int] | None:
    """Return the text and the cursor that a browser reported; ``None`` for what is neither.

    >>> typed_in(["lr > ", 5]), typed_in(["lr", -1])
    (('lr > ', 5), None)
    """
    match raw:
        case [str(text), int(cursor)] if len(text) <= _LONGEST and 0 <= cursor <= len(text):
            return text, cursor
        case _:
            return None


def _keep() -> None:
    typed = typed_in(st.session_state[_ELEMENT].get("typed"))
    if typed is not None:
        st.session_state[_TYPED] = typed
