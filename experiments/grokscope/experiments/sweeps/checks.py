"""What a sweep's file may say: each check takes a value and returns it typed, or says what is wrong."""

import difflib
import math
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from grokscope.schemas import GrokscopeError
from grokscope.schemas.names import plain_text
from grokscope.schemas.runs.description import Value
from grokscope.schemas.secrets import redacted

_SHOWN = 60
_LONGEST = 1000
_MOST_BITS = 10_000


class _Repr(reprlib.Repr):
    """Reads no more of a value than is shown: it may be deep, hold itself, or have a million digits."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxset = self.maxdict = self.maxother = _SHOWN

    def repr_str(self, x: str, level: int) -> str:
        del level
        return repr(x[:_LONGEST])

    def repr_int(self, x: int, level: int) -> str:
        del level
        return repr(x) if x.bit_length() <= _MOST_BITS else hex(x)


_REPR = _Repr()


class ConfigError(GrokscopeError):
    """A sweep that cannot be what was meant; says what was got, what is allowed and what to do."""


def shown(value: object) -> str:
    """Return a value as a sentence quotes it, cut where it is long.

    >>> shown("x"), shown([1] * 100)[-3:]
    ("'x'", '1,…')
    """
    text = redacted(_REPR.repr(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def check_known(names: Iterable[str], known: Iterable[str], *, what: str) -> None:
    """Refuse a name that is none of ``known``, and name the closest.

    >>> try:
    ...     check_known(["gird"], ["grid", "seeds"], what="key")
    ... except ConfigError as error:
    ...     print(error)
    'gird' is no key; closest: 'grid' (known: grid, seeds)
    """
    allowed = list(known)
    for name in names:
        if name not in allowed:
            near = difflib.get_close_matches(name, allowed, n=1, cutoff=0.0)
            closest = f"; closest: {near[0]!r} (known: {', '.join(allowed)})" if near else "; there is none"
            raise ConfigError(f"{shown(name)} is no {what}{closest}")


def table(value: object, *, what: str) -> dict[str, Any]:
    """Return a table with names for keys."""
    if not isinstance(value, dict):
        raise ConfigError(f"{what} is a table of names and values, got {shown(value)}")
    for name in cast("dict[object, object]", value):
        if not isinstance(name, str) or not name.isidentifier():
            raise ConfigError(f"{what} has names of letters, digits and '_', got {shown(name)}")
    return cast("dict[str, Any]", value)


def filled_list(value: object, *, what: str) -> list[Any]:
    """Return a list that is not empty."""
    if not isinstance(value, list):
        raise ConfigError(f"{what} is a list, got {shown(value)}; write it in brackets")
    if not value:
        raise ConfigError(f"{what} is an empty list; give it a value or remove it")
    return cast("list[Any]", value)


def text(value: object, *, what: str) -> str:
    """Return a text that is not blank."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ConfigError(f"{what} is a text, got {shown(value)}")
    return value


def whole(value: object, *, what: str, least: int, most: int) -> int:
    """Return a whole number from ``least`` to ``most``."""
    if type(value) is not int or not least <= value <= most:
        raise ConfigError(f"{what} is a whole number from {least:,} to {most:,}, got {shown(value)}")
    return value


def number(value: object, *, what: str) -> int | float:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise ConfigError(f"{what} is a finite number, got {shown(value)}")
    return value


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def setting_value(value: object, *, what: str) -> Value:
    """Return a value that a setting can have: a text, a finite number, or true or false.

    >>> setting_value(0.1, what="lr"), setting_value("adam", what="optimizer")
    (0.1, 'adam')
    """
    if isinstance(value, str) and plain_text(value) != value:
        raise ConfigError(f"{what} is a text that a program can be told, got {shown(value)}")
    if isinstance(value, str | bool):
        return value
    if isinstance(value, int | float):
        return number(value, what=what)
    raise ConfigError(f"{what} is a text, a number, true or false, got {shown(value)}")


def check_distinct(values: Sequence[object], *, what: str) -> None:
    """Refuse a value that is there twice."""
    seen: set[str] = set()
    for value in values:
        if repr(value) in seen:
            raise ConfigError(f"{what} holds {shown(value)} twice; remove one")
        seen.add(repr(value))


def as_text(value: Value) -> str:
    """Return a setting as a command and a group show it.

    >>> as_text(True), as_text(1e-3), as_text("adam")
    ('true', '0.001', 'adam')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def without(names: Iterable[str], *, taken: Mapping[str, object], what: str) -> None:
    """Refuse a setting that is given twice."""
    for name in names:
        if name in taken:
            raise ConfigError(f"{name} stands in [settings] and in {what}; remove one of the two")
