"""How far a run in training is, how fast it goes, and when it will be done at that pace."""

from dataclasses import dataclass

import polars as pl

from grokscope.dashboard.words import phrases

RECENT = 20
"""The pace is that of this many evaluations, the latest: a run that has become slower is told by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Where a run in training is on its way.

    Attributes:
        step: The last one that was logged; ``None`` before there is one.
        planned: The last one that there will be, where params tell.
        since_s: How long ago the last point was logged, in seconds; ``None`` before there is one.
        left_s: How long training will take from now on at its recent pace; ``None`` if that cannot be told.
    """

    step: int | None
    planned: int | None
    since_s: float | None
    left_s: float | None

    @property
    def share(self) -> float | None:
        """How much of the planned training is done, 0 to 1; ``None`` if no plan is known."""
        if self.step is None or not self.planned or self.planned <= 0:
            return None
        return min(1.0, max(0.0, self.step / self.planned))

    def said(self) -> str:
        """Return how far it is, what is left and how long ago the last point came, as one line.

        >>> Pace(step=500, planned=2000, since_s=4.2, left_s=190.0).said()
        'step 500 of 2,000 · 25 % · about 3 min left · last point 4 s ago'
        >>> Pace(step=500, planned=None, since_s=None, left_s=None).said()
        'step 500 · no planned end is logged'
        """
        where = f"step {phrases.steps(self.step)}"
        if self.planned:
            where += f" of {phrases.steps(self.planned)} · {phrases.percent(self.share)}"
        parts = [where, self._left()]
        if self.since_s is not None:
            parts.append(f"last point {phrases.duration(self.since_s)} ago")
        return " · ".join(parts)

    def _left(self) -> str:
        if not self.planned:
            return "no planned end is logged"
        if self.left_s is None:
            return "time left: too few points to tell"
        return f"about {phrases.duration(self.left_s)} left"


def pace_of(points: pl.DataFrame, *, step: int | None, planned: int | None, now_ms: int) -> Pace:
    """Return the pace of one run.

        left = (planned - last step) / pace - time since that step,    pace = Δ step / Δ time

    over the last ``RECENT`` evaluations.

    Args:
        points: Of the run, with ``step`` and ``time_ms``; those without a time tell nothing.
        step: The last step that it has logged, of whatever metric.
        planned: The last step that there will be.
        now_ms: The time.

    >>> points = pl.DataFrame({"step": [0, 100, 200], "time_ms": [0, 1000, 2000]})
    >>> pace_of(points, step=200, planned=1000, now_ms=3000)
    Pace(step=200, planned=1000, since_s=1.0, left_s=7.0)
    """
    timed = points.drop_nulls("time_ms").group_by("step").agg(pl.col("time_ms").max()).sort("step")
    if timed.is_empty():
        return Pace(step=step, planned=planned, since_s=None, left_s=None)
    recent = timed.tail(RECENT)
    since_s = max(0.0, (now_ms - int(recent["time_ms"][-1])) / 1000)
    steps = int(recent["step"][-1]) - int(recent["step"][0])
    taken_s = (int(recent["time_ms"][-1]) - int(recent["time_ms"][0])) / 1000
    left_s = None
    if planned and steps > 0 and taken_s > 0:
        left_s = max(0.0, (planned - int(recent["step"][-1])) * taken_s / steps - since_s)
    return Pace(step=step, planned=planned, since_s=since_s, left_s=left_s)
