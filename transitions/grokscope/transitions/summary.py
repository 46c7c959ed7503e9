"""A curve in bounded memory: every evaluation while they fit, evenly spread in log step afterwards."""

import numpy as np

from grokscope.transitions.curves import Curve, Floats, Integers, log_steps

CAPACITY = 2048
"""Evaluations kept before the first thinning."""
RECENT = 64
"""Latest evaluations that thinning spares: what is going on now is read at full resolution."""


class Summary:
    """The evaluations of one metric; when ``CAPACITY`` is reached, half of them go.

    Those stay that lie closest to a grid of even log steps, and the latest ``RECENT``: a date read off a
    thinned summary is as good as its grid, some hundred points a decade, and says so in its interval.

    Args:
        metric: Canonical key.

    >>> summary = Summary("test/accuracy")
    >>> for step in range(10_000):
    ...     summary.append(step, 0.5)
    >>> len(summary) <= CAPACITY, int(summary.curve().steps[-1])
    (True, 9999)
    """

    def __init__(self, metric: str) -> None:
        self.metric = metric
        self._steps: Integers = np.zeros(CAPACITY, dtype=np.int64)
        self._values: Floats = np.zeros(CAPACITY, dtype=np.float64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, step: int, value: float) -> None:
        """Take one finite value at a step larger than all before."""
        if self._count == CAPACITY:
            self._thin()
        self._steps[self._count] = step
        self._values[self._count] = value
        self._count += 1

    def curve(self) -> Curve:
        """Return what is kept, as a curve of its own."""
        steps, values = self._steps[: self._count].copy(), self._values[: self._count].copy()
        return Curve(metric=self.metric, steps=steps, values=values)

    def _thin(self) -> None:
        axis = log_steps(self._steps)
        grid: Floats = np.linspace(float(axis[0]), float(axis[-RECENT]), CAPACITY // 2 - RECENT)
        kept = np.unique(np.append(np.searchsorted(axis, grid), np.arange(CAPACITY - RECENT, CAPACITY)))
        self._steps[: len(kept)], self._values[: len(kept)] = self._steps[kept], self._values[kept]
        self._count = len(kept)
