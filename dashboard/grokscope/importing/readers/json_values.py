"""Numbers and settings out of the JSON of other tools."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from grokscope.importing.encodings import in_utf8
from grokscope.importing.limits import Tally
from grokscope.importing.records import ImportingError

_WORDS: Mapping[str, float] = {
    **dict.fromkeys(("nan",), math.nan),
    **dict.fromkeys(("infinity", "inf", "+infinity", "+inf"), math.inf),
    **dict.fromkeys(("-infinity", "-inf"), -math.inf),
}
_DEPTH = 12
# A bracket, or a text, which may be cut off at the end; what comes once is not looked at twice.
_TOKEN = re.compile(r'[{}\[\]]|"(?P<text>(?:[^"\\]++|\\.?)*+)(?:"(?P<is_key>\s*+:)?|\Z)', re.DOTALL)


def number(value: object) -> float | None:
    """Return ``value`` as a number, with the words that tools write for NaN and ±Inf; else ``None``.

    >>> number(True), number("Infinity"), number("0.5"), number(10**400)
    (None, inf, None, inf)
    """
    if isinstance(value, str):
        return _WORDS.get(value.strip().lower())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def numbers_in(value: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, float]]:
    """Yield the numbers of a record, nested ones under dotted names.

    >>> dict(numbers_in({"loss": 1, "note": "x", "eval": {"acc": 0.5}}))
    {'loss': 1.0, 'eval.acc': 0.5}
    """
    for key, item in value.items():
        if isinstance(item, Mapping) and depth < _DEPTH:
            yield from numbers_in(cast("Mapping[str, Any]", item), f"{prefix}{key}.", depth + 1)
        elif (found := number(cast("object", item))) is not None:
            yield f"{prefix}{key}", found


def text_number(text: str) -> float | None:
    """Return the number that a text is, with the words for NaN and ±Inf; else ``None``.

    >>> text_number("0.5"), text_number("-inf"), text_number("x")
    (0.5, -inf, None)
    """
    try:
        return float(text)
    except ValueError:
        return _WORDS.get(text.strip().lower())


def top_keys(head: bytes) -> Iterator[str]:
    """Yield the keys of a JSON object, told by what it begins with; texts that look like keys are none.

    >>> list(top_keys(b'{"a": {"b": 1}, "c": ["d", {"e": 2}], "f": "cut of'))
    ['a', 'c', 'f']
    """
    depth = 0
    for token in _TOKEN.finditer(head.decode("utf-8-sig", "ignore")):
        if token[0] in "{[":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        elif depth == 1 and token["is_key"]:
            yield token["text"]


def object_in(path: Path, tally: Tally) -> dict[str, Any]:
    """Return the JSON object that a file holds; empty if it holds something else.

    Raises:
        ImportingError: If it is too large, or no JSON.
    """
    if path.stat().st_size > tally.limits.record_bytes:
        raise ImportingError(f"{path.name!r} has more than {tally.limits.record_bytes:,} bytes")
    try:
        content: Any = json.loads(in_utf8(path.read_bytes()))
    except (ValueError, RecursionError) as error:
        raise ImportingError(f"{path.name!r} is not readable JSON ({error})") from error
    return cast("dict[str, Any]", content) if isinstance(content, dict) else {}
