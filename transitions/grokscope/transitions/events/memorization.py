"""Memorization: the training set is fit and stays fit."""

from dataclasses import dataclass

from grokscope.schemas import Date, Kind, Transition
from grokscope.transitions.curves.crossings import arrival, bracket, earliest_arrival
from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.records import Detail, Origin

MEMORIZED = 0.99
"""Train accuracy that counts as memorized (common definition; dynamics of grokking papers use .99)."""
FITTED = 0.95
"""Train accuracy from which the wait for generalization is counted, and below which nothing was learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How the training set was fit.

    Attributes:
        fitted_step: Where train accuracy comes to be usually 95 % or more; ``None`` if never.
        memorized: First of a row at 99 %; ``None`` if never.
    """

    fitted_step: int | None
    memorized: Date | None

    def event(self, origin: Origin, metric: str) -> Transition | None:
        """Return the event of memorization, dated where train accuracy comes to stay; ``None`` if never."""
        if self.memorized is None:
            return None
        return origin.event(Kind.MEMORIZATION, metric, self.memorized, detail=Detail(after=MEMORIZED))


def fit_of(train: Curve) -> Fit:
    """Return when ``train`` (an accuracy) was fit.

    >>> import numpy as np
    >>> values = np.array([0.1, 0.96, 0.97, 1.0, 1.0])
    >>> fit_of(Curve(metric="train/accuracy", steps=np.arange(5) * 100, values=values))
    Fit(fitted_step=100, memorized=Date(step=300, low=200, high=300))
    """
    fitted, memorized = earliest_arrival(train, FITTED), arrival(train, MEMORIZED)
    return Fit(
        fitted_step=None if fitted is None else int(train.steps[fitted]),
        memorized=None if memorized is None else bracket(train, memorized),
    )
