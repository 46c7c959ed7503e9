"""What follows from the comparison, a tab each; one that is not open computes nothing."""

from collections.abc import Callable

import streamlit as st

from grokscope.dashboard.component.chart import IN_ADDRESS
from grokscope.dashboard.state.data import Data
from grokscope.dashboard.tables.interventions.groups import Groups
from grokscope.dashboard.views.interventions.computed import Asked
from grokscope.dashboard.views.interventions.tabs import (
    draw_coordinates,
    draw_forecasts,
    draw_front,
    draw_noise,
    draw_profile,
    draw_trend,
    draw_tuning,
)

_Draw = Callable[[Data, Asked, Groups], None]
TABS: dict[str, _Draw] = {
    "Against one param": draw_trend,
    "Compute and quality": draw_front,
    "Noise and seeds": draw_noise,
    "Tuning budget": draw_tuning,
    "Workloads": draw_profile,
    "All params": draw_coordinates,
    "Forecasts": draw_forecasts,
}


def draw_further(data: Data, asked: Asked, groups: Groups) -> None:
    """Draw the tab that is open."""
    tabs = st.tabs(list(TABS), key="interventions_tab", on_change="rerun", bind=IN_ADDRESS)
    for tab, draw in zip(tabs, TABS.values(), strict=True):
        if tab.open:
            with tab:
                draw(data, asked, groups)
