"""The measures that give arrays: ``arrays.json`` beside this package, written by ``make measures``."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from grokscope.schemas.arrays.array_measure import ArrayMeasure
from grokscope.schemas.metrics.measure import Tier


def _measure(row: dict[str, Any]) -> ArrayMeasure:
    # Which instruments give it is for people who read the file.
    known = {name: value for name, value in row.items() if name != "given_by"}
    known["axes"], known["tier"] = tuple(row["axes"]), Tier(row["tier"])
    return ArrayMeasure(**known)


def _committed() -> dict[str, ArrayMeasure]:
    text = Path(__file__).parents[1].joinpath("arrays.json").read_text("utf-8")
    return {one.name: one for one in map(_measure, json.loads(text))}


ARRAYS: Mapping[str, ArrayMeasure] = MappingProxyType(_committed())
"""Every measure that gives arrays, by its name."""


def find_array(name: str) -> ArrayMeasure | None:
    """Return the row of the table that an array's name belongs to, or ``None`` for one of a user's own.

    >>> find_array("outputs/margins/test").axes, find_array("my/own")
    (('margin',), None)
    """
    return ARRAYS.get("/".join(name.split("/")[:2]))
