"""Collapse: what was learned is lost, for good or again and again; short dips that recover are not."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from grokscope.schemas import Check, Date, Kind, Transition
from grokscope.transitions.curves.crossings import bracket, first_sustained
from grokscope.transitions.curves.series import Curve, Floats
from grokscope.transitions.events.generalization import LOST, end_level
from grokscope.transitions.events.memorization import FITTED
from grokscope.transitions.events.records import Detail, Origin

CHRONIC_SHARE, CHRONIC_DIPS = 0.1, 3
"""Dips are a collapse if they take this share of the later evaluations, in at least so many dips, beyond what
evaluation noise explains."""
OFTEN = 1 / 4
"""Share of lost evaluations that is a collapse whatever explains it, on train accuracy too (slingshots)."""
USUAL = 0.4
"""Quantile whose distance from the median tells the size of evaluation noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collapse:
    """How a run lost what it had learned.

    Attributes:
        metric: The curve that fell.
        date: Where it was lost: for good, or for the first time.
        before, after: Levels on either side, and at the end of the log.
        check: Named ``permanent``, ``chronic`` or ``train collapse``, with one short sentence.
    """

    metric: str
    date: Date
    before: float
    after: float
    check: Check

    def event(self, origin: Origin) -> Transition:
        """Return the event, dated where the collapse begins."""
        detail = Detail(before=self.before, after=self.after, evidence=(self.check,))
        return origin.event(Kind.COLLAPSE, self.metric, self.date, detail=detail)


def test_collapse(test: Curve, *, generalized: Date) -> Collapse | None:
    """Return how held-out accuracy was lost after ``generalized``, or ``None``.

    >>> test = Curve(metric="test/accuracy", steps=np.arange(6), values=np.array([0, 1, 1, 0.2, 0.1, 0.1]))
    >>> found = test_collapse(test, generalized=Date(step=1, low=0, high=1))
    >>> found.date.step, found.check.name, found.check.text
    (3, 'permanent', 'ends at 0.10 after 1.00')
    """
    start = int(np.searchsorted(test.steps, generalized.high))
    later = test.values[start:]
    end = end_level(test, since=start)
    if end < LOST:
        first = start + _start_of_last_loss(later, test.patience)
        seen = f"ends at {end:.2f} after {float(np.max(later)):.2f}"
        return _collapse(test, first, Check(name="permanent", text=seen))
    if not _is_chronic(later):
        return None
    share = float(np.mean(later < LOST))
    seen = f"{dips_of(later)} dips below {LOST}, {share:.0%} of the evaluations since generalization"
    return _collapse(test, start + int(np.argmax(later < LOST)), Check(name="chronic", text=seen))


def train_collapse(train: Curve) -> Collapse | None:
    """Return how train accuracy was lost after the training set was fit, or ``None``.

    Fit means as many evaluations at 95 % as a sustained level needs, in a row or not: a run that keeps
    falling off never has them in a row.

    >>> train = Curve(metric="train/accuracy", steps=np.arange(6), values=np.array([0, 1, 1, 0.2, 0.1, 0.1]))
    >>> train_collapse(train).check.text
    '75% of the evaluations since the fit lie below 0.8; ends at 0.10'
    """
    fitted = np.flatnonzero(train.values >= FITTED)
    if len(fitted) < train.patience:
        return None
    start = int(fitted[train.patience - 1])
    later = train.values[start:]
    lost = later < LOST
    share, end = float(np.mean(lost)), end_level(train, since=start)
    if not lost.any() or (end >= LOST and share <= OFTEN):
        return None
    seen = f"{share:.0%} of the evaluations since the fit lie below {LOST}; ends at {end:.2f}"
    return _collapse(train, start + int(np.argmax(lost)), Check(name="train collapse", text=seen))


def dips_of(later: Floats) -> int:
    """Return how many times the curve falls below ``LOST``.

    >>> dips_of(np.array([1.0, 1.0, 0.1, 1.0, 1.0, 0.2, 0.1, 1.0]))
    2
    """
    return int(np.sum(np.diff((later < LOST).astype(int)) == 1))


def _is_chronic(later: Floats) -> bool:
    """Return whether dips are too frequent to be noise, or so frequent that it does not matter."""
    share = float(np.mean(later < LOST))
    if dips_of(later) < CHRONIC_DIPS or share <= CHRONIC_SHARE:
        return False
    return share > OFTEN or share - _by_noise(later) > CHRONIC_SHARE


def _by_noise(later: Floats) -> float:
    """Return the share of evaluations that noise alone brings below the level.

    Normal noise about the median, whose size is read just below it: no dips are so frequent as to touch that.
    """
    typical, lower = np.quantile(later, [0.5, USUAL])
    size = float(typical - lower) / float(-ndtri(USUAL))
    return float(ndtr((LOST - typical) / size)) if size > 0 else 0.0


def _collapse(curve: Curve, index: int, check: Check) -> Collapse:
    before = float(np.median(curve.values[max(index - curve.patience, 0) : max(index, 1)]))
    return Collapse(
        metric=curve.metric,
        date=bracket(curve, index),
        before=before,
        after=end_level(curve),
        check=check,
    )


def _start_of_last_loss(later: Floats, patience: int) -> int:
    """Return where the curve was lost for good: after the last row of evaluations that hold the level."""
    back = first_sustained(later[::-1], LOST, patience)
    return int(np.argmax(later < LOST)) if back is None else len(later) - back
