"""Memorization: the training set is fit and stays fit."""

from dataclasses import dataclass

import numpy as np

from grokscope.schemas import Date, Kind, Transition
from grokscope.transitions.curves.crossings import arrival, bracket, earliest_arrival
from grokscope.transitions.curves.noise import jitter
from grokscope.transitions.curves.series import Curve, median, running_median
from grokscope.transitions.events.records import Detail, Origin

MEMORIZED = 0.99
"""Train progress that counts as memorized (common definition; dynamics of grokking papers use .99)."""
FITTED = 0.95
"""Train progress from which the wait for generalization is counted; of its own ceiling, if that is lower."""
LEAST_CEILING = 0.5
"""A curve that levels off below half of what is possible has not fit its examples: it is stuck."""
LEAST_UNSEEN = 0.8
"""... and below this if the log, which begins after step 0, does not show how it came there."""
SETTLED = 1 / 3
"""A ceiling shows if the curve has been at it for so much of its evaluations."""
LEARNED = 0.15
"""Share of what was possible that a curve gains at least if anything was learned; what is called memorization
in published sets gains up to .14 on held-out examples."""
LEAST_SIGNAL = 5.0
"""... and so many standard deviations of its noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How the training set was fit; levels as shares of what is possible.

    Attributes:
        fitted_step: Where train progress comes to be usually 95 % of its ceiling; ``None`` if never.
        memorized: First of a row at 99 %, or where a lower ceiling is reached; ``None`` if never.
        ceiling: The level that was fit: 1, or lower where dropout, augmentation or wrong labels keep it.
        has_learned: The curve rose clearly above where it began.
    """

    fitted_step: int | None
    memorized: Date | None
    ceiling: float = 1.0
    has_learned: bool = True

    def event(self, origin: Origin, train: Curve) -> Transition | None:
        """Return the event of memorization, dated where train progress comes to stay; ``None`` if never."""
        if self.memorized is None:
            return None
        detail = Detail(after=train.level(MEMORIZED * self.ceiling))
        return origin.event(Kind.MEMORIZATION, train.metric, self.memorized, detail=detail)


def fit_of(train: Curve, *, is_loss: bool = False) -> Fit:
    """Return when ``train``, as progress, was fit.

    A score that settles below 95 % was fit when it came to 95 % of the way to its own ceiling. Of a loss that
    says nothing: all that can be learned of a language leaves most of it.

    >>> import numpy as np
    >>> values = np.array([0.1, 0.96, 0.97, 1.0, 1.0])
    >>> fit_of(Curve(metric="train/accuracy", steps=np.arange(5) * 100, values=values)).memorized
    Date(step=300, low=200, high=300)
    """
    fitted, memorized = earliest_arrival(train, FITTED), arrival(train, MEMORIZED)
    ceiling = 1.0
    if fitted is None and not is_loss:
        ceiling = ceiling_of(train)
        fitted = memorized = None if np.isnan(ceiling) else earliest_arrival(train, _nearly(train, ceiling))
    return Fit(
        fitted_step=None if fitted is None else int(train.steps[fitted]),
        memorized=None if memorized is None else bracket(train, memorized),
        ceiling=1.0 if np.isnan(ceiling) else ceiling,
        has_learned=fitted is not None or has_learned(train),
    )


def ceiling_of(train: Curve) -> float:
    """Return the level that ``train`` has settled at, NaN if it still rises or lies too low to be a fit.

    >>> values = np.array([0.1, 0.5, 0.8, 0.89, 0.9, 0.9, 0.91, 0.9, 0.9, 0.9])
    >>> round(ceiling_of(Curve(metric="train/accuracy", steps=np.arange(10), values=values)), 2)
    0.9
    """
    later = train.values[int((1 - SETTLED) * len(train)) :]
    ceiling = median(later)
    least = LEAST_CEILING if _is_rise_seen(train, ceiling) else LEAST_UNSEEN
    is_untrained = least == LEAST_UNSEEN and train.steps[0] <= 0
    if ceiling < least or is_untrained:
        return np.nan
    reached = earliest_arrival(train, _nearly(train, ceiling))
    is_settled = reached is not None and len(train) - reached >= SETTLED * len(train)
    return ceiling if is_settled else np.nan


def has_learned(curve: Curve) -> bool:
    """Return whether ``curve`` rose clearly above where it began, and for more than a moment.

    >>> rising = np.array([0.1, 0.1, 0.2, 0.4, 0.5, 0.5, 0.5, 0.5])
    >>> has_learned(Curve(metric="train/accuracy", steps=np.arange(8), values=rising))
    True
    """
    smooth = running_median(curve.values, width=curve.patience | 1)
    start = min(median(curve.values[: min(3, len(curve))]), float(curve.values[0]))
    gain = float(np.max(smooth)) - start
    return gain >= LEARNED * (1 - start) and gain > LEAST_SIGNAL * jitter(curve.values)


def _nearly(train: Curve, ceiling: float) -> float:
    start = float(train.values[0]) if _is_rise_seen(train, ceiling) else 0.0
    return start + FITTED * (ceiling - start)


def _is_rise_seen(train: Curve, ceiling: float) -> bool:
    return ceiling - float(train.values[0]) >= LEARNED
