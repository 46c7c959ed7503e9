"""Whether a chart that came in a file may be drawn: what could load, link or compute at length is refused."""

import re
from collections.abc import Collection
from typing import Any

from grokscope.dashboard.exporting.nested import inside, list_of, object_of
from grokscope.schemas import GrokscopeError

_MARKS = frozenset(
    {"line", "area", "rule", "rect", "point", "tick", "text", "bar", "circle", "square", "trail"}
)
_REFUSED = frozenset(
    {"url", "href", "signal", "expr", "params", "config", "usermeta", "projection", "datasets", "lookup",
     "bin", "on", "events", "calculate", "formatType", "loader"}
)  # fmt: skip
_TRANSFORMS = frozenset({"filter", "aggregate", "groupby"})
_EXPRESSIONS = frozenset({"filter", "test", "labelExpr", "and", "or", "not"})
_LARGEST = 10_000
"""Of what counts ticks, columns or pixels."""
_COUNTED = frozenset({"tickCount", "columns", "width", "height", "size", "fontSize", "strokeWidth", "step"})
_DEEPEST = 60

# Columns, constants, comparisons and what writes a number or cuts a text: nothing that repeats or matches.
_EXPRESSION = re.compile(
    r"""(?: \s+ | datum(?:\.[A-Za-z_]\w{0,60})? | \[ | \] | -?\d+(?:\.\d+)?(?:e[+-]?\d+)?
    | '(?:[^'\\]|\\.){0,200}' | "(?:[^"\\]|\\.){0,200}"
    | \b(?:format|length|slice|abs|isValid|isFinite)\( | \b(?:true|false|null)\b
    | ===? | !==? | <=? | >=? | && | \|\| | [!?:(),+\-*/%] )+""",
    re.VERBOSE,
)
_CALLED = re.compile(r"[\])'\"]\s*\(|constructor|__proto__|prototype")
"""What is computed is not called, and no object is asked for what made it."""
_LONGEST = 2_000


class UntrustedError(GrokscopeError):
    """A chart that is not drawn, since it is more than a chart."""


def check_chart(chart: Any, data: Collection[str]) -> None:
    """Refuse a chart that would load, link, or compute what charts of grokscope do not.

    Args:
        chart: Read from JSON.
        data: Names of the data that there are.

    Raises:
        UntrustedError: In one sentence, with the first thing that is wrong.

    >>> check_chart({"mark": "line", "data": {"name": "a"}}, ["a"])
    >>> check_chart({"mark": "bar", "data": {"url": "http://a"}}, ["a"])  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    UntrustedError: the chart names data that are not in the bundle
    """
    _check(chart, frozenset(data), depth=0)


def _check(value: Any, data: frozenset[str], *, depth: int) -> None:
    if depth > _DEEPEST:
        raise UntrustedError(f"the chart is nested deeper than {_DEEPEST} levels")
    for key, one in object_of(value).items():
        _check_entry(key, one, data)
    for one in inside(value):
        _check(one, data, depth=depth + 1)


def _check_entry(key: str, value: Any, data: frozenset[str]) -> None:
    if key == "data" and (set(object_of(value)) != {"name"} or value["name"] not in data):
        raise UntrustedError("the chart names data that are not in the bundle")
    if key in _REFUSED:
        raise UntrustedError(f"the chart has {key!r}, which figures of grokscope have not")
    if key == "mark" and str(_kind(value)) not in _MARKS:
        raise UntrustedError(f"the chart has a mark that is none of {', '.join(sorted(_MARKS))}")
    if key == "transform" and not _is_plain(value):
        raise UntrustedError("the chart has a transform that is neither a filter nor an aggregate")
    said = [value, *list_of(value)] if key in _EXPRESSIONS else []
    if not all(_is_simple(one) for one in said if isinstance(one, str)):
        raise UntrustedError(f"the chart has an expression under {key!r} that may not be computed")
    if key in _COUNTED and isinstance(value, int | float) and not abs(value) <= _LARGEST:
        raise UntrustedError(f"the chart has a {key!r} beyond {_LARGEST:,}")


def _kind(mark: Any) -> Any:
    return mark if isinstance(mark, str) else object_of(mark).get("type")


def _is_plain(transforms: Any) -> bool:
    return all(object_of(one) and _TRANSFORMS.issuperset(object_of(one)) for one in inside(transforms))


def _is_simple(expression: str) -> bool:
    if len(expression) > _LONGEST or _CALLED.search(expression):
        return False
    return _EXPRESSION.fullmatch(expression) is not None
