"""The key of a figure: what its colours, dashes and shapes stand for."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grokscope.dashboard.charts.elements.palette import LIGHT
from grokscope.dashboard.exporting.nested import list_of, object_of

_CHANNELS = ("color", "strokeDash", "shape")
_LETTER, _SYMBOL = 6.0, 34.0
"""About how wide a letter is, and what stands before a name, in pixels."""
_INSIDE = {"layer", "vconcat", "hconcat", "concat", "spec"}
_LONGEST = 40
_PLOT = 300.0


def keyed(parts: Sequence[dict[str, Any]], datasets: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return charts with a key under the first that needs it; the same one does for those below.

    Only what is in the data stands in it. Names that share one colour are counted, not listed.

    Args:
        parts: Charts whose channels of colour, dash and shape have no key (``"legend": None``).
        datasets: Their rows.

    >>> scale = {"domain": ["a", "b"], "range": ["red", "blue"]}
    >>> colour = {"field": "g", "type": "nominal", "scale": scale, "legend": None}
    >>> part = keyed([{"encoding": {"color": colour}}], {"d": [{"g": "a"}]})[0]
    >>> part["encoding"]["color"]["legend"]["values"]
    ['a']
    """
    seen = set[str]()
    done = list[dict[str, Any]]()
    for part in parts:
        new = {name: legend for name, legend in _keys(part, datasets).items() if name not in seen}
        seen |= new.keys()
        done.append(_with_keys(part, new))
    return done


def _keys(part: dict[str, Any], datasets: Mapping[str, Sequence[Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    rows = {channel.get("field") for channel in channels_of(part, ("y",)) if channel.get("type") == "nominal"}
    for name in _CHANNELS:
        for channel in channels_of(part, (name,)):
            field, legend = channel.get("field"), channel.get("legend", "")
            if field is None or field in rows or legend is not None:
                continue
            key = _key(name, channel, _present(str(field), datasets), _dashes(part, field))
            if key is not None:
                found[_name(name, channel)] = key
    return found


def _name(name: str, channel: dict[str, Any]) -> str:
    return f"{name} {channel.get('field')} {channel.get('scale')}"


def channels_of(part: Any, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the channels of these names in a chart and in all charts in it."""
    for one in list_of(part):
        yield from channels_of(one, names)
    encoding = object_of(object_of(part).get("encoding"))
    yield from (object_of(encoding[name]) for name in names if object_of(encoding.get(name)))
    for key in sorted(object_of(part).keys() & _INSIDE):
        yield from channels_of(part[key], names)


def _present(field: str, datasets: Mapping[str, Sequence[Any]]) -> set[str]:
    return {str(row[field]) for rows in datasets.values() for row in rows if field in object_of(row)}


def _dashes(part: dict[str, Any], field: Any) -> dict[str, str]:
    """Return the dash of each name, where the same column has colours and dashes."""
    found: dict[str, str] = {}
    for channel in channels_of(part, ("strokeDash",)):
        scale = object_of(channel.get("scale"))
        if channel.get("field") == field:
            pairs = zip(list_of(scale.get("domain")), list_of(scale.get("range")), strict=False)
            found |= {str(name): str(dash) for name, dash in pairs}
    return found


def _key(
    name: str, channel: dict[str, Any], present: set[str], dashes: Mapping[str, str]
) -> dict[str, Any] | None:
    if channel.get("type") != "nominal":
        return {
            "orient": "bottom",
            "direction": "horizontal",
            "title": channel.get("title") or channel["field"],
        }
    scale = object_of(channel.get("scale"))
    pairs = zip(list_of(scale.get("domain")), list_of(scale.get("range")), strict=False)
    # Two names of one colour are told apart by their dashes.
    drawn = [(value, f"{look} {dashes.get(str(value))}") for value, look in pairs]
    if not drawn:
        return {"orient": "bottom", "title": None}
    shared = {look for look, count in Counter(look for _, look in drawn).items() if count > 1}
    values = [value for value, _ in drawn if str(value) in present]
    alike = [v for v, look in drawn if v in values and look in shared] if name == "color" else []
    listed = [value for value in values if value not in alike]
    if not listed:
        return None
    return _legend(name, listed) | {
        "title": f"without a colour of their own: {len(alike):,}" if alike else None
    }


def _legend(name: str, values: Sequence[str]) -> dict[str, Any]:
    letters = min(_LONGEST, max(len(value) for value in values))
    symbol: dict[str, Any] = {"symbolType": "stroke", "symbolStrokeWidth": 2.5, "symbolOpacity": 1}
    shape: dict[str, Any] = {"symbolStrokeColor": LIGHT.ink, "symbolOpacity": 1}
    return {
        "orient": "bottom",
        "direction": "horizontal",
        "values": list(values),
        "columns": max(1, min(len(values), int(_PLOT // (_LETTER * letters + _SYMBOL)))),
        "labelLimit": _LETTER * _LONGEST,
        **(shape if name == "shape" else symbol),
    }


def _with_keys(part: dict[str, Any], keys: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    # A band has no dash: with a key of its own, its lines would have another one beside it, in grey.
    is_of_lines = any(name.startswith("strokeDash ") for name in keys)
    has_key = not (is_of_lines and object_of(part.get("mark")).get("type") == "area")
    encoding = {
        name: object_of(channel) | {"legend": keys[_name(name, object_of(channel))]}
        if has_key and _name(name, object_of(channel)) in keys
        else channel
        for name, channel in object_of(part.get("encoding")).items()
    }
    inside: dict[str, Any] = {
        key: [_with_keys(one, keys) for one in part[key]]
        for key in ("layer", "vconcat", "hconcat", "concat")
        if key in part
    }
    if "spec" in part:
        inside["spec"] = _with_keys(object_of(part["spec"]), keys)
    return part | ({"encoding": encoding} if encoding else {}) | inside
