"""How a chart gets onto the page: described once, described again only when what it shows has changed."""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import altair as alt
import polars as pl
import streamlit as st

IN_ADDRESS = "query-params"
"""How a control keeps its value in the address, so that a reload or a copied link shows the same."""

_LIFTED = Lock()
_Title = str | Mapping[str, str]


def show(
    build: Callable[..., alt.LayerChart],
    *frames: pl.DataFrame,
    key: str,
    text: str,
    title: _Title | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Draw ``build(*frames, **settings)``; return its Vega-Lite description.

    Args:
        build: A function of ``charts``.
        frames: What it draws.
        key: Name of the element, stable over reruns.
        text: What the chart shows, for who cannot see it.
        title: Above the chart: a text, or Vega-Lite's title parameters.
        settings: Further arguments of ``build``.
    """
    spec = described(build, *frames, **settings)
    whole = spec | ({"title": title} if title else {})
    st.vega_lite_chart(whole, key=key, alt=text, width="stretch")
    return whole


def described(build: Callable[..., alt.LayerChart], *frames: pl.DataFrame, **settings: Any) -> dict[str, Any]:
    """Return the Vega-Lite description of ``build(*frames, **settings)``, which nothing draws yet."""
    return _spec(build, build.__name__, frames, settings)


def show_to_pick(
    build: Callable[..., alt.LayerChart],
    *frames: pl.DataFrame,
    key: str,
    text: str,
    pick: str,
    **settings: Any,
) -> tuple[dict[str, Any], Mapping[str, Any] | None]:
    """Draw a chart as ``show`` does; return its description, and the fields of the mark that was clicked.

    Args:
        build: A function of ``charts``.
        frames: What it draws.
        key: Name of the element, stable over reruns.
        text: What the chart shows, for who cannot see it.
        pick: Name of the chart's selection.
        settings: Further arguments of ``build``.
    """
    spec = described(build, *frames, **settings)
    state: Any = st.vega_lite_chart(
        spec, key=key, alt=text, width="stretch", on_select="rerun", selection_mode=pick
    )
    picked = list[Mapping[str, Any]](state["selection"].get(pick) or ())
    return spec, picked[0] if picked else None


def note(sentence: str | None) -> None:
    """Write a sentence in small type; nothing where there is none."""
    if sentence:
        st.caption(sentence)


@st.cache_data(max_entries=256, show_spinner=False)
def _spec(
    _build: Callable[..., alt.LayerChart],
    name: str,  # noqa: ARG001 - part of the cache's key, for ``_build``, which is not
    frames: tuple[pl.DataFrame, ...],
    settings: dict[str, Any],
) -> dict[str, Any]:
    # Altair would check each chart against the whole grammar of Vega-Lite, which takes longer than building
    # it: a page that draws itself anew every two seconds leaves that to the tests.
    chart = _build(*frames, **settings)
    # Altair's limit of 5,000 rows a frame is lifted here alone; its setting is one for all threads.
    with _LIFTED, alt.data_transformers.enable("default", max_rows=None):
        return chart.to_dict(validate=False)
