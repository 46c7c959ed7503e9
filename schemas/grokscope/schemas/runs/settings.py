"""A configuration, whatever its shape, as flat text settings without secrets."""

from argparse import Namespace
from ast import literal_eval
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from itertools import islice
from types import ModuleType, SimpleNamespace
from typing import Any, TypeGuard, cast

from grokscope.schemas.names import plain_text
from grokscope.schemas.runs.setting_text import has_no_text, setting_text
from grokscope.schemas.secrets import WITHHELD, is_secret, may_be_secret, redacted

_DEPTH = 12
_MOST_ITEMS = 100
_MOST_SETTINGS = 2000
_LONGEST = 10_000
_WHOLE = "config"
_UNREADABLE = "[unreadable: "
_NAMES = frozenset({"name", "key", "id", "var", "variable", "header"})
_VALUES = frozenset({"value", "val", "content", "default"})


def flat_settings(config: object) -> dict[str, str]:
    """Return a configuration as flat text: nested parts get dotted names, secrets are withheld.

    Args:
        config: A mapping, a dataclass, a namespace, a module, or any object or class with attributes. Parts
            may be nested in one another and in lists; a list of plain values stays one setting. Anything
            else (a text, a list of arguments) becomes the setting ``config``. Of a list of parts the first
            100 are kept, of everything 2000 settings, 12 levels deep. What cannot be read costs itself only;
            see ``unreadable_settings``.

    >>> flat_settings({"lr": 0.1, "model": {"width": 8, "betas": [0.9, 0.98]}, "api_key": "abc"})
    {'lr': '0.1', 'model.width': '8', 'model.betas': '[0.9, 0.98]', 'api_key': '[withheld]'}
    >>> flat_settings({"argv": ["--hub-token", "abc", "--lr", "1"], "loggers": [{"url": "http://a:b@h/x"}]})
    {'argv': "['--hub-token', '[withheld]', '--lr', '1']", 'loggers.0.url': 'http://h/x'}
    >>> flat_settings("the run with the small model")
    {'config': 'the run with the small model'}
    """
    if config is None:
        return {}
    try:
        parts = _parts(config)
        if parts is None:
            parts = _attributes(config) or {_WHOLE: config}
    except Exception as error:  # noqa: BLE001 - what a configuration of the user's own raises ends no training
        return {_WHOLE: _unreadable(error)}
    settings = _flat(parts, _Place(above=frozenset([id(config)])))
    kept = dict(islice(settings, _MOST_SETTINGS))
    if next(settings, None) is not None:
        kept["settings"] = f"the first {_MOST_SETTINGS} are kept"
    return kept


def unreadable_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the names of the settings that could not be read, with the kind of error.

    >>> unreadable_settings({"lr": "1", "data.path": "[unreadable: MissingMandatoryValue]"})
    {'data.path': 'MissingMandatoryValue'}
    """
    marked = {name: text for name, text in settings.items() if text.startswith(_UNREADABLE)}
    return {name: text.removeprefix(_UNREADABLE).rstrip("]") for name, text in marked.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where in a configuration some parts stand.

    Attributes:
        prefix: Of their names.
        under: The secret's name that they are a part of, if they are of one.
        above: The identities of all that they lie in.
    """

    prefix: str = ""
    under: str = ""
    above: frozenset[int] = frozenset()

    def below(self, name: str, *, under: str, value: object) -> "_Place":
        return _Place(prefix=f"{name}.", under=under, above=self.above | {id(value)})


class _Fields(Mapping[Any, Any]):
    """Named parts that are read one by one, since any of them may fail."""

    def __init__(self, names: Iterable[Any], read: Callable[[Any], Any]) -> None:
        self._names = list(names)
        self._read = read

    def __getitem__(self, key: Any) -> Any:
        return self._read(key)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


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
        return _Fields(value.keys(), value.__getitem__)
    if names := _field_names(kind):
        return _Fields(names, lambda name: getattr(value, name, None))
    # An object whose text is only its address is told by what it holds.
    return (_attributes(value) or None) if has_no_text(value) and not callable(value) else None


