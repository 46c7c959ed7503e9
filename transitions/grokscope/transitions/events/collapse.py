"""Collapse: what was learned is lost, for good or again and again; short dips that recover are not."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from grokscope.schemas import Check, Date, Kind, Transition
from grokscope.transitions.curves.crossings import bracket
from grokscope.transitions.curves.levels import end_level
from grokscope.transitions.curves.noise import jitter
from grokscope.transitions.curves.series import Curve, Floats, median
from grokscope.transitions.events.completion import LOST
from grokscope.transitions.events.generalization import STANDARD_ERRORS
from grokscope.transitions.events.memorization import FITTED
from grokscope.transitions.events.records import Detail, Origin

CHRONIC_SHARE, CHRONIC_DIPS = 0.1, 3
"""Dips are a collapse if they take this share of the evaluations since the first of them, in at least so
many dips, beyond what evaluation noise explains ..."""
LEAST_CHRONIC = 5
"""... and at least so many evaluations: three dips in a short log are three dips."""
OFTEN = 1 / 4
"""Share of lost evaluations that is a collapse whatever explains it, on train progress too (slingshots)."""
LATE = 1 / 3
"""Part of those evaluations, at the end, that has to hold losses too: what is over was a recovery."""
LATE_LOSSES = 2
"""... at least so many, where there are as many: a single one may be a broken evaluation."""
LEAST_LOST = 0.02
"""Share of the evaluations since generalization that a loss takes at least: the last few tell nothing."""
MOSTLY_LOST = 0.5
"""... that is a loss for good, if the log ends in it."""
USUAL = 0.4
"""Quantile whose distance from the median tells the size of evaluation noise."""
NOISY = 3.0
"""Standard deviations of evaluation noise that are no loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collapse:
    """How a run lost what it had learned.

    Attributes:
        metric: The curve that fell.
        date: Where the loss that lasts, or comes again and again, begins.
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


def held_out_collapse(test: Curve, *, generalized: Date, level: float) -> Collapse | None:
    """Return how the held-out level was lost after ``generalized``, or ``None``.

    >>> test = Curve(metric="test/accuracy", steps=np.arange(6), values=np.array([0, 1, 1, 0.2, 0.1, 0.1]))
    >>> found = held_out_collapse(test, generalized=Date(step=1, low=0, high=1), level=0.8)
    >>> found.date.step, found.check.name, found.check.text
    (3, 'permanent', 'ends at 0.10 after 1.00')
    """
    start = int(np.searchsorted(test.steps, generalized.high))
    later = test.values[start:]
    level = beyond_noise(later, level)
    first = start_of_loss(later, level=level, patience=test.patience)
    if first is None:
        return None
    since, end = later[first:], end_level(test, since=start + first)
    share = float(np.mean(since < level))
    if end < level and share > MOSTLY_LOST:
        seen = f"ends at {test.said(end)} after {test.said(float(np.max(later)))}"
        return _collapse(test, start + first, Check(name="permanent", text=seen))
    if not _is_chronic(since, level=level):
        return None
    dips, step = dips_of(since, level=level) + 1, int(test.steps[start + first])
    seen = f"{dips} dips {test.worse} {test.said(level)}, {share:.0%} of the evaluations since step {step}"
    return _collapse(test, start + first, Check(name="chronic", text=seen))


def train_collapse(train: Curve) -> Collapse | None:
    """Return how train progress was lost after the training set was fit, or ``None``.

    Fit means as many evaluations at 95 % as a sustained level needs, in a row or not: a run that keeps
    falling off never has them in a row.

    >>> train = Curve(metric="train/accuracy", steps=np.arange(6), values=np.array([0, 1, 1, 0.2, 0.1, 0.1]))
    >>> train_collapse(train).check.text
    '100% of the evaluations since step 3 lie below 0.80; ends at 0.10'
    """
    fitted = np.flatnonzero(train.values >= FITTED)
    if len(fitted) < train.patience:
        return None
    start = int(fitted[train.patience - 1])
    later = train.values[start:]
    level = beyond_noise(later, LOST)
    first = start_of_loss(later, level=level, patience=train.patience)
    if first is None:
        return None
    share, end = float(np.mean(later[first:] < level)), end_level(train, since=start + first)
    if end >= level and share <= OFTEN:
        return None
    step = int(train.steps[start + first])
    below, ends = train.said(level), train.said(end)
    seen = f"{share:.0%} of the evaluations since step {step} lie {train.worse} {below}; ends at {ends}"
    return _collapse(train, start + first, Check(name="train collapse", text=seen))


def start_of_loss(later: Floats, *, level: float, patience: int) -> int | None:
    """Return the index from which evaluations below ``level`` are frequent up to the end, or ``None``.

    The end of the log with the largest excess of lost evaluations over ``CHRONIC_SHARE``: a loss for good
    begins at its fall, dips that come again and again at the first that is near the next.

    >>> later = np.array([1.0, 0.1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1])
    >>> start_of_loss(later, level=0.8, patience=2)
    13
    """
    lost = later < level
    excess = np.cumsum((lost - CHRONIC_SHARE)[::-1])[::-1]
    if len(later) == 0 or np.max(excess) <= 0:
        return None
    first = int(np.argmax(excess))
    count = len(later) - first
    if np.sum(lost[first:]) < max(patience, LEAST_LOST * len(later)):
        return None
    if np.sum(lost[first:]) <= _most_by_noise(later, count, level=level):
        return None
    late = lost[-max(int(LATE * count), 2 * patience) :]
    is_over = np.mean(late) <= OFTEN / 2 or np.sum(late) < min(LATE_LOSSES, len(late))
    return None if is_over else first


def dips_of(later: Floats, *, level: float = LOST) -> int:
    """Return how many times the curve falls below ``level``.

    >>> dips_of(np.array([1.0, 1.0, 0.1, 1.0, 1.0, 0.2, 0.1, 1.0]))
    2
    """
    return int(np.sum(np.diff((later < level).astype(int)) == 1))


def _is_chronic(since: Floats, *, level: float) -> bool:
    """Return whether dips are frequent, and many enough to be no chance."""
    lost = since < level
    dips = dips_of(since, level=level) + 1
    is_often = float(np.sum(lost)) >= LEAST_CHRONIC and float(np.mean(lost)) > CHRONIC_SHARE
    return dips >= CHRONIC_DIPS and is_often


def _most_by_noise(later: Floats, count: int, *, level: float) -> float:
    """Return how many of ``count`` evaluations, picked for being low, noise alone may bring below it."""
    share = _by_noise(later, level=level)
    return share * count + STANDARD_ERRORS * float(np.sqrt(share * (1 - share) * count))


def _by_noise(since: Floats, *, level: float) -> float:
    """Return the share of evaluations that noise alone brings below the level.

    Normal noise about the median, whose size is read just below it: no upper bound of the score cuts it off
    there, and few dips are so frequent as to touch it. Those that are, are no noise.
    """
    typical, lower = np.quantile(since, [0.5, USUAL])
    if lower < level:
        return 0.0
    size = float(typical - lower) / float(-ndtri(USUAL))
    return float(ndtr((level - typical) / size)) if size > 0 else 0.0


def beyond_noise(later: Floats, level: float) -> float:
    """Return the level below which evaluations are lost, lower than ``level`` where noise alone reaches that.

    >>> noisy = np.array([0.9, 0.7, 0.9, 0.8, 0.95, 0.75, 0.9, 0.7, 1.0])
    >>> beyond_noise(noisy, 0.8) < 0.7, beyond_noise(np.array([1.0, 1.0, 0.1, 1.0]), 0.8)
    (True, 0.8)
    """
    good = later[later >= level]
    if len(good) == 0:
        return level
    return min(level, median(good) - NOISY * jitter(good))


def _collapse(curve: Curve, index: int, check: Check) -> Collapse:
    before = median(curve.values[max(index - curve.patience, 0) : max(index, 1)])
    return Collapse(
        metric=curve.metric,
        date=bracket(curve, index),
        before=curve.level(before),
        after=curve.level(end_level(curve)),
        check=check,
    )
