"""Divergence: a curve stops being a number and never is one again."""

from collections.abc import Iterable
from dataclasses import dataclass

from grokscope.schemas import Check, Date, Kind, Transition
from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.records import Detail, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """Where a run diverged, and on which curve it showed first."""

    metric: str
    date: Date
    before: float

    def event(self, origin: Origin) -> Transition:
        """Return the event, dated at the first value that is no number."""
        seen = Check(name="not a number", text="from there to the end of the log")
        detail = Detail(before=self.before, evidence=(seen,))
        return origin.event(Kind.DIVERGENCE, self.metric, self.date, detail=detail)


def divergence_of(curves: Iterable[Curve]) -> Divergence | None:
    """Return the earliest divergence among ``curves``, or ``None``.

    A curve has diverged if its last values, enough of them to count as sustained, are all NaN or infinite. A
    hole in the middle is a gap in the log, and a curve without a single number never was one.

    >>> import numpy as np
    >>> curve = Curve(metric="train/loss", steps=np.array([0, 9]), values=np.ones(2), lost_at=(18, 27))
    >>> divergence_of([curve]).date
    Date(step=18, low=9, high=18)
    """
    lost = [c for c in curves if len(c) > 0 and len(c.lost_at) >= c.patience]
    if not lost:
        return None
    first = min(lost, key=lambda c: (c.lost_at[0], c.metric))
    last_number, diverged = int(first.steps[-1]), first.lost_at[0]
    date = Date(step=diverged, low=min(last_number, diverged), high=diverged)
    return Divergence(metric=first.metric, date=date, before=float(first.values[-1]))
