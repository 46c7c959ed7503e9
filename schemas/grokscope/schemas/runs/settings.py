"""A configuration, whatever its shape, as flat text settings without secrets."""

from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from itertools import islice
from types import SimpleNamespace
from typing import Any, TypeGuard, cast

from grokscope.schemas.names import plain_text
from grokscope.schemas.secrets import WITHHELD, is_secret, may_be_secret, redacted

_DEPTH = 12
_MOST_ITEMS = 100
_MOST_SETTINGS = 2000
_LONGEST = 10_000
_NAMES = frozenset({"name", "key", "id", "var", "variable", "header"})
_VALUES = frozenset({"value", "val", "content", "default"})


def flat_settings(config: object) -> dict[str, str]:
    """Return a configuration as flat text: nested parts get dotted names, secrets are withheld.

    Args:
        config: A mapping, a dataclass, a namespace, or any object with attributes. Parts may be nested in one
            another and in lists; a list of plain values stays one setting. Of a list of parts the first 100
            are kept, of everything 2000 settings, 12 levels deep.

    Raises:
        TypeError: If it is none of these, a text for instance.

    >>> flat_settings({"lr": 0.1, "model": {"width": 8, "betas": [0.9, 0.98]}, "api_key": "abc"})
    {'lr': '0.1', 'model.width': '8', 'model.betas': '[0.9, 0.98]', 'api_key': '[withheld]'}
    >>> flat_settings({"argv": ["--hub-token", "abc", "--lr", "1"], "loggers": [{"url": "http://a:b@h/x"}]})
    {'argv': "['--hub-token', '[withheld]', '--lr', '1']", 'loggers.0.url': 'http://h/x'}
    """
    parts = _parts(config)
    if parts is None and not isinstance(config, type):
        attributes: Mapping[str, Any] = getattr(config, "__dict__", {})
        parts = {name: value for name, value in attributes.items() if not name.startswith("_")} or None
    if parts is None:
        raise TypeError(
            f"config is a mapping, a dataclass, a namespace or an object with attributes, got "
            f"{type(config).__name__}; write for instance config=vars(args)"
        )
    settings = _flat(parts, "", under="", depth=0)
    kept = dict(islice(settings, _MOST_SETTINGS))
    if next(settings, None) is not None:
        kept["settings"] = f"the first {_MOST_SETTINGS} are kept"
    return kept


def _parts(value: Any) -> Mapping[Any, Any] | None:
    """Return the named parts of a structured value; ``None`` for a plain one."""
    if isinstance(value, type):
        return None
    kind = cast("Any", type(value))
    if isinstance(value, Mapping):
        return cast("Mapping[Any, Any]", value)
    if isinstance(value, Namespace | SimpleNamespace):
        return vars(value)
    if not isinstance(value, str) and hasattr(kind, "keys") and hasattr(kind, "__getitem__"):
        return {key: value[key] for key in value.keys()}  # noqa: SIM118 - no mapping, cannot be iterated
    names = _field_names(kind)
    return {name: getattr(value, name, None) for name in names} if names else None


def _field_names(kind: Any) -> list[str]:
    """Return the fields of a dataclass, a named tuple, or a class of pydantic or attrs."""
    if is_dataclass(kind):
        return [field.name for field in fields(kind)]
    named: Any = getattr(kind, "_fields" if tuple in kind.__mro__ else "model_fields", ())
    if isinstance(named, dict | tuple) and named:
        return list(map(str, cast("Iterable[object]", named)))
    return [field.name for field in getattr(kind, "__attrs_attrs__", ())]


def _flat(parts: Mapping[Any, Any], prefix: str, *, under: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield settings; ``under`` is the secret's name that these parts are a part of, if they are of one."""
    told = _told_name(parts)
    for key in parts:
        own = told if told and str(key).casefold() in _VALUES else str(key)
        name = f"{prefix}{plain_text(redacted(str(key)))}"
        yield from _settings(name, parts, key, under=own if may_be_secret(own) else under, depth=depth)


def _settings(
    name: str, inside: Mapping[Any, Any], key: Any, *, under: str, depth: int
) -> Iterator[tuple[str, str]]:
    try:
        value = inside[key]
        parts = _parts(value)
        if parts is None and _is_list(value):
            items: list[Any] = list(islice(value, _MOST_ITEMS))
            if any(_parts(item) is not None for item in items):
                parts = dict(enumerate(items))
        if parts and depth < _DEPTH:
            yield from _flat(parts, f"{name}.", under=under, depth=depth + 1)
        else:
            yield name, WITHHELD if under and is_secret(under, value) else _text(value)
    except Exception as error:  # noqa: BLE001 - a value of the user's own may raise anything; it costs itself only
        yield name, f"[unreadable: {type(error).__name__}]"


def _told_name(parts: Mapping[Any, Any]) -> str:
    """Return the secret's name that ``{"name": "api_key", "value": ...}`` tells, if it does."""
    told = [parts[key] for key in parts if str(key).casefold() in _NAMES]
    return next((name for name in told if isinstance(name, str) and is_secret(name)), "")


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview | range)


def _text(value: Any) -> str:
    if isinstance(value, AbstractSet):
        value = sorted(cast("AbstractSet[Any]", value), key=str)
    shown = _listed(value, depth=0) if _is_list(value) else value
    return plain_text(redacted(str(shown)))


def _listed(items: Sequence[Any], *, depth: int) -> Sequence[Any]:
    """Return a list without the secrets that only its order tells: after a flag, or second of a pair."""
    kept: list[Any] = []
    is_pair = len(items) == len(("name", "value")) and (depth > 0 or isinstance(items, tuple))
    before = ""
    for item in islice(items, _LONGEST):
        if isinstance(item, str):
            is_value = before.startswith("-") or (is_pair and len(kept) == 1)
            is_withheld = is_value and not item.startswith("-") and is_secret(before, item)
            kept.append(WITHHELD if is_withheld else redacted(item))
            before = item
        else:
            kept.append(_listed(item, depth=depth + 1) if _is_list(item) and depth < _DEPTH else item)
            before = ""
    return tuple(kept) if isinstance(items, tuple) else kept
