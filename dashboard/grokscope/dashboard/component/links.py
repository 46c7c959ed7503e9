"""Links from what is shown to the page of a run."""

import streamlit as st

from grokscope.dashboard.state.data import Data
from grokscope.dashboard.words.escaping import escape


def run_link(data: Data, run_id: str, label: str) -> None:
    """Draw a run's name as a link to its page; where there is no page to go to, the name alone."""
    shown = escape(label, limit=80)
    if data.link is None:
        st.markdown(f"**{shown}**")
    else:
        data.link("run", [run_id], f"**{shown}**")
