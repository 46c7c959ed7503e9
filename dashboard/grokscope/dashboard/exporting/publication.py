"""Charts as they are on a page, made one figure for paper: white, with axis titles, a key, and one font."""

from collections.abc import Mapping, Sequence
from typing import Any

from grokscope.dashboard.charts.elements.palette import DARK, LIGHT, Palette
from grokscope.dashboard.exporting.keys import channels_of, keyed
from grokscope.dashboard.exporting.nested import inside, list_of, object_of
from grokscope.dashboard.exporting.plots import as_high, everywhere, widened
from grokscope.dashboard.exporting.sizes import Size
from grokscope.schemas.printable import written_out

Spec = Mapping[str, Any]

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""The converter brings the first, so that a figure is the same on every machine; letters of the others are as
wide, for whoever opens an SVG without it."""

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
WHITE = "#ffffff"
_OF_THE_WHOLE = ("config", "autosize", "padding", "datasets", "$schema", "usermeta", "params", "width")
_LOOKS = ("color", "fill", "stroke", "strokeDash", "shape", "size", "opacity")
"""Charts under each other may have these in common or not; Vega-Lite would make one scale of all."""
_TWO_WIDE_MM, _MANY = 150.0, 3
"""From this width on so many charts stand two in a row: under each other they are longer than a page."""
_BETWEEN = 18
_TALLEST = 0.62
"""Of a plot, as a share of the figure's width; rows of names keep their height."""


def composed(specs: Sequence[Spec]) -> dict[str, Any]:
    """Return one Vega-Lite chart with ``specs`` under each other, and what a page does not need of them.

    Colours of dark pages become those of light ones, the paper white. Axes without a title get the one that
    the chart names in its ``usermeta``, else the name of their column. Names at the ends of lines become a
    key. Control characters and marks of direction in names are written out, as no XML file may hold them.

    Args:
        specs: Layered, faceted, concatenated or single; their data inline, or in ``datasets``.

    Returns:
        A chart whose data are all in ``datasets``; layers called ``hover`` are for pages alone.

    >>> whole = composed([{"data": {"values": [{"a": 1}]}, "mark": "bar",
    ...                    "encoding": {"x": {"field": "a", "type": "quantitative", "title": None}}}])
    >>> whole["vconcat"][0]["encoding"]["x"]["title"], whole["datasets"]
    ('a', {'data-1': [{'a': 1}]})
    """
    datasets: dict[str, list[Any]] = {}
    parts = [_on_paper(_printable(spec), datasets) for spec in specs]
    used = {name for part in parts for name in _names_of_data(part)}
    parts = keyed(parts, datasets)
    return {"$schema": SCHEMA, "vconcat": parts, "datasets": {k: datasets[k] for k in datasets if k in used}}


def fitted(chart: Spec, size: Size, *, title: str = "", hover: bool = False) -> dict[str, Any]:
    """Return a chart that ``composed`` made, with fonts and plots for a size.

    Plots are about as wide as they can be; how wide the axes beside them are is known once they are drawn.

    Args:
        chart: What ``composed`` returned.
        size: Of all of it.
        title: Above it; other people's text, taken letter for letter.
        hover: Keep what answers a pointer.
    """
    rows = _rows(chart["vconcat"], size)
    tallest = size.width * _TALLEST / max(len(row) for row in rows)
    limit = max(40.0, size.width - 20)
    parts = [_sized(_beside(row, limit), size.width * 0.8, tallest, hover=hover) for row in rows]
    head = {"title": {"text": written_out(title), "limit": limit}} if title else {}
    whole = {"vconcat": parts, "datasets": chart["datasets"], "config": _config(size.width)}
    return {
        "$schema": SCHEMA,
        **head,
        **whole,
        "resolve": _RESOLVE,
        "spacing": 12,
        "padding": 6,
    }


_RESOLVE: dict[str, Any] = {"scale": dict.fromkeys(_LOOKS, "independent")}


