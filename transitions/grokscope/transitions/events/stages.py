"""Stages: where one generalization rests on its way up."""

from dataclasses import dataclass

import numpy as np

from grokscope.transitions.curves.s_curve import crossings
from grokscope.transitions.curves.series import Curve, log_steps, median
from grokscope.transitions.events.generalization import Rise

SHARES = np.arange(1, 10) / 10
"""Shares of the rise whose crossings are compared."""
LONGER, LEAST_DECADES, LEAST_EVALUATIONS = 4.0, 0.1, 5
"""A rest takes so many times as long as the median tenth of the rise, in log step (the longest tenth of an
S-curve takes 1.7 to 2.2 times as long), so many decades, and shows in so many evaluations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A level that the curve rested at within its rise, between two steps."""

    level: float
    begin: int
    end: int


def rests_of(rise: Rise, test: Curve) -> list[Rest]:
    """Return where the rise of ``test`` rested between 10 % and 90 %; empty for one S-curve.

    >>> from grokscope.transitions.events.generalization import rise_of
    >>> test = np.repeat([0.0, 0.5, 1.0], [30, 60, 30])
    >>> curve = Curve(metric="test/accuracy", steps=np.arange(1, 121) * 10, values=test)
    >>> rests_of(rise_of(curve, after=10), curve)
    [Rest(level=0.5, begin=310, end=910)]
    """
    done = len(test) if rise.completed is None else int(np.searchsorted(test.steps, rise.completed.high)) + 1
    window = slice(rise.start, done)
    levels = rise.plateau + SHARES * rise.height
    crossed = np.minimum(crossings(test.values[window], levels, height=rise.height), done - rise.start - 1)
    took = np.diff(log_steps(test.steps[window])[crossed])
    least = max(LONGER * median(took), LEAST_DECADES * float(np.log(10)))
    found: list[Rest] = []
    for i in np.flatnonzero((took >= least) & (np.diff(crossed) >= LEAST_EVALUATIONS)):
        begin, end = rise.start + int(crossed[i]), rise.start + int(crossed[i + 1])
        level = median(test.values[begin:end])
        found.append(Rest(level=level, begin=int(test.steps[begin]), end=int(test.steps[end])))
    return found
