"""When to measure: predicates on the step, apart from what is measured."""

import math
from collections.abc import Callable, Iterable

Schedule = Callable[[int], bool]

# A loop may log one step ahead of what it measures.
_RESTART = 2


def log_spaced(per_decade: int = 32) -> Schedule:
    """Return a schedule with ``per_decade`` steps in every factor of ten, and step 0.

    Transitions live on a logarithmic axis: grokking takes decades of steps. Early on, where fewer whole
    steps exist than that, every step is due.

    Raises:
        ValueError: If ``per_decade`` < 1.

    >>> due = log_spaced(4)
    >>> [step for step in range(101) if due(step)]
    [0, 1, 2, 4, 6, 10, 18, 32, 57, 100]
    """
    if per_decade < 1:
        raise ValueError(f"per_decade must be at least 1, got {per_decade}")

    def due(step: int) -> bool:
        if step < 2:  # noqa: PLR2004 - before 1 there is no bin
            return step in (0, 1)
        # The slack keeps exact powers of ten in the bin that they begin.
        began, before = (per_decade * math.log10(step) + 1e-9, per_decade * math.log10(step - 1) + 1e-9)
        return math.floor(began) != math.floor(before)

    return due


def every(n: int) -> Schedule:
    """Return a schedule with every n-th step, step 0 first.

    Raises:
        ValueError: If ``n`` < 1.

    >>> [step for step in range(7) if every(3)(step)]
    [0, 3, 6]
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    return lambda step: step % n == 0


def at_steps(steps: Iterable[int]) -> Schedule:
    """Return a schedule with exactly ``steps``.

    >>> [step for step in range(9) if at_steps([2, 8])(step)]
    [2, 8]
    """
    return frozenset(steps).__contains__


def any_of(*schedules: Schedule) -> Schedule:
    """Return a schedule that is due when one of ``schedules`` is.

    >>> [step for step in range(9) if any_of(every(4), at_steps([3]))(step)]
    [0, 3, 4, 8]
    """
    if len(schedules) == 1:
        return schedules[0]
    return lambda step: any(schedule(step) for schedule in schedules)


class Timetable:
    """Which steps are due, and whether the one that an optimizer is about to make is.

    An optimizer does not know the number of its step. It is counted from the last step that was logged or
    measured; where none was yet, from 0, and the first one counts as due, for a loop may begin at any step. A
    loop that logs a step, makes it and then measures it is served too: a step that was logged, is due and is
    not measured yet, may be the one that is made.

    A step that goes back to the first one is said, once: a loop that counts within each epoch would find the
    same steps due in every one. What the first step did not hold may be counted otherwise, as values of
    epochs are beside those of steps, or be without a step at all.

    Args:
        is_due: Says whether a step is due; asking changes nothing.
        warn: Takes a sentence about steps that begin anew.

    Attributes:
        is_due: The same.
        last: The step that was logged or measured last.

    >>> table = Timetable(every(3))
    >>> [table.is_next_due() for _ in range(5)]
    [True, False, False, True, False]
    >>> table.measured(11)
    >>> [table.is_next_due() for _ in range(5)]
    [True, False, False, True, False]
    """

    def __init__(self, is_due: Schedule, *, warn: Callable[[str], object] = str) -> None:
        self.last: int | None = None
        self._first: int | None = None
        self._first_names: frozenset[str] = frozenset()
        self._is_told = False
        self._warn = warn
        self._measured: int | None = None
        self.is_due = is_due
        self._made = 0

    def logged(self, step: int, names: Iterable[str]) -> None:
        """Take the number of a step that was logged, and the names that were."""
        if self.last is None:
            self._first_names = frozenset(names)
        self._look_back(step, names)
        self.last, self._made = step, 0

    def measured(self, step: int) -> None:
        """Take the number of a step that was measured."""
        self._look_back(step)
        self.last = self._measured = step
        self._made = 0

    def is_next_due(self) -> bool:
        """Say whether the step that comes now is due; to be asked once for each."""
        self._made += 1
        if self.last is None:
            return self._made == 1 or self.is_due(self._made - 1)
        is_waiting = self._made == 1 and self.last != self._measured
        return self.is_due(self.last + self._made) or (is_waiting and self.is_due(self.last))

    def _look_back(self, step: int, names: Iterable[str] | None = None) -> None:
        if self._first is None or self.last is None:
            self._first = step
            return
        is_back = step <= self._first and self.last - step >= _RESTART and not self._is_told
        if is_back and (names is None or not self._first_names.isdisjoint(names)):
            self._is_told = True
            self._warn(
                f"the count of steps went back from {self.last} to {step}: count optimizer steps over the "
                "whole training, not within an epoch, or the epochs lie on one another and due finds the "
                "same steps in each"
            )
