"""The table of metrics: every key that grokscope writes, spelled once.

A key is ``<family>/<quantity>[/<where>]``. Curve families are splits (``train``, ``test``, ``val``,
``shift:<name>``); the others group what is measured (``weights``, ``gradients``, ...).
"""

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType

from grokscope.schemas.errors import UnknownMetricError
from grokscope.schemas.metrics.measure import CURVE, Metric
from grokscope.schemas.metrics.rows import ALL

SPLITS = ("train", "test", "val")
_SHIFT = re.compile(r"shift:[\w.\-]+")

METRICS: Mapping[tuple[str, str], Metric] = MappingProxyType({(m.family, m.quantity): m for m in ALL})
"""Every metric by ``(family, quantity)``."""


def is_split(name: str) -> bool:
    """Say whether ``name`` is a split: train, test, val or shift:<name>.

    >>> is_split("shift:rotated"), is_split("weights")
    (True, False)
    """
    return name in SPLITS or _SHIFT.fullmatch(name) is not None


def find_metric(key: str) -> Metric | None:
    """Return the row of the table that ``key`` belongs to, or ``None``.

    >>> find_metric("weights/norm/embedding").unit
    '1'
    >>> find_metric("my/own") is None
    True
    """
    family, _, rest = key.partition("/")
    quantity, _, where = rest.partition("/")
    if is_split(family):
        return None if where else METRICS.get((CURVE, quantity))
    if family == CURVE:  # the table's word for all splits, not a split
        return None
    return METRICS.get((family, quantity))


def metric(key: str) -> Metric:
    """Return the row of the table that ``key`` belongs to.

    Raises:
        UnknownMetricError: If the table has no such row; the message names the closest one.

    >>> metric("test/accuracy").high
    1.0
    """
    found = find_metric(key)
    if found is None:
        near = difflib.get_close_matches(key.replace("_", "/", 1), spelled_out(), n=1, cutoff=0.0)
        raise UnknownMetricError(
            f"{key!r} is not a known metric; closest: {near[0]!r}. Map it with --alias {key}={near[0]}"
        )
    return found


def spelled_out() -> tuple[str, ...]:
    """Return every key of the table without its ``<where>``, with the three plain splits.

    >>> "val/loss" in spelled_out()
    True
    """
    return tuple(
        f"{family}/{m.quantity}" for m in ALL for family in (SPLITS if m.family == CURVE else (m.family,))
    )
