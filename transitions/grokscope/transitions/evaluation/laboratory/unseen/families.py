"""All families of this half."""

from collections.abc import Sequence

from grokscope.transitions.evaluation.laboratory.family import Family
from grokscope.transitions.evaluation.laboratory.unseen import (
    grokking,
    losing,
    losses,
    ordinary,
    overfit,
    stages,
    unlearned,
    unpaired,
)

_TOPICS = (grokking, stages, ordinary, overfit, unlearned, losing, losses, unpaired)

FAMILIES: Sequence[Family] = tuple(family for topic in _TOPICS for family in topic.FAMILIES)
"""Every family, grouped by topic."""