def _rows(parts: Sequence[dict[str, Any]], size: Size) -> list[list[dict[str, Any]]]:
    """Return charts row by row: of many, two beside each other where there is room, as on a page.

    A chart with a row a name keeps the whole width.
    """
    plain = [part for part in parts if not _has_rows(part)]
    if size.width_mm < _TWO_WIDE_MM or len(plain) < _MANY:
        return [[part] for part in parts]
    rows: list[list[dict[str, Any]]] = []
    for part in parts:
        has_room = bool(rows) and len(rows[-1]) == 1 and not _has_rows(rows[-1][0])
        if has_room and not _has_rows(part):
            rows[-1].append(part)
        else:
            rows.append([part])
    return rows


def _beside(row: list[dict[str, Any]], limit: float) -> dict[str, Any]:
    """Return charts beside each other, whose titles make none of them wider than its part of ``limit``."""
    parts = [_with_short_title(part, limit / len(row) - _BETWEEN) for part in row]
    return parts[0] if len(parts) == 1 else {"hconcat": parts, "resolve": _RESOLVE, "spacing": _BETWEEN}


def _with_short_title(part: dict[str, Any], limit: float) -> dict[str, Any]:
    title = part.get("title")
    if not title:
        return part
    return part | {"title": (object_of(title) or {"text": title}) | {"limit": limit}}


def _on_paper(spec: dict[str, Any], datasets: dict[str, list[Any]]) -> dict[str, Any]:
    spec = _with_own_names(spec, datasets)
    for name, rows in spec.get("datasets", {}).items():
        datasets[name] = list(rows)
    said = spec.get("usermeta", {})
    titles = _untitled(spec) | object_of(object_of(said).get("titles"))

    def change(part: dict[str, Any]) -> dict[str, Any]:
        part = _without_pointers(_named_data(part, datasets))
        return part | ({"encoding": _titled(part["encoding"], titles)} if "encoding" in part else {})

    whole = {key: value for key, value in spec.items() if key not in _OF_THE_WHOLE}
    return _light(_without_names(everywhere(whole, change)))


