"""One row of the table of metrics: what a key means."""

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Which way is better, if either."""

    UP = "up"
    DOWN = "down"
    NONE = "none"


class Tier(StrEnum):
    """What one reading costs: 0 free with the evaluation pass, 1 some steps, 2 many steps."""

    FREE = "0"
    CHEAP = "1"
    COSTLY = "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row of the table.

    Attributes:
        family: ``curve`` for quantities of a split, else the first part of the key.
        quantity: Second part of the key.
        label: What a chart's axis says.
        unit: Unit of the value; ``"1"`` when dimensionless.
        direction: Which way is better.
        low: Smallest possible value, ``None`` when unbounded.
        high: Largest possible value, ``None`` when unbounded.
        tier: What one reading costs.
        source: Where the definition comes from.
    """

    family: str
    quantity: str
    label: str
    unit: str
    direction: Direction = Direction.NONE
    low: float | None = None
    high: float | None = None
    tier: Tier = Tier.FREE
    source: str = "definition"


CURVE = "curve"
"""The table's word for the family of every split."""
