"""Overfitting: a held-out curve worsens clearly after its best, while training goes on."""

from dataclasses import dataclass

import numpy as np

from grokscope.schemas import Check, Date, Kind, Transition
from grokscope.transitions.curves.crossings import around
from grokscope.transitions.curves.levels import end_level
from grokscope.transitions.curves.noise import jitter
from grokscope.transitions.curves.series import Curve, Floats, median, running_median
from grokscope.transitions.events.memorization import LEARNED
from grokscope.transitions.events.records import Detail, Origin

LEAST_SHARE, LEAST_SIGNAL = 0.1, 5.0
"""The curve worsens by this share of all that it had gained, and by so many standard deviations of its noise;
..."""
LEAST_OF_LEVEL = 0.05
"""... a loss by this share of its lowest level, since most of what it gained at first is soon gained."""
TRAIN_LOSES = 0.05
"""Progress that the training curve may lose meanwhile."""
_ROUNDING = 1e-9
"""Progress that is no loss at all: a curve that never changes has lost nothing."""
AT_END = 1 / 4
"""Part of the evaluations since the best, at the end, that is worse: it did not come back."""
TIP = 0.1
"""Around the best, this share of what is lost later cannot be told from it: that is the date's interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overfitting:
    """The best evaluation, and what came of it; levels in the metric's unit."""

    metric: str
    date: Date
    best: float
    end: float
    check: Check

    def event(self, origin: Origin) -> Transition:
        """Return the event, dated at the best."""
        detail = Detail(before=self.best, after=self.end, evidence=(self.check,))
        return origin.event(Kind.OVERFITTING, self.metric, self.date, detail=detail)


def overfitting_of(test: Curve, *, train: Curve, counts_by_level: bool) -> Overfitting | None:
    """Return how ``test`` worsened while ``train`` did not, both as progress, or ``None``.

    >>> steps = np.arange(60)
    >>> values = np.interp(steps, [0, 20, 59], [0.1, 0.7, 0.5])
    >>> test = Curve(metric="test/accuracy", steps=steps, values=values)
    >>> train = Curve(metric="train/accuracy", steps=steps, values=np.interp(steps, [0, 30], [0.1, 1.0]))
    >>> found = overfitting_of(test, train=train, counts_by_level=False)
    >>> found.date.step, round(found.best, 2), found.check.text
    (20, 0.67, '0.67 at best, 0.51 in the end')
    """
    if len(test) <= 2 * test.patience or len(train) == 0:
        return None
    smooth = running_median(test.values, width=2 * test.patience + 1)
    best = int(np.argmax(smooth))
    later = smooth[best:]
    end = median(later[-max(int(AT_END * len(later)), 1) :])
    gain, lost = float(smooth[best] - test.values[0]), float(smooth[best]) - end
    least = LEAST_OF_LEVEL * (1 - float(smooth[best])) if counts_by_level else LEAST_SHARE * gain
    if gain < (0.0 if counts_by_level else LEARNED * (1 - float(test.values[0]))) or lost < max(
        least, LEAST_SIGNAL * jitter(test.values)
    ):
        return None
    if lost <= _ROUNDING or len(later) <= test.patience or not _goes_on(train, since=int(test.steps[best])):
        return None
    said = end_level(test)  # where a log ends is one number, wherever it is told ...
    if float(smooth[best]) - said < lost / 2:
        said = end  # ... unless its last few evaluations are not what was judged
    return Overfitting(
        metric=test.metric,
        date=around(test, best, holds=smooth >= smooth[best] - TIP * lost),
        best=test.level(float(smooth[best])),
        end=test.level(said),
        check=Check.of(
            "worse than before",
            f"{test.said(float(smooth[best]))} at best, {test.said(said)} in the end",
            holds=True,
        ),
    )


def _goes_on(train: Curve, *, since: int) -> bool:
    """Return whether the training curve keeps what it had, or gains: what it loses too is no overfitting."""
    smooth: Floats = running_median(train.values, width=train.patience | 1)
    at = min(int(np.searchsorted(train.steps, since)), len(train) - 1)
    return float(smooth[-1]) >= float(smooth[at]) - TRAIN_LOSES