def _with_own_names(spec: dict[str, Any], taken: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Return a chart none of whose data is called as other data before: curves of linked charts all are."""
    own: dict[str, list[Any]] = spec.get("datasets", {})
    names = {name: f"{name}, {len(taken)}" for name, rows in own.items() if taken.get(name, rows) != rows}
    if not names:
        return spec

    def change(part: dict[str, Any]) -> dict[str, Any]:
        name = object_of(part.get("data")).get("name")
        return part | {"data": {"name": names[name]}} if name in names else part

    return everywhere(spec, change) | {"datasets": {names.get(name, name): own[name] for name in own}}


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return written_out(value)
    if isinstance(value, dict):
        return {written_out(key): _printable(one) for key, one in object_of(value).items()}
    return [_printable(one) for one in list_of(value)] if isinstance(value, list) else value


def _named_data(part: dict[str, Any], datasets: dict[str, list[Any]]) -> dict[str, Any]:
    values = list_of(object_of(part.get("data")).get("values"))
    if "data" not in part or "values" not in object_of(part["data"]):
        return part
    name = f"data-{len(datasets) + 1}"
    datasets[name] = values
    return part | {"data": {"name": name}}


def _names_of_data(value: Any) -> set[str]:
    name = object_of(object_of(value).get("data")).get("name")
    found = {name} if isinstance(name, str) else set[str]()
    return found.union(*map(_names_of_data, inside(value)))


def _without_pointers(part: dict[str, Any]) -> dict[str, Any]:
    """Return a chart without selections; what one would light up is there for tooltips, unseen."""
    part = {key: value for key, value in part.items() if key != "params"}
    filters = part.get("transform", [])
    kept = [one for one in filters if not _is_of_selection(one.get("filter"))]
    opacity = object_of(object_of(part.get("encoding")).get("opacity"))
    if len(kept) < len(filters):
        return {"mark": "point", "name": "nothing", "encoding": {}}
    if _is_of_selection(opacity.get("condition")):
        part = part | {"name": "hover", "encoding": part["encoding"] | {"opacity": {"value": 0}}}
    return part


def _is_of_selection(value: Any) -> bool:
    return "param" in object_of(value)


def _without_names(part: dict[str, Any]) -> dict[str, Any]:
    """Return a chart without what stands right of its plot: the names of lines, and the room for them."""

    def change(one: dict[str, Any]) -> dict[str, Any]:
        kept = [layer for layer in one.get("layer", []) if not _is_beside(layer)]
        return one | ({"layer": kept} if kept else {})

    return everywhere(part, change)


def _is_beside(layer: dict[str, Any]) -> bool:
    return layer.get("name") == "nothing" or layer.get("encoding", {}).get("x") == {"value": "width"}


def _untitled(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the first column of each axis of numbers: what it is called, if by nothing else."""
    found: dict[str, str] = {}
    for axis in ("x", "y"):
        for channel in channels_of(spec, (axis,)):
            if channel.get("field") and channel.get("type") != "nominal":
                found.setdefault(axis, str(channel["field"]))
    return found


def _titled(encoding: dict[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    """Return the channels with a title on each axis that has labels and none."""
    named = {
        name: _axis(channel, titles.get(name)) if name in ("x", "y") and "field" in channel else channel
        for name, channel in encoding.items()
    }
    color = named.get("color", {})
    is_scale = color.get("type") == "quantitative" and "title" not in color and "color" in titles
    return named | ({"color": color | {"title": titles["color"]}} if is_scale else {})


def _axis(channel: dict[str, Any], title: str | None) -> dict[str, Any]:
    axis = channel.get("axis", {})
    if axis is None:
        return channel
    # Charts on a page keep room for labels, so that they stand exactly under each other; a figure sees to it.
    own = {key: value for key, value in axis.items() if key not in ("minExtent", "maxExtent")}
    is_of_names = channel.get("type") == "nominal"  # its labels say what they are
    if not is_of_names and "labelOverlap" in own:
        own["labelOverlap"] = "greedy"
    is_titled = channel.get("title", "") is not None or axis.get("labels") is False or is_of_names
    return channel | ({"axis": own} if axis else {}) | ({} if is_titled else {"title": title})


def _light(value: Any) -> Any:
    """Return a chart in the colours of light pages, on white paper."""
    if isinstance(value, str):
        return _COLOURS.get(value, value)
    if isinstance(value, dict):
        told = ("domain", "sort", "title", "field")  # other people's text
        return {key: one if key in told else _light(one) for key, one in object_of(value).items()}
    return [_light(one) for one in list_of(value)] if isinstance(value, list) else value


def _colours(palette: Palette) -> list[str]:
    return [*palette.series, palette.paper, palette.ink, palette.muted, palette.grid]


_COLOURS = dict(zip(_colours(DARK), _colours(LIGHT), strict=True)) | {LIGHT.paper: WHITE, DARK.paper: WHITE}


def _sized(part: dict[str, Any], width: float, tallest: float, *, hover: bool) -> dict[str, Any]:
    def change(one: dict[str, Any]) -> dict[str, Any]:
        shown = [layer for layer in one.get("layer", []) if hover or layer.get("name") != "hover"]
        one = one | ({"layer": shown} if shown else {})
        height = one.get("height")
        if isinstance(height, int | float) and height > tallest and not _has_rows(one):
            one = as_high(one, height, tallest)
        return one

    return widened(everywhere(part, change), width)


def _has_rows(part: dict[str, Any]) -> bool:
    return any(channel.get("type") == "nominal" for channel in channels_of(part, ("y",)))


def _config(width: float) -> dict[str, Any]:
    return {
        "font": FONT,
        "background": WHITE,
        # What each mark is would be said of every point: most of the file.
        "aria": False,
        "view": {"stroke": None},
        "axis": {
            "domain": False,
            "ticks": False,
            "gridColor": LIGHT.grid,
            "labelColor": LIGHT.ink,
            "labelFontSize": 11,
            "labelPadding": 6,
            "titleColor": LIGHT.ink,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "titleLimit": width * 0.7,
        },
        "legend": {
            "labelColor": LIGHT.ink,
            "labelFontSize": 11,
            "titleColor": LIGHT.ink,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "layout": {"bottom": {"direction": "vertical", "anchor": "start", "margin": 4}},
        },
        "title": {"anchor": "start", "color": LIGHT.ink, "fontSize": 13, "fontWeight": "bold", "offset": 8},
    }
