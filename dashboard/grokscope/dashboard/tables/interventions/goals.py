"""What runs are to reach: a degree of generalization that verdicts date, or a level of a metric."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from grokscope.dashboard.charts.elements.quantity import is_whole_share
from grokscope.dashboard.tables.costs import EVENTS
from grokscope.dashboard.words.escaping import plain
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas import score_of

METRIC = "metric"
"""The degree that is no date of a verdict but a level of a metric."""
DEGREES = ("completion", "midpoint", "onset", METRIC)
_WELL = 0.95
_DONE = {
    "completion": "generalized",
    "midpoint": "got half-way up (midpoint)",
    "onset": "began to generalize (onset)",
}
_SHOWN_SIGNS = {">=": "≥", "<=": "≤"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is to be reached.

    Attributes:
        event: One of ``EVENTS``; not used where there is a target.
        target: A metric and its level.
    """

    event: str = EVENTS[-1]
    target: Target | None = None

    @property
    def done(self) -> str:
        """Return what a run did that is there, as plain text.

        >>> Goal(target=Target.parse("val_loss<=3.28")).done
        'reached val_loss ≤ 3.28'
        """
        return _DONE[self.event] if self.target is None else f"reached {self.named}"

    @property
    def named(self) -> str:
        """Return what is reached, as plain text."""
        if self.target is None:
            return self.event
        sign = _SHOWN_SIGNS[self.target.sign]
        return f"{plain(self.target.metric, limit=80)} {sign} {self.target.level:.6g}"


def first_sign(metric: str) -> Literal[">=", "<="]:
    """Return the way in which a metric gets better; of one that is no score, upwards unless called a loss.

    >>> first_sign("test/accuracy"), first_sign("val_loss")
    ('>=', '<=')
    """
    score = score_of(metric)
    if score is None:
        return "<=" if "loss" in metric.lower() else ">="
    return ">=" if score.higher_is_better else "<="


def first_level(metric: str, values: Sequence[float] | pl.Series, *, sign: str) -> float:
    """Return the level to begin with: .95 of a share where a run gets there, else what half of them reach.

    Args:
        metric: Its name.
        values: The best of each run.
        sign: ``">="`` or ``"<="``.

    >>> first_level("test/accuracy", [1.0, 0.99, 0.2], sign=">=")
    0.95
    >>> first_level("val_loss", [3.2768, 3.3, 3.1], sign="<=")
    3.28
    """
    known = sorted(value for value in values if math.isfinite(value))
    if not known:
        return 0.0
    half = known[(len(known) - 1) // 2] if sign == ">=" else known[len(known) // 2]
    score = score_of(metric)
    if sign == ">=" and score is not None and is_whole_share(score) and known[-1] >= _WELL:
        return _WELL
    return _easier(half, upwards=sign == "<=")


def _easier(value: float, *, upwards: bool) -> float:
    """Return a value with three digits that is at least, or at most, the given one."""
    if value == 0:
        return 0.0
    places = 2 - math.floor(math.log10(abs(value)))
    factor = 10.0**places
    rounded = (math.ceil if upwards else math.floor)(round(value * factor, 6)) / factor
    return round(rounded, max(0, places))
