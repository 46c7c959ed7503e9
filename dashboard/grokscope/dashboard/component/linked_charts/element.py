"""The element: charts that share an x-axis, one cursor and one table of values.

All of a zoom happens in the browser. Python is told of a click, of a chart to be moved or removed, and
of a new height of the plots once it stands still.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import streamlit as st
from streamlit.components.v2 import component

from grokscope.dashboard.charts.linked import LinkedChart, LinkedGrid, whole_spec
from grokscope.dashboard.component.linked_charts.packing import Packing
from grokscope.dashboard.component.registration import LINKED_CHARTS, is_registered
from grokscope.schemas.runs.ordering import natural

_FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What a reader did since the last drawing.

    Attributes:
        picked: A click on a curve: ``chart``, ``key`` and ``name`` of the line.
        arranged: What is to be done with a chart: ``kind`` (one of its ``tools``) and ``chart``.
        resized: The height of the plots in pixels that they were given; 0 for that of their specs again.
    """

    picked: dict[str, str] | None = None
    arranged: dict[str, str] | None = None
    resized: int | None = None


def linked_charts(grid: LinkedGrid, *, key: str, on_change: Callable[[], None] | None = None) -> Reported:
    """Draw charts in a grid; return what a reader did with them.

    Where the browser cannot draw them, Streamlit's own charts stand there, each by itself.

    Args:
        grid: The charts; what is zoomed stays so while they are drawn again with other data.
        key: Name of the element, stable over reruns.
        on_change: Is called before the page is drawn anew for what a reader did; ``st.session_state[key]``
            holds it under the names of ``Reported``.
    """
    if st.session_state.get(_failed(key)) or not is_registered():
        _one_by_one(grid.charts, key=key)
        return Reported()
    changed = on_change or _nothing
    result: Any = cast("Any", component(LINKED_CHARTS, js="linked_charts.js", css="linked_charts.css"))(
        key=key,
        data=payload(grid),
        on_picked_change=changed,
        on_arranged_change=changed,
        on_resized_change=changed,
        on_failed_change=lambda: _remember(key),
    )
    return Reported(
        picked=result.get("picked"), arranged=result.get("arranged"), resized=result.get("resized")
    )


def payload(grid: LinkedGrid) -> bytes:
    """Return what the browser is given, as ``packing.unpacked`` reads it."""
    packing = Packing()
    head = {
        "charts": [packing.chart(chart) | {"spec": _with_stable_names(chart.spec)} for chart in grid.charts],
        "order": natural({line.group for chart in grid.charts for line in chart.lines if line.is_read}),
        "axes": {name: asdict(axis) for name, axis in grid.axes.items()},
        "columns": grid.columns,
        "names": asdict(grid.names),
        "palette": {name: getattr(grid.palette, name) for name in ("paper", "ink", "muted", "grid")},
        "hint": grid.hint,
        "height": grid.height,
    }
    return packing.packed(head)


def _with_stable_names(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a chart whose data sets are numbered.

    Altair calls them by their content: with other points, a chart would be another one.
    """
    datasets: Mapping[str, Any] = spec.get("datasets", {})
    places = {name: f"set_{i}" for i, name in enumerate(datasets)}
    rest: dict[str, Any] = _renamed({k: v for k, v in spec.items() if k != "datasets"}, places)
    return rest | {"datasets": {places[name]: rows for name, rows in datasets.items()}}


def _renamed(part: Any, places: Mapping[str, str]) -> Any:
    if isinstance(part, list):
        return [_renamed(item, places) for item in cast("list[Any]", part)]
    if not isinstance(part, dict):
        return part
    items = cast("dict[str, Any]", part).items()
    return {k: _of_data(v, places) if k == "data" else _renamed(v, places) for k, v in items}


def _of_data(data: Any, places: Mapping[str, str]) -> Any:
    return {"name": places[data["name"]]} if "name" in data else data


def _one_by_one(charts: Sequence[LinkedChart], *, key: str) -> None:
    st.caption("The linked charts could not be drawn in this browser: these cannot be zoomed.")
    for chart in charts:
        st.vega_lite_chart(whole_spec(chart), key=f"{key}_{chart.key}", alt=chart.text, width="stretch")


def _failed(key: str) -> str:
    return f"{key}_{_FAILED}"


def _remember(key: str) -> None:
    st.session_state[_failed(key)] = True


def _nothing() -> None:
    """Do nothing: Streamlit knows of an event only if something is to be done at it."""
