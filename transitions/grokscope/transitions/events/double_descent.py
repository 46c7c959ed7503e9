"""Epoch-wise double descent: held-out loss falls, rises to a peak, and falls lower than before."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from grokscope.schemas import Check, Date, Kind, Transition, held_out_curves
from grokscope.transitions.curves.noise import jitter
from grokscope.transitions.curves.series import Curve, running_median
from grokscope.transitions.events.records import Detail, Origin

LEAST_SHARE, LEAST_SIGNAL = 0.1, 5.0
"""The peak stands out on both sides by this share of all that the loss ever did, and by so many standard
deviations of its noise."""
LOWER = 0.25
"""The second valley lies below the first by at least this share of the peak's height above it."""
TIP = 0.1
"""Around the peak, this share of the prominence cannot be told from it: that is the date's interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleDescent:
    """One peak between two valleys; levels in nats."""

    metric: str
    date: Date
    valley: float
    peak: float
    end: float

    def event(self, origin: Origin) -> Transition:
        """Return the event, dated at the peak between the two valleys."""
        seen = f"{self.valley:.2f} up to {self.peak:.2f}, then down to {self.end:.2f}"
        check = Check.of("two valleys", seen, holds=True)
        detail = Detail(before=self.valley, after=self.end, evidence=(check,))
        return origin.event(Kind.DOUBLE_DESCENT, self.metric, self.date, detail=detail)


def double_descent(curves: Mapping[str, Curve]) -> DoubleDescent | None:
    """Return the double descent of the first held-out loss that has one, or ``None``."""
    found = [curves[name] for name in held_out_curves(curves, "loss")]
    return next((d for curve in found if (d := double_descent_of(curve)) is not None), None)


def double_descent_of(curve: Curve) -> DoubleDescent | None:
    """Return the most prominent peak of ``curve`` that a lower valley follows, or ``None``.

    >>> loss = np.interp(np.arange(50), [0, 10, 25, 49], [2.0, 1.0, 1.8, 0.2])
    >>> found = double_descent_of(Curve(metric="test/loss", steps=np.arange(50), values=loss))
    >>> found.date.step, found.valley.__round__(1), found.peak.__round__(1)
    (22, 1.2, 1.6)
    """
    if len(curve) <= 4 * curve.patience:
        return None
    smooth = running_median(curve.values, width=2 * curve.patience + 1)
    before = np.minimum.accumulate(smooth)
    after = np.minimum.accumulate(smooth[::-1])[::-1]
    prominence = np.minimum(smooth - before, smooth - after)
    peak = int(np.argmax(prominence))
    size = float(prominence[peak])
    least = max(LEAST_SHARE * float(np.ptp(smooth)), LEAST_SIGNAL * jitter(curve.values))
    if size <= least or after[peak] > before[peak] - LOWER * (smooth[peak] - before[peak]):
        return None
    return DoubleDescent(
        metric=curve.metric,
        date=_around(curve, peak, high=smooth >= smooth[peak] - TIP * size),
        valley=float(before[peak]),
        peak=float(smooth[peak]),
        end=float(after[peak]),
    )


def _around(curve: Curve, peak: int, *, high: np.ndarray) -> Date:
    """Return the peak's date: the row of evaluations about it that are ``high``, and the gaps beside."""
    below = np.flatnonzero(~high)
    left = below[below < peak]
    right = below[below > peak]
    return Date(
        step=int(curve.steps[peak]),
        low=int(curve.steps[left[-1]]) if len(left) else int(curve.steps[0]),
        high=int(curve.steps[right[0]]) if len(right) else int(curve.steps[-1]),
    )
