"""What a reader asks of the comparison: which charts, over what, and how; all of it in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grokscope.dashboard.charts.compared import YScale
from grokscope.dashboard.charts.elements.averages import Band, Centre
from grokscope.dashboard.charts.elements.smoothing import Smoothing
from grokscope.dashboard.component.address import ONE_BY_ONE
from grokscope.dashboard.component.chart import IN_ADDRESS
from grokscope.dashboard.component.chart_data import axis_of
from grokscope.dashboard.component.window import windowed
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.x_places import (
    BY_STEPS,
    RELATIVE,
    Place,
    along_metric,
    places_from_events,
    places_of,
)
from grokscope.dashboard.words.escaping import plain

MOST_CHARTS = 12
_MOST_COLUMNS = 4
CHARTS = "compare_charts"
"""Key of the list of charts: a name a chart, in their order."""

_ANY_METRIC, _START = "a metric", "start"
_DISTANCES = {"steps since": "difference", "times its step": "ratio"}
_METRIC = "metric:"
BANDS: Mapping[str, Band] = {
    "lowest–highest": "range",
    "95 % interval": "interval",
    "standard error": "error",
    "none": "none",
}
SMOOTHINGS: Mapping[str, Smoothing | None] = {
    "none": None,
    "EMA 0.6": Smoothing(kind="ema", strength=0.6),
    "EMA 0.9": Smoothing(kind="ema", strength=0.9),
    "EMA 0.99": Smoothing(kind="ema", strength=0.99),
    "5 points": Smoothing(kind="centred", strength=5),
    "21 points": Smoothing(kind="centred", strength=21),
    "101 points": Smoothing(kind="centred", strength=101),
}
By = Literal["group", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the controls say.

    Attributes:
        metrics: What is drawn, in the order of the charts.
        place: What the x-axis is.
        log: Whether it is logarithmic.
        by: What lines are coloured by.
        y: Scale of the y-axes.
        has_outliers: Whether they hold runs far beyond all others, too.
        centre, band: What stands for a group, and what is drawn around it.
        has_members: Whether the runs of a group are drawn behind it.
        smoothing: Its name among ``SMOOTHINGS``.
        columns: Charts in a row.
        split: The param whose levels charts are drawn side by side for.
        window: The range of steps that is drawn; ``None`` for all.
    """

    metrics: tuple[str, ...]
    place: Place
    log: bool
    by: By
    y: YScale = "auto"
    has_outliers: bool = False
    centre: Centre = "mean"
    band: Band = "range"
    has_members: bool = True
    smoothing: str = "none"
    columns: int = 2
    split: str | None = None
    window: tuple[float, float] | None = None

    @property
    def has_averages(self) -> bool:
        """Return whether lines stand for groups: not along a metric, where runs have no common places."""
        return self.by == "group" and not self.place.metric


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """What the controls say until somebody chooses.

    Attributes:
        metrics: What is drawn.
        by: What lines are coloured by.
        levels: How many charts of each metric stand in a row; ``None`` for one of all runs.
    """

    metrics: Sequence[str]
    by: By
    levels: int | None = None


def controls(snapshot: Snapshot, chosen: Sequence[str], names: Sequence[str], *, first: First) -> Asked:
    """Draw the controls; return what they say.

    Args:
        snapshot: What is compared.
        chosen: The runs.
        names: Metrics that can be drawn.
        first: What they say at first.
    """
    metrics = _metrics(names, first.metrics)
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_controls"):
        place = _place(snapshot, chosen, names)
        event = _event(snapshot, chosen) if place is BY_STEPS else ""
        colour = cast("By", _choice("Colour by", ["group", "run"], key="compare_by", first=first.by))
        columns = _columns(first.levels)
        looks = st.popover("Curves", key="compare_display")
        log = _is_log(looks)
        place = _relative(event, looks) if event else place
        axis = axis_of(snapshot, run_ids=chosen, log=log)
        is_by_step = place is BY_STEPS or place.metric
        cut = windowed(axis, key="compare_window") if is_by_step else axis
    asked = Asked(
        metrics=tuple(metrics[:MOST_CHARTS]),
        place=place,
        log=log,
        by=colour,
        columns=columns,
        window=(cut.first, cut.last) if cut.is_cut else None,
    )
    with looks:
        return _looks(asked)


