"""One measure: what its key means, and what is known about it."""

from dataclasses import dataclass
from enum import StrEnum

SPLIT = "<split>"
"""Stands in a key for the split that was measured."""

CURVE = "curve"
"""The family of everything that is measured of a split."""


class Direction(StrEnum):
    """Which way is better, if either."""

    UP = "up"
    DOWN = "down"
    NONE = "none"


class Tier(StrEnum):
    """What measuring once costs: 0 free with the evaluation pass, 1 some steps, 2 many steps."""

    FREE = "0"
    CHEAP = "1"
    COSTLY = "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure, as the file of its topic declares it and as the table of metrics holds it.

    Attributes:
        key: ``<family>/<quantity>``, with ``<split>`` for the family of what is measured of a split.
        label: What a chart's axis says.
        unit: Unit of the value; ``"1"`` when dimensionless.
        low: Smallest possible value, ``None`` when unbounded.
        high: Largest possible value, ``None`` when unbounded.
        direction: Which way is better.
        tier: What measuring it once costs.
        formula: How it is computed; empty where there is nothing to compute.
        source: Where the definition comes from.
        around: What it does around grokking, and who says so; empty where nothing is known.
    """

    key: str
    label: str
    unit: str
    low: float | None = None
    high: float | None = None
    direction: Direction = Direction.NONE
    tier: Tier = Tier.FREE
    formula: str = ""
    source: str = "definition"
    around: str = ""

    @property
    def family(self) -> str:
        """``curve`` for what is measured of a split, else the first part of the key."""
        family = self.key.partition("/")[0]
        return CURVE if family == SPLIT else family

    @property
    def quantity(self) -> str:
        """Return the second part of the key."""
        return self.key.partition("/")[2]

    def at(self, place: str) -> str:
        """Return the key that is logged: of a split, or of a place in the model or a split behind the key.

        >>> Measure(key="<split>/loss", label="cross-entropy", unit="nats").at("test")
        'test/loss'
        >>> Measure(key="weights/norm", label="weight norm", unit="1").at("embedding")
        'weights/norm/embedding'
        """
        if self.family == CURVE:
            return f"{place}/{self.quantity}"
        return f"{self.key}/{place}"
