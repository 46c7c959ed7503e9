"""The plots of a chart: all of them changed at once, and made wider or higher."""

from collections.abc import Callable
from typing import Any

from grokscope.dashboard.exporting.nested import list_of, object_of

_INSIDE = ("layer", "vconcat", "hconcat", "concat")


def stretched(chart: dict[str, Any], *, wide: float, high: float) -> dict[str, Any]:
    """Return a chart with its plots ``wide`` times as wide and ``high`` times as high."""

    def change(part: dict[str, Any]) -> dict[str, Any]:
        width, height = part.get("width"), part.get("height")
        if isinstance(width, int | float):
            part = part | {"width": max(20.0, width * wide)}
        if isinstance(height, int | float):
            part = as_high(part, height, max(20.0, height * high))
        return part

    return everywhere(chart, change)


def everywhere(part: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Return a chart with ``change`` made to it and to all charts in it."""
    part = change(part)
    inside = {
        key: [everywhere(object_of(one), change) for one in list_of(part[key])]
        for key in _INSIDE
        if key in part
    }
    one: dict[str, Any] = {"spec": everywhere(object_of(part["spec"]), change)} if "spec" in part else {}
    return part | inside | one


def widened(part: dict[str, Any], width: float) -> dict[str, Any]:
    """Return a chart with a width on each of its plots."""
    if "vconcat" in part or "concat" in part:
        key = "vconcat" if "vconcat" in part else "concat"
        beside = part.get("columns", len(part[key])) if key == "concat" else 1
        return part | {key: [widened(one, width / max(1, beside)) for one in part[key]]}
    if "hconcat" in part:
        return part | {"hconcat": [widened(one, width / len(part["hconcat"])) for one in part["hconcat"]]}
    if "spec" in part:
        return part | {"spec": widened(part["spec"], width / max(1, int(part.get("columns", 2))))}
    return part | {"width": width}


def as_high(part: dict[str, Any], height: float, new: float) -> dict[str, Any]:
    """Return a plot with a new height; what stands under it keeps its distance."""

    def moved(channel: Any) -> Any:
        value: Any = object_of(channel).get("value")
        is_below = isinstance(value, int | float) and value > height
        return {"value": value - height + new} if is_below else channel

    layers = [
        layer
        | {"encoding": layer["encoding"] | {k: moved(v) for k, v in layer["encoding"].items() if k == "y"}}
        if "encoding" in layer
        else layer
        for layer in part.get("layer", [])
    ]
    return part | {"height": new} | ({"layer": layers} if layers else {})
