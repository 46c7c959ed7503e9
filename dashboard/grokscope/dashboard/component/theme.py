"""What the reader's browser looks like: light or dark."""

import streamlit as st

from grokscope.dashboard.charts import DARK, LIGHT, Palette


def palette() -> Palette:
    """Return the palette of the reader's theme; outside a browser, the light one."""
    return DARK if st.context.theme.type == "dark" else LIGHT
