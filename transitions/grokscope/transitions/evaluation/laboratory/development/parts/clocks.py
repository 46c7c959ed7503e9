"""When people evaluate: every so many steps, at powers, densely at first; and on other steps for training."""

import math
from dataclasses import dataclass

import numpy as np

from grokscope.transitions.curves.series import Floats, Integers
from grokscope.transitions.evaluation.synthetic import Spacing

ALL = tuple(Spacing)
_WITH_STEP_0 = 0.6
"""Share of runs that are evaluated before they begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """When a run may be evaluated.

    Attributes:
        last: Step of the last evaluation.
        onset: First change of the curve; eight evaluations are made by then where they are evenly spaced.
        begin: First step but 0 where they are at powers.
        evaluations: Least and most.
        spacings: Those that are allowed.
    """

    last: float
    onset: float
    begin: float = 1.0
    evaluations: tuple[int, int] = (60, 600)
    spacings: tuple[Spacing, ...] = ALL

    def steps(self, rng: np.random.Generator) -> Integers:
        """Draw the steps of the evaluations, shape (n,), strictly increasing.

        >>> clock = Clock(last=20.0, onset=20.0, evaluations=(3, 3), spacings=(Spacing.LINEAR,))
        >>> clock.steps(np.random.default_rng(1)).tolist()
        [2, 5, 8, 10, 12, 15, 18, 20]
        """
        least, most = self.evaluations
        count = round(math.exp(rng.uniform(math.log(least), math.log(most))))
        spacing = self.spacings[int(rng.integers(len(self.spacings)))]
        if spacing is Spacing.LINEAR:
            count = max(count, int(8 * self.last / self.onset) + 1)
        steps = np.unique(np.append(0, np.round(self._spread(spacing, count))).astype(np.int64))
        return steps if rng.random() < _WITH_STEP_0 else steps[1:]

    def _spread(self, spacing: Spacing, count: int) -> Floats:
        powers: Floats = np.geomspace(self.begin, self.last, count)
        half = count // 2
        if spacing is Spacing.LOG:
            return powers
        if spacing is Spacing.LINEAR:
            return np.linspace(0.0, self.last, count)
        return np.append(powers[:half], np.linspace(float(powers[half]), self.last, count - half))


def other_steps(rng: np.random.Generator, steps: Integers) -> Integers:
    """Return steps for the training curve: other ones up to the same end, seldom those of ``steps``."""
    count = int(len(steps) * rng.uniform(0.7, 3.0))
    begin = int(rng.integers(0, max(int(steps[-1]) // (4 * count), 1) + 1))
    spread = np.geomspace(max(int(steps[steps > 0][0]) // 2, 1), int(steps[-1]), count)
    even = np.linspace(begin, int(steps[-1]), count)
    return np.unique(np.round(np.concatenate((even, spread))).astype(np.int64))
