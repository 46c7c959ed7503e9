"""How high the charts are: as a reader pulled them, kept in the address."""

import streamlit as st

LOWEST, HIGHEST = 80, 1000
"""In pixels: what can be read, and what a screen holds. The browser keeps to them too."""

_KEY = "compare_height"


def chosen_height() -> int | None:
    """Return the height in pixels that was chosen on this page, else in the address; ``None`` without."""
    said = str(st.session_state.get(_KEY) or st.query_params.get(_KEY, ""))
    height = int(said) if said.isascii() and said.isdigit() and len(said) <= len(str(HIGHEST)) else 0
    if not LOWEST <= height <= HIGHEST:
        return None
    if _KEY not in st.query_params:  # the page was left and is back
        st.query_params[_KEY] = said
    return height


def keep_height(height: int | None) -> None:
    """Keep a height in the address; 0 forgets it, ``None`` leaves all as it is."""
    if height is None:
        return
    st.session_state[_KEY] = height
    if height:
        st.query_params[_KEY] = str(height)
    else:
        st.query_params.pop(_KEY, None)
