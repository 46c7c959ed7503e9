"""Excursions: what was lost and came back. Slingshots of the train set, recoveries of the held-out level."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grokscope.schemas import Check, Date, Kind, Transition
from grokscope.transitions.curves.crossings import bracket, first_run
from grokscope.transitions.curves.levels import end_level
from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.completion import LOST, NEARLY
from grokscope.transitions.events.memorization import FITTED
from grokscope.transitions.events.records import Detail, Origin

CYCLES = 2
"""A slingshot comes again: fewer than two are single spikes (Thilak et al. 2022, arXiv:2206.04817)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excursion:
    """One excursion, or a series of them; ``low`` is the level it went down to.

    ``kind`` is a slingshot, dated at the first of them, or a recovery, dated where the level comes to stay.
    """

    kind: Kind
    metric: str
    date: Date
    low: float
    end: float
    check: Check

    def event(self, origin: Origin) -> Transition:
        """Return the event."""
        detail = Detail(before=self.low, after=self.end, evidence=(self.check,))
        return origin.event(self.kind, self.metric, self.date, detail=detail)


def slingshots_of(train: Curve, *, fitted_step: int | None) -> Excursion | None:
    """Return the slingshots of train accuracy: repeated falls out of a fit that always come back.

    Dated at the first of them; ``None`` if there are fewer than ``CYCLES``, or if the last did not recover.

    >>> train = np.array([0.1, 1.0, 1.0, 0.3, 1.0, 1.0, 0.2, 1.0, 1.0, 1.0])
    >>> curve = Curve(metric="train/accuracy", steps=np.arange(10), values=train)
    >>> slingshots_of(curve, fitted_step=1).check.text
    '2 falls below 0.80 since step 1, each recovered'
    """
    if fitted_step is None or end_level(train) < FITTED:
        return None
    start = int(np.searchsorted(train.steps, fitted_step))
    later = train.values[start:]
    falls = start + 1 + np.flatnonzero((later[1:] < LOST) & (later[:-1] >= LOST))
    if len(falls) < CYCLES:
        return None
    seen = f"{len(falls)} falls {train.worse} {train.said(LOST)} since step {fitted_step}, each recovered"
    return Excursion(
        kind=Kind.SLINGSHOT,
        metric=train.metric,
        date=bracket(train, int(falls[0])),
        low=train.level(float(np.min(later))),
        end=train.level(end_level(train)),
        check=Check.of("cycles", seen, holds=True),
    )


def recovery_of(test: Curve, *, generalized: Date) -> Excursion | None:
    """Return the last return of held-out accuracy from a sustained loss; single dips are none.

    Dated where the level comes to stay again; ``None`` without such a loss, or if it is the end of the log.

    >>> test = np.array([0.1, 1.0, 1.0, 0.3, 0.2, 1.0, 1.0, 1.0])
    >>> curve = Curve(metric="test/accuracy", steps=np.arange(8), values=test)
    >>> recovery_of(curve, generalized=Date(step=1, low=0, high=1)).date
    Date(step=5, low=4, high=5)
    """
    start = int(np.searchsorted(test.steps, generalized.high))
    later = test.values[start:]
    last = _last_run(later < LOST, test.patience)
    if last is None:
        return None
    back = first_run(later[last:] >= NEARLY, test.patience)
    if back is None or end_level(test) < NEARLY:
        return None
    index = start + last + back
    lost = later[: last + back]
    seen = (
        f"back at {test.said(NEARLY)} after {np.sum(lost < LOST)} evaluations {test.worse} {test.said(LOST)}"
    )
    return Excursion(
        kind=Kind.RECOVERY,
        metric=test.metric,
        date=bracket(test, index),
        low=test.level(float(np.min(lost))),
        end=test.level(end_level(test)),
        check=Check.of("back", seen, holds=True),
    )


def dip_of(test: Curve, *, generalized: Date, level: float) -> Excursion | None:
    """Return the deepest fall of a held-out curve below ``level`` that came back, or ``None``.

    Dated where it falls.

    >>> test = np.array([0.1, 1.0, 1.0, 1.0, 0.2, 0.3, 1.0, 1.0])
    >>> curve = Curve(metric="test/accuracy", steps=np.arange(8) * 100, values=test)
    >>> dip = dip_of(curve, generalized=Date(step=100, low=0, high=100), level=0.5)
    >>> dip.date.step, dip.check.text
    (400, 'at 0.20 at worst, below 0.50 for 2 evaluations, back at step 600')
    """
    start = int(np.searchsorted(test.steps, generalized.high))
    later = test.values[start:]
    lost = later < level
    if len(later) == 0 or not lost.any() or lost[-1]:
        return None
    lowest = int(np.argmin(later))
    first = lowest - int(np.argmin(lost[lowest::-1])) + 1 if not lost[: lowest + 1].all() else 0
    back = lowest + int(np.argmin(lost[lowest:]))
    seen = (
        f"at {test.said(float(later[lowest]))} at worst, {test.worse} {test.said(level)} for {back - first} "
        f"evaluations, back at step {test.steps[start + back]}"
    )
    return Excursion(
        kind=Kind.DIP,
        metric=test.metric,
        date=bracket(test, start + first),
        low=test.level(float(later[lowest])),
        end=test.level(end_level(test)),
        check=Check.of("back", seen, holds=True),
    )


def _last_run(holds: npt.NDArray[np.bool_], length: int) -> int | None:
    """Return where the last row of ``length`` true values ends, or ``None``."""
    begin = first_run(holds[::-1], length)
    return None if begin is None else len(holds) - begin
