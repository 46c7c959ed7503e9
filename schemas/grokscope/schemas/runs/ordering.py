"""The order of names: as people count, and the same for the same names, whoever came first."""

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)")


def natural(names: Iterable[str]) -> list[str]:
    """Return the distinct names in order; numbers in them are compared as numbers.

    >>> natural(["decay 10", "decay 2", "decay 0.1", "none", "decay 2"])
    ['decay 0.1', 'decay 2', 'decay 10', 'none']
    """
    return sorted(set(names), key=_key)


def _key(name: str) -> tuple[list[tuple[float, str]], str]:
    parts = _NUMBER.split(name.casefold())
    # Every second part is a number; before texts, as digits come before letters.
    return [(float(p), "") if i % 2 else (float("inf"), p) for i, p in enumerate(parts)], name
