"""What readings cost of a run's time, and a default schedule that is thinned where that is too much."""

import math
import statistics
import time
from collections import deque
from collections.abc import Callable
from functools import cache

from grokscope.collectors.evaluating.schedule import Schedule, log_spaced
from grokscope.collectors.recording.ranks import is_one_of_several

PER_DECADE = (32, 16, 8)
"""Steps a decade, each a part of those before it."""
MOST_SHARE = 0.05
"""Of a run's time that readings may take."""

# Log-spaced readings are dense at first: what they cost is told by a run that has gone on for a while.
_STEPS = 10_000
# Nobody waits for this little, and whoever trains for seconds wants every reading.
_FREE_SECONDS = 3.0
_FEWEST, _RECENT = 3, 5
# After so much of a run, what a schedule of the user's has cost is worth a sentence.
_SETTLED_STEPS, _SETTLED_SECONDS = 1000, 600.0


class ThinnedSchedule:
    """The schedule of a tracker: the user's own, or 32 steps a decade, thinned where they cost much.

    Readings of the default schedule are reckoned over a run of 10,000 steps, or as many as were made: if they
    would take more than 5 % of its time, 16 or 8 a decade are due from the next step on. These are among the
    32, so runs share steps however far each was thinned, and no earlier step changes its answer. What the
    last few readings and the steps between them took decides, not how long the process has been there: a run
    that is gone on with is thinned as far again. A schedule of the user's is never thinned, nor the default
    one where several processes must agree on the steps. What readings cost is said once, if it is too much.
    Those that have taken three seconds in all are never too much.

    Args:
        given: The user's schedule; ``None`` for the default.
        warn: Takes a sentence.
        clock: Seconds, rising.

    >>> schedule = ThinnedSchedule(None, warn=print)
    >>> [step for step in range(41, 60) if schedule.is_due(step)]
    [43, 46, 49, 53, 57]
    """

    def __init__(
        self,
        given: Schedule | None,
        *,
        warn: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._given = given
        self._warn = warn
        self._clock = clock
        self._levels = [(-math.inf, PER_DECADE[0])]
        self._first: tuple[int, float, float] | None = None
        self._spent = 0.0
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._is_told = False
        self._is_followed = given is None

    def is_due(self, step: int) -> bool:
        """Say whether a step is due; asking changes nothing."""
        if self._given is not None:
            return self._given(step)
        per_decade = self._levels[0][1]
        if len(self._levels) == 1:
            return _schedule_of(per_decade)(step)
        for since, density in self._levels:  # no generator: an interrupt in one that is let go would be lost
            if step >= since:
                per_decade = density
        return _schedule_of(per_decade)(step)

    def read(self, step: int, *, spent: float) -> None:
        """Take what readings have cost.

        Args:
            step: That was read.
            spent: Seconds that all readings have taken so far. The first of them, which meets all for the
                first time, is left out.
        """
        self._is_followed = self._is_followed and self.is_due(step)
        if self._first is None:
            self._first = step, spent, self._clock()
        else:
            self._recent.append(spent - self._spent)
            first, before, since = self._first
            self._judge(step, step - first, taken=spent - before, running=self._clock() - since)
        self._spent = spent

    def _judge(self, step: int, steps: int, *, taken: float, running: float) -> None:
        if taken <= _FREE_SECONDS or len(self._recent) < _FEWEST or steps < 1 or running <= taken:
            return
        if self._is_followed and not is_one_of_several():
            self._thin(step, cost=statistics.median(self._recent), pace=(running - taken) / steps)
        elif taken > MOST_SHARE * running and (steps >= _SETTLED_STEPS or running >= _SETTLED_SECONDS):
            self._tell(taken / running)

    def _thin(self, step: int, *, cost: float, pace: float) -> None:
        horizon = max(step, _STEPS)

        def share(per_decade: int) -> float:
            readings = cost * _count(per_decade, horizon)
            return readings / (readings + pace * horizon)

        now = self._levels[-1][1]
        if now == PER_DECADE[-1] or share(now) <= MOST_SHARE:
            return
        sparser = [p for p in PER_DECADE if p < now]
        chosen = next((p for p in sparser if share(p) <= MOST_SHARE), sparser[-1])
        self._levels.append((step + 1, chosen))
        self._warn(
            f"readings at {now} steps a decade would take {share(now):.1%} of a run of {horizon:,} steps "
            f"(a reading {cost:.2g} s, a step {pace:.2g} s), so from step {step + 1} on {chosen} a decade "
            f"are due, which take {share(chosen):.1%}; Measuring(at_most=...) makes a reading cheaper, and "
            f"schedule=log_spaced({PER_DECADE[0]}) keeps them all"
        )

    def _tell(self, share: float) -> None:
        if not self._is_told:
            self._is_told = True
            self._warn(
                f"readings have taken {share:.1%} of the run's time since the first one; evaluate at fewer "
                "steps, as those of log_spaced(8), or on fewer examples, with Measuring(at_most=...)"
            )


@cache
def _schedule_of(per_decade: int) -> Schedule:
    return log_spaced(per_decade)


@cache
def _count_of_first(per_decade: int) -> int:
    return sum(map(_schedule_of(per_decade), range(_STEPS)))


def _count(per_decade: int, steps: int) -> float:
    """Return about how many of the first ``steps``, 10,000 or more, are due."""
    return _count_of_first(per_decade) + per_decade * math.log10(steps / _STEPS)
