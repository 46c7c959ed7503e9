"""The table of metrics: every key that grokscope writes, spelled once.

A key is ``<family>/<quantity>[/<location>]``. Curve families are splits (``train``, ``test``, ``val``,
``shift:<name>``); the others group what is measured (``weights``, ``gradients``, ...).

The table is ``metrics.json`` beside this package, which is made from the measures of
``grokscope.collectors.measures`` by ``make measures``: the reading side knows no torch.
"""

import difflib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from grokscope.schemas.errors import UnknownMetricError
from grokscope.schemas.metrics.measure import CURVE, Direction, Measure, Tier

SPLITS = ("train", "test", "val")
_SHIFT = re.compile(r"shift:[\w.\-]+")


def _measure(row: dict[str, Any]) -> Measure:
    # Which instruments give the key is for people who read the file.
    known = {name: value for name, value in row.items() if name != "given_by"}
    known["direction"], known["tier"] = Direction(row["direction"]), Tier(row["tier"])
    return Measure(**known)


def _committed() -> dict[tuple[str, str], Measure]:
    # A path, for importlib.resources alone would take longer to import than the table to read.
    text = Path(__file__).parents[1].joinpath("metrics.json").read_text("utf-8")
    return {(one.family, one.quantity): one for one in map(_measure, json.loads(text))}


METRICS: Mapping[tuple[str, str], Measure] = MappingProxyType(_committed())
"""Every measure by ``(family, quantity)``."""


def is_split(name: str) -> bool:
    """Say whether ``name`` is a split: train, test, val or shift:<name>.

    >>> is_split("shift:rotated"), is_split("weights")
    (True, False)
    """
    return name in SPLITS or _SHIFT.fullmatch(name) is not None


def find_metric(key: str) -> Measure | None:
    """Return the row of the table that ``key`` belongs to, or ``None``.

    >>> find_metric("weights/norm/embedding").unit
    '1'
    >>> find_metric("my/own") is None
    True
    """
    family, _, rest = key.partition("/")
    quantity, _, location = rest.partition("/")
    if is_split(family):
        return None if location else METRICS.get((CURVE, quantity))
    if family == CURVE:  # the table's word for all splits, not a split
        return None
    return METRICS.get((family, quantity))


def metric(key: str) -> Measure:
    """Return the row of the table that ``key`` belongs to.

    Raises:
        UnknownMetricError: If the table has no such row; the message names the closest one.

    >>> metric("test/accuracy").high
    1.0
    """
    found = find_metric(key)
    if found is None:
        part = key.replace("_", "/", 1)
        near = [one for one in spelled_out() if one.startswith(part)]  # what was cut short
        near = near or difflib.get_close_matches(part, spelled_out(), n=1, cutoff=0.0)
        raise UnknownMetricError(
            f"{key!r} is not a known metric; closest: {near[0]!r}. Map it with --alias {key}={near[0]}"
        )
    return found


def spelled_out() -> tuple[str, ...]:
    """Return every key of the table without its ``<location>``, with the three plain splits.

    >>> "val/loss" in spelled_out()
    True
    """
    return tuple(
        f"{family}/{m.quantity}"
        for m in METRICS.values()
        for family in (SPLITS if m.family == CURVE else (m.family,))
    )
