"""Epoch-wise double descent: a held-out curve gains, loses it again, and gains more than before."""

from dataclasses import dataclass

import numpy as np

from grokscope.schemas import Check, Date, Kind, Transition
from grokscope.transitions.curves.crossings import around
from grokscope.transitions.curves.noise import jitter
from grokscope.transitions.curves.series import Curve, running_median
from grokscope.transitions.events.records import Detail, Origin

LEAST_SHARE, LEAST_SIGNAL = 0.1, 5.0
"""The peak stands out on both sides by this share of all that the loss ever did, and by so many standard
deviations of its noise."""
LEAST_OF_LEVEL = 0.02
"""... and by this share of what was possible: a resumed run that only jitters has done next to nothing."""
LOWER = 0.1
"""The second valley lies below the first by at least this share of the peak's height above it."""
TIP = 0.1
"""Around the peak, this share of the prominence cannot be told from it: that is the date's interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleDescent:
    """One peak of the error between two valleys; levels in the metric's unit."""

    metric: str
    date: Date
    valley: float
    end: float
    check: Check

    def event(self, origin: Origin) -> Transition:
        """Return the event, dated at the peak between the two valleys."""
        detail = Detail(before=self.valley, after=self.end, evidence=(self.check,))
        return origin.event(Kind.DOUBLE_DESCENT, self.metric, self.date, detail=detail)


def double_descent_of(curve: Curve) -> DoubleDescent | None:
    """Return the deepest loss of progress that was won before and is won again, or ``None``.

    Where a run begins is no valley: a loss that rises from its chance level was never low before.

    Args:
        curve: A held-out curve, as progress.

    >>> values = np.interp(np.arange(50), [0, 10, 25, 49], [0.0, 0.5, 0.1, 0.9])
    >>> found = double_descent_of(Curve(metric="test/accuracy", steps=np.arange(50), values=values))
    >>> found.date.step, found.check.text
    (22, '0.40, then 0.18, then 0.90')
    """
    if len(curve) <= 4 * curve.patience:
        return None
    smooth = running_median(curve.values, width=2 * curve.patience + 1)
    before = np.maximum.accumulate(smooth)
    after = np.maximum.accumulate(smooth[::-1])[::-1]
    depth = np.minimum(before - smooth, after - smooth)
    peak = int(np.argmax(depth))
    size, noise = float(depth[peak]), LEAST_SIGNAL * jitter(curve.values)
    least = max(LEAST_SHARE * float(np.ptp(smooth)), LEAST_OF_LEVEL, noise)
    is_won_first = before[peak] - max(float(smooth[0]), float(curve.values[0])) >= least
    is_won_more = after[peak] - before[peak] >= LOWER * (before[peak] - smooth[peak])
    if size <= least or not is_won_first or not is_won_more:
        return None
    levels = [curve.said(float(level)) for level in (before[peak], smooth[peak], after[peak])]
    return DoubleDescent(
        metric=curve.metric,
        date=around(curve, peak, holds=smooth <= smooth[peak] + TIP * size),
        valley=curve.level(float(before[peak])),
        end=curve.level(float(after[peak])),
        check=Check.of("two valleys", ", then ".join(levels), holds=True),
    )
