"""Charts that a browser draws together over one x-axis.

Their axes and marks are Vega-Lite; their curves are numbers, which a script draws by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from grokscope.dashboard.charts.elements.axes import STEP, StepAxis
from grokscope.dashboard.charts.elements.palette import Palette
from grokscope.schemas.runs.ordering import natural

Scale = Literal["linear", "symlog", "log", "time"]
Number = float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A curve, with what is read off it.

    Attributes:
        key: What a click on it reports.
        name: What the table under the pointer calls it.
        group: Lines of one group are highlighted together, and named once above the charts.
        color: Of its ink.
        dash: Lengths of strokes and gaps, in pixels; empty for a full line.
        width: In pixels.
        opacity: From 0 to 1.
        is_read: Whether it stands in the table and is named above the charts.
        x: Finite; rising, unless ``steps`` are given.
        y: As long; ``None`` is a gap.
        low, high: Ends of the band around it; ``None`` where there is none.
        count: How many runs take part at each place; ``None`` where that is no question.
        steps: Of a path, which turns wherever it likes, the step of each point, rising; ``None`` for a curve.
    """

    key: str
    name: str
    group: str
    color: str
    dash: tuple[float, ...] = ()
    width: float = 1.5
    opacity: float = 1.0
    is_read: bool = True
    x: Sequence[float]
    y: Sequence[Number]
    low: Sequence[Number] | None = None
    high: Sequence[Number] | None = None
    count: Sequence[int] | None = None
    steps: Sequence[float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedAxis:
    """An x-axis that charts share.

    Attributes:
        scale: ``symlog`` is almost linear below ``constant`` and logarithmic beyond; ``time`` is in ms.
        constant: Of a ``symlog`` axis, above 0.
        first, last: Its ends, ``first < last``; of a ``log`` axis above 0.
        unit: What is counted, before a place that is read off.
        is_whole: Whether there is nothing between two whole numbers.
    """

    scale: Scale = "linear"
    constant: float = 10.0
    first: float = 0.0
    last: float
    unit: str = "step"
    is_whole: bool = False


SHARED = "shared"
"""Name of the x-axis of most charts."""


def linked_axis(axis: StepAxis) -> LinkedAxis:
    """Return the shared x-axis that draws what ``axis`` does."""
    return LinkedAxis(
        scale="time" if axis.is_time else "symlog" if axis.log else "linear",
        constant=axis.linear_below,
        first=axis.first,
        last=axis.last if axis.last > axis.first else axis.first + 1,
        unit=axis.unit,
        is_whole=axis.unit == STEP,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedChart:
    """One of the charts.

    Attributes:
        key: Stable name; a chart that is shown again under it keeps its place and zoom.
        title: Above it.
        text: What it shows, for who cannot see it.
        spec: Vega-Lite without the curves. Its layers put the x-channel on its axis, and at least one
            of them has the y-channel with its domain, since the curves are put on that scale.
        lines: The curves, from back to front.
        format: How values are said: shares in percent, or numbers in four digits.
        is_wide: Whether it takes the whole row.
        axis: Name of its x-axis, which charts of the same name share; ``None`` for one of its own.
        begins_row: Whether it stands at the left, whatever room is beside the one before it.
        tools: What can be done with it: ``left``, ``right``, ``up``, ``down``, ``remove``.
    """

    key: str
    title: str
    text: str
    spec: Mapping[str, Any]
    lines: Sequence[Line] = ()
    format: Literal["percent", "number"] = "number"
    is_wide: bool = False
    axis: str | None = SHARED
    begins_row: bool = False
    tools: tuple[str, ...] = field(default=())


HINT = (
    "Wheel: zoom · drag: choose a range · Shift and drag: move · double click: all · "
    "keys + − ← → 0 on a chart do the same · its lower edge: height of all · "
    "a name above: only that group in full colour"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnNames:
    """What the columns of the table under the pointer are called.

    Attributes:
        value: Of what is drawn: ``mean``.
        band: Of what is around it: ``lowest – highest``.
        count: Of how many take part: ``runs``.
    """

    value: str = "value"
    band: str = "lowest – highest"
    count: str = "runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedGrid:
    """Charts beside and under each other.

    Attributes:
        charts: In their order, row by row.
        axes: Their x-axes, by name.
        palette: Light or dark.
        columns: Charts in a row, where there is room for so many.
        names: Of the table's columns.
        hint: Below the charts: what the mouse does.
        height: Of the plots with curves, in pixels, as a reader wants it; ``None`` for those of their specs.
    """

    charts: Sequence[LinkedChart]
    axes: Mapping[str, LinkedAxis]
    palette: Palette
    columns: int = 2
    names: ColumnNames = field(default_factory=ColumnNames)
    hint: str = HINT
    height: int | None = None


_READ = "curves under a pointer"


def whole_spec(chart: LinkedChart) -> dict[str, Any]:
    """Return a chart as Vega-Lite alone, with its curves and title: for files, and where no script runs.

    Curves are told apart by channels of colour and dash, so that a figure can have a key of them. What is
    read off them under a pointer is in a layer called ``hover``, which paper goes without.
    """
    layers: list[dict[str, Any]] = list(chart.spec.get("layer", []))
    if not chart.lines:
        return {**chart.spec, "title": chart.title}
    x = next(layer["encoding"]["x"] for layer in layers if "x" in layer.get("encoding", {}))
    look = _look(chart.lines)
    datasets: dict[str, list[dict[str, Any]]] = {**chart.spec.get("datasets", {})}
    drawn: list[dict[str, Any]] = []
    for place, line in enumerate(chart.lines):
        name = f"curve {place}"
        datasets[name] = _rows(line)
        drawn += _layers(line, name, {**x, "field": "x"}, look)
    datasets[_READ] = [row for line in chart.lines if line.is_read for row in _rows(line)]
    drawn.append(_under_pointer({**x, "field": "x"}, look))
    return {**chart.spec, "datasets": datasets, "layer": [*drawn, *layers], "title": chart.title}


def _look(lines: Sequence[Line]) -> dict[str, dict[str, Any]]:
    """Return the channels that tell the groups of curves apart."""
    found = {line.group: line for line in lines}
    of_group = {group: found[group] for group in natural(found)}
    ranges: dict[str, list[Any]] = {"color": [line.color for line in of_group.values()]}
    if any(line.dash for line in lines):
        ranges["strokeDash"] = [list(line.dash) or [1, 0] for line in of_group.values()]
    return {
        name: {
            "field": "line",
            "type": "nominal",
            "scale": {"domain": list(of_group), "range": values},
            "legend": None,
        }
        for name, values in ranges.items()
    }


def _rows(line: Line) -> list[dict[str, Any]]:
    none = [None] * len(line.x)
    ends = zip(line.x, line.y, line.low or none, line.high or none, line.steps or none, strict=True)
    return [
        {
            "x": x,
            "y": y,
            "low": low,
            "high": high,
            "line": line.group,
            **({} if step is None else {"step": step}),
        }
        for x, y, low, high, step in ends
    ]


def _layers(
    line: Line, name: str, x: Mapping[str, Any], look: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    curve: dict[str, Any] = {
        "data": {"name": name},
        "mark": {"type": "line", "strokeWidth": line.width, "opacity": line.opacity, "clip": True},
        "encoding": {"x": x, "y": {"field": "y", "type": "quantitative"}, **look},
    }
    if line.steps is not None:  # else the curve would be drawn from left to right
        curve["encoding"]["order"] = {"field": "step", "type": "quantitative"}
    if line.low is None or line.high is None:
        return [curve]
    ends = {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}}
    band = {
        "data": {"name": name},
        "transform": [{"filter": {"field": "low", "valid": True}}],
        "mark": {"type": "area", "opacity": 0.15, "clip": True},
        "encoding": {"x": x, **ends, "color": look["color"]},
    }
    return [band, curve]


def _under_pointer(x: Mapping[str, Any], look: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    places = {"line": "nominal", "x": "quantitative", "y": "quantitative"}
    return {
        "name": "hover",
        "data": {"name": _READ},
        "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0, "clip": True},
        "encoding": {
            "x": x,
            "y": {"field": "y", "type": "quantitative"},
            "color": look["color"],
            "tooltip": [{"field": field, "type": kind} for field, kind in places.items()],
        },
    }
