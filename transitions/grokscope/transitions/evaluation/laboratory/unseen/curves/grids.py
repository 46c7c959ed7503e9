"""At which steps a run is evaluated, and what such a grid can tell apart."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from grokscope.transitions.evaluation.laboratory.unseen.curves.shapes import Floats

Steps = NDArray[np.int64]
Habit = Literal["log", "linear", "mixed"]


def grid(habit: Habit, count: int, end: float, *, first: float = 1.0) -> Steps:
    """Return about ``count`` whole steps up to ``end``, each once.

    Args:
        habit: Even in the logarithm of the step, even in steps, or half of each (dense at first).
        count: Evaluations asked for; fewer come where rounding makes two the same.
        end: Last step.
        first: First step of a grid that is even in the logarithm; other grids begin one interval in.

    >>> grid("linear", 4, 100.0).tolist(), grid("log", 3, 100.0).tolist()
    ([25, 50, 75, 100], [1, 10, 100])
    """
    even = np.linspace(end / count, end, count)
    if habit == "linear":
        return np.unique(even.round().astype(np.int64))
    log = np.geomspace(min(first, end / 2), end, count)
    chosen = log if habit == "log" else np.concatenate([log[::2], even[::2], [end]])
    return np.unique(chosen.round().astype(np.int64))


def watched(steps: Steps, low: float, high: float) -> int:
    """Return how many of ``steps`` lie between ``low`` and ``high``.

    >>> watched(np.array([1, 2, 3, 4]), 1.5, 3.5)
    2
    """
    return int(np.sum((steps > low) & (steps < high)))


def bracket(steps: Steps, low: float, high: float) -> tuple[float, float]:
    """Return the smallest interval of evaluated steps around ``low`` and ``high``.

    >>> bracket(np.array([0, 10, 20, 30]), 12.0, 18.0)
    (10.0, 20.0)
    """
    before, after = steps[steps <= low], steps[steps >= high]
    left = before[-1] if before.size else steps[0]
    right = after[0] if after.size else steps[-1]
    return float(left), float(right)


def near_best(steps: Steps, values: Floats, slack: float) -> tuple[float, float]:
    """Return where a curve, the higher the better, lies within ``slack`` of its best, one evaluation wider.

    >>> near_best(np.array([1, 2, 3, 4, 5]), np.array([0.0, 0.5, 0.9, 0.5, 0.0]), 0.1)
    (2.0, 4.0)
    """
    near = np.flatnonzero(values >= values.max() - slack)
    return float(steps[max(near[0] - 1, 0)]), float(steps[min(near[-1] + 1, len(steps) - 1)])
