"""The table of metrics: every key that grokscope writes, spelled once.

A key is ``<family>/<quantity>[/<where>]``. Curve families are splits (``train``, ``test``, ``val``,
``shift:<name>``); the others group what is measured (``weights``, ``gradients``, ...).
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from grokscope.schemas.errors import UnknownMetricError


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
SPLITS = ("train", "test", "val")
_SHIFT = re.compile(r"shift:[\w.\-]+")

_UP, _DOWN = Direction.UP, Direction.DOWN

_TABLE: tuple[Metric, ...] = (
    Metric(family=CURVE, quantity="loss", label="cross-entropy", unit="nats", direction=_DOWN, low=0.0),
    Metric(
        family=CURVE, quantity="batch_loss", label="loss of the batch", unit="nats", direction=_DOWN, low=0.0
    ),
    Metric(family=CURVE, quantity="accuracy", label="accuracy", unit="1", direction=_UP, low=0.0, high=1.0),
    Metric(
        family=CURVE,
        quantity="mrr",
        label="mean reciprocal rank of the true class",
        unit="1",
        direction=_UP,
        low=0.0,
        high=1.0,
        source="Voorhees 1999",
    ),
    Metric(family=CURVE, quantity="margin", label="mean logit margin", unit="logit", direction=_UP),
    *(
        Metric(
            family=CURVE,
            quantity=f"log_probability_q{q}",
            label=f"log-probability of the true class, {q} % quantile",
            unit="nats",
            direction=_UP,
            high=0.0,
        )
        for q in (10, 50, 90)
    ),
    Metric(
        family=CURVE,
        quantity="information",
        label="temperature-calibrated information",
        unit="1",
        direction=_UP,
        low=0.0,
        high=1.0,
        source="Guo et al. 2017, arXiv:1706.04599",
    ),
    Metric(
        family=CURVE,
        quantity="temperature",
        label="temperature that calibrates the logits",
        unit="1",
        low=0.0,
        source="Guo et al. 2017, arXiv:1706.04599",
    ),
    Metric(family=CURVE, quantity="logit_scale", label="mean norm of centred logits", unit="logit", low=0.0),
    Metric(
        family=CURVE,
        quantity="zero_loss_share",
        label="share of examples whose loss is exactly 0",
        unit="1",
        low=0.0,
        high=1.0,
        source="Prieto et al. 2025, arXiv:2501.04697",
    ),
    Metric(family="weights", quantity="norm", label="weight norm", unit="1", low=0.0),
    Metric(
        family="weights",
        quantity="distance_from_init",
        label="distance from initialisation",
        unit="1",
        low=0.0,
    ),
    Metric(
        family="weights",
        quantity="spectral_norm",
        label="spectral norm",
        unit="1",
        low=0.0,
        tier=Tier.CHEAP,
    ),
    Metric(
        family="weights",
        quantity="effective_rank",
        label="effective rank (entropy of σ)",
        unit="dimensions",
        low=1.0,
        tier=Tier.CHEAP,
        source="Roy & Vetterli 2007",
    ),
    Metric(
        family="weights",
        quantity="participation_ratio",
        label="participation ratio of σ²",
        unit="dimensions",
        low=1.0,
        tier=Tier.CHEAP,
    ),
    Metric(family="gradients", quantity="norm", label="gradient norm", unit="1", low=0.0),
    Metric(family="updates", quantity="ratio", label="update norm / weight norm", unit="1", low=0.0),
    Metric(
        family="representation",
        quantity="nc1",
        label="within-class / between-class scatter (NC1)",
        unit="1",
        direction=_DOWN,
        low=0.0,
        tier=Tier.CHEAP,
        source="Papyan et al. 2020, arXiv:2008.08186",
    ),
    Metric(family="progress", quantity="examples", label="examples seen", unit="examples", low=0.0),
    Metric(family="progress", quantity="tokens", label="tokens seen", unit="tokens", low=0.0),
    Metric(family="progress", quantity="flops", label="training FLOPs", unit="FLOP", low=0.0),
    Metric(family="progress", quantity="seconds", label="time since the run began", unit="s", low=0.0),
    Metric(family="progress", quantity="epochs", label="epochs", unit="epochs", low=0.0),
    Metric(family="collector", quantity="seconds", label="time spent measuring, so far", unit="s", low=0.0),
    Metric(
        family="collector",
        quantity="share",
        label="share of run time spent measuring",
        unit="1",
        low=0.0,
        high=1.0,
    ),
    Metric(
        family="collector",
        quantity="skipped",
        label="costly readings skipped to keep to the budget",
        unit="readings",
        low=0.0,
    ),
    Metric(family="collector", quantity="dropped", label="points lost on the way", unit="points", low=0.0),
)

METRICS: Mapping[tuple[str, str], Metric] = MappingProxyType({(m.family, m.quantity): m for m in _TABLE})
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
        f"{family}/{m.quantity}" for m in _TABLE for family in (SPLITS if m.family == CURVE else (m.family,))
    )