def _is_log(looks: DeltaGenerator) -> bool:
    with looks:
        return _choice("Steps", ["log", "linear"], key="compare_axis") != "linear"


def _looks(asked: Asked) -> Asked:
    """Draw what is seldom changed; return what is asked with it."""
    y = cast("YScale", _choice("Y-axes", ["auto", "linear", "log"], key="compare_y"))
    outliers = _choice("Outliers", ["cut", "shown"], key="compare_outliers")
    centre = cast("Centre", _choice("Groups by their", ["mean", "median"], key="compare_centre"))
    of_centre = [name for name, band in BANDS.items() if centre == "mean" or band != "error"]
    band = _choice("Band around it", of_centre, key="compare_band")
    members = _choice("Runs of a group", ["faint", "hidden"], key="compare_members")
    smoothing = st.selectbox("Smoothing", list(SMOOTHINGS), key="compare_smoothing", bind=IN_ADDRESS)
    return replace(
        asked,
        y=y,
        has_outliers=outliers == "shown",
        centre=centre,
        band=BANDS[band],
        has_members=members == "faint",
        smoothing=smoothing or "none",
    )


def arranged(charts: Sequence[str], *, kind: str, chart: str) -> list[str]:
    """Return the list of charts after one was moved or removed.

    >>> arranged(["a", "b", "c"], kind="left", chart="metric:c")
    ['a', 'c', 'b']
    >>> arranged(["a", "b"], kind="remove", chart="metric:a")
    ['b']
    """
    name, found = chart.removeprefix(_METRIC), list(charts)
    if name not in found:
        return found
    at = found.index(name)
    found.pop(at)
    if kind != "remove":
        found.insert(max(0, at - 1) if kind in ("left", "up") else at + 1, name)
    return found


def _metrics(names: Sequence[str], first: Sequence[str]) -> list[str]:
    kept: list[str] | None = st.session_state.get(CHARTS)
    if kept is not None and not set(kept).issubset(names):  # other runs, other metrics
        there = [name for name in kept if name in names]
        st.session_state[CHARTS] = there or list(first)
    return st.multiselect(
        "Charts",
        list(names),
        default=None if CHARTS in st.session_state else list(first),
        key=CHARTS,
        format_func=plain,
        placeholder="Add a metric",
        **ONE_BY_ONE,
        bind=IN_ADDRESS,
    )


def _place(snapshot: Snapshot, chosen: Sequence[str], metrics: Sequence[str]) -> Place:
    places = {place.name: place for place in places_of(snapshot, chosen)}
    over = st.selectbox(
        "Over",
        [*places, _ANY_METRIC] if metrics else list(places),
        key="compare_over",
        width=150,
        bind=IN_ADDRESS,
    )
    if over != _ANY_METRIC:
        return places.get(over, BY_STEPS)
    metric = st.selectbox(
        "Metric along the x-axis", metrics, key="compare_along", width=240, format_func=plain, bind=IN_ADDRESS
    )
    return along_metric(metric)


def _event(snapshot: Snapshot, chosen: Sequence[str]) -> str:
    """Return the event of each run that steps are counted from; ``""`` for its start."""
    events = list(dict.fromkeys(place.event for place in places_from_events(snapshot, chosen)))
    event = _choice("From", [_START, *events], key="compare_from") if events else _START
    return event if event in events else ""


def _relative(event: str, looks: DeltaGenerator) -> Place:
    with looks:
        how = _choice(f"From {event}", list(_DISTANCES), key="compare_distance")
    return next(one for one in RELATIVE if (one.event, one.kind) == (event, _DISTANCES[how]))


def _columns(levels: int | None) -> int:
    """Return how many charts stand in a row; of those by level, all or half, until somebody chooses."""
    key, first = ("compare_columns", 2) if levels is None else ("compare_level_columns", levels)
    half = first if first <= _MOST_COLUMNS else (first + 1) // 2
    options = [str(count + 1) for count in range(_MOST_COLUMNS)]
    return int(_choice("Charts a row", options, key=key, first=str(half)))


def _choice(label: str, options: Sequence[str], *, key: str, first: str | None = None) -> str:
    begin = first or options[0]
    said = st.segmented_control(label, list(options), default=begin, required=True, key=key, bind=IN_ADDRESS)
    return said or begin