def _field_names(kind: Any) -> list[str]:
    """Return the fields of a dataclass, a named tuple, or a class of pydantic, attrs or msgspec."""
    if is_dataclass(kind):
        return [field.name for field in fields(kind)]
    for told in ("_fields" if tuple in kind.__mro__ else "model_fields", "__struct_fields__", "__fields__"):
        named: Any = getattr(kind, told, ())
        if isinstance(named, dict | tuple) and named:
            return list(map(str, cast("Iterable[object]", named)))
    return [field.name for field in getattr(kind, "__attrs_attrs__", ())]


def _attributes(value: Any) -> dict[str, Any]:
    """Return the public attributes of an object or a module, and the values that a class holds for them."""
    found: dict[str, Any] = {}
    kind = value if isinstance(value, type) else cast("type[Any]", type(value))
    for each in reversed(kind.__mro__):
        if each.__module__ != "builtins":
            found |= {name: part for name, part in vars(each).items() if _is_value(part)}
    own: Mapping[str, Any] = {} if isinstance(value, type) else getattr(value, "__dict__", {})
    is_module = isinstance(value, ModuleType)
    found |= {name: part for name, part in own.items() if not is_module or _is_value(part)}
    return {name: part for name, part in found.items() if not name.startswith("_")}


def _is_value(part: object) -> bool:
    """Say whether what a class or a module holds is a value, and not a part of its code."""
    return not (
        callable(part) or hasattr(type(part), "__get__") or isinstance(part, ModuleType | staticmethod)
    )


def _flat(parts: Mapping[Any, Any], place: _Place) -> Iterator[tuple[str, str]]:
    try:
        told, keys = _told_name(parts), list(parts)
    except Exception as error:  # noqa: BLE001 - as in _settings
        yield place.prefix.removesuffix(".") or _WHOLE, _unreadable(error)
        return
    for key in keys:
        name = _key_text(key)
        own = told if told and name.casefold() in _VALUES else name
        under = own if may_be_secret(own) else place.under
        yield from _settings(
            f"{place.prefix}{plain_text(redacted(name))}", parts, key, under=under, place=place
        )


def _settings(
    name: str, inside: Mapping[Any, Any], key: Any, *, under: str, place: _Place
) -> Iterator[tuple[str, str]]:
    try:
        value = inside[key]
        parts = _parts(value)
        if parts is None and _is_list(value):
            items: list[Any] = list(islice(value, _MOST_ITEMS))
            if any(_parts(item) is not None for item in items):
                parts = dict(enumerate(items))
        if parts and id(value) in place.above:
            yield name, "[contains itself]"
        elif parts and len(place.above) <= _DEPTH:
            yield from _flat(parts, place.below(name, under=under, value=value))
        else:
            yield name, WITHHELD if under and is_secret(under, value) else _text(value)
    except Exception as error:  # noqa: BLE001 - a value of the user's own may raise anything; it costs itself only
        yield name, _unreadable(error)


def _unreadable(error: Exception) -> str:
    return f"{_UNREADABLE}{type(error).__name__}]"


def _key_text(key: object) -> str:
    try:
        return setting_text(key)
    except Exception as error:  # noqa: BLE001 - as in _settings
        return _unreadable(error)


def _told_name(parts: Mapping[Any, Any]) -> str:
    """Return the secret's name that ``{"name": "api_key", "value": ...}`` tells, if it does."""
    for key in parts:
        if _key_text(key).casefold() in _NAMES:
            with suppress(Exception):  # it is told as unreadable where it is read
                if isinstance(name := parts[key], str) and is_secret(name):
                    return name
    return ""


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview | range)


def _text(value: Any) -> str:
    if isinstance(value, AbstractSet):
        value = sorted(cast("AbstractSet[Any]", value), key=str)
    shown = str(_listed(value, depth=0)) if _is_list(value) else setting_text(value)
    return plain_text(redacted(shown))


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
            is_deep = _is_list(item) and depth < _DEPTH
            kept.append(_listed(item, depth=depth + 1) if is_deep else _plain(item))
            before = ""
    return tuple(kept) if isinstance(items, tuple) else kept


def _plain(item: Any) -> object:
    """Return an item of a list as what its list shows as people write it."""
    if item is None or isinstance(item, bool | int | float | complex):
        return item.item() if hasattr(item, "item") else item  # numpy's own float is a float
    text = setting_text(item)
    try:
        return literal_eval(text) if hasattr(type(item), "dtype") else text
    except (ValueError, SyntaxError):
        return text
