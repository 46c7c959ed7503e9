"""The element: one chart whose dated events a person can move, and where they can add one.

A mark is dragged, or moved with the arrow keys by one evaluation; Python is told only of what is confirmed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import streamlit as st
from streamlit.components.v2 import component

from grokscope.dashboard.charts.elements.palette import Palette
from grokscope.dashboard.component.registration import DATED_CHART, is_registered


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedMark:
    """A mark that can be moved.

    Attributes:
        id: What a move of it reports.
        name: What it is called.
        shape: The sign that it is dragged by.
        step: Where it is.
    """

    id: str
    name: str
    shape: str
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedChart:
    """A chart with its marks.

    Attributes:
        spec: Vega-Lite, whose x-channel is steps.
        title: Above it.
        text: What it shows, for who cannot see it.
        marks: What can be moved.
        steps: Of the evaluations, rising: where a mark can be put.
        subjects: What can be added: its key -> its name.
        reviewer: Who decides; ``""`` for nobody named.
        palette: Light or dark.
    """

    spec: Mapping[str, Any]
    title: str
    text: str
    marks: Sequence[DatedMark]
    steps: Sequence[int]
    subjects: Mapping[str, str]
    reviewer: str
    palette: Palette


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a person confirmed; a browser says it, so nothing in it is known to be there.

    Attributes:
        mark: Id of the mark that is moved; ``None`` for a new event.
        subject: Of a new event, its key.
        step: Where it is from now on.
    """

    mark: str | None
    subject: str | None
    step: int


def dated_chart(chart: DatedChart, *, key: str, on_decided: Callable[[Decided], None]) -> bool:
    """Draw the chart; return whether that is possible here, which it is not without the scripts.

    Args:
        chart: What is drawn; a mark that is being moved stays so while the data change.
        key: Name of the element, stable over reruns.
        on_decided: Is called before the page is drawn anew.
    """
    if not chart.steps or st.session_state.get(_failed(key)) or not is_registered():
        return False
    cast("Any", component(DATED_CHART, js="dated_chart.js", css="linked_charts.css"))(
        key=key,
        data=_payload(chart),
        on_decided_change=lambda: _tell(st.session_state[key].get("decided"), on_decided),
        on_failed_change=lambda: _remember(key),
    )
    return True


def decided_in(raw: Any) -> Decided | None:
    """Return what a browser reported; ``None`` for what is no decision.

    >>> decided_in({"mark": "onset", "subject": None, "step": 480})
    Decided(mark='onset', subject=None, step=480)
    >>> decided_in({"mark": "onset", "step": -1})
    """
    if not isinstance(raw, dict):
        return None
    told = cast("dict[str, Any]", raw)
    mark, subject, step = told.get("mark"), told.get("subject"), told.get("step")
    if type(step) is not int or step < 0:
        return None
    if not all(text is None or isinstance(text, str) for text in (mark, subject)):
        return None
    return Decided(mark=mark, subject=subject, step=step)


def _payload(chart: DatedChart) -> dict[str, Any]:
    return {
        "spec": dict(chart.spec),
        "title": chart.title,
        "text": chart.text,
        "marks": [asdict(mark) for mark in chart.marks],
        "steps": list(chart.steps),
        "subjects": [list(pair) for pair in chart.subjects.items()],
        "reviewer": chart.reviewer,
        "palette": {name: getattr(chart.palette, name) for name in ("paper", "ink", "muted", "grid")},
    }


def _tell(raw: Any, on_decided: Callable[[Decided], None]) -> None:
    decided = decided_in(raw)
    if decided is not None:
        on_decided(decided)


def _failed(key: str) -> str:
    return f"{key}_failed"


def _remember(key: str) -> None:
    st.session_state[_failed(key)] = True
