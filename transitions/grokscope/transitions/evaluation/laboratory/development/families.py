"""All families that the engine is developed on."""

from collections.abc import Sequence

from grokscope.transitions.evaluation.laboratory.development import (
    emergence,
    grokking,
    logs,
    losses,
    lost,
    metrics,
    ordinary,
    splits,
    unlearned,
)
from grokscope.transitions.evaluation.laboratory.family import Family

FAMILIES: Sequence[Family] = (
    *grokking.FAMILIES,
    *logs.FAMILIES,
    *metrics.FAMILIES,
    *ordinary.FAMILIES,
    *unlearned.FAMILIES,
    *lost.FAMILIES,
    *losses.FAMILIES,
    *emergence.FAMILIES,
    *splits.FAMILIES,
)
"""In the order in which tables list them."""
