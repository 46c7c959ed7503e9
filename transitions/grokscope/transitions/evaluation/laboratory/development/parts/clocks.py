"""When people evaluate: every so many steps, at powers, densely at first; and on other steps for training."""

import math

import numpy as np

from grokscope.transitions.curves.series import Integers
from grokscope.transitions.evaluation.synthetic import CurveRecipe, Spacing, evaluation_steps

ALL = tuple(Spacing)


def clock(
    rng: np.random.Generator,
    *,
    last: float,
    onset: float,
    evaluations: tuple[int, int] = (60, 600),
    spacings: tuple[Spacing, ...] = ALL,
) -> Integers:
    """Return the steps of a run's evaluations, increasing.

    Args:
        rng: Chooses spacing and number.
        last: Step of the last evaluation.
        onset: First change that must not fall before the eighth evaluation.
        evaluations: Least and most.
        spacings: Allowed.
    """
    count = round(math.exp(rng.uniform(math.log(evaluations[0]), math.log(evaluations[1]))))
    spacing = spacings[int(rng.integers(len(spacings)))]
    if spacing is Spacing.LINEAR:
        count = max(count, int(8 * last / onset) + 1)
    steps = evaluation_steps(CurveRecipe(evaluations=count, spacing=spacing, last_step=round(last)))
    return steps if rng.random() < 0.6 else steps[1:]  # noqa: PLR2004  many do not evaluate at step 0


def other_clock(rng: np.random.Generator, steps: Integers) -> Integers:
    """Return steps for the training curve: every so many up to the same end, seldom those of ``steps``."""
    count = int(len(steps) * rng.uniform(0.7, 3.0))
    begin = int(rng.integers(0, max(int(steps[-1]) // (4 * count), 1) + 1))
    spread = np.geomspace(max(int(steps[steps > 0][0]) // 2, 1), int(steps[-1]), count)
    even = np.linspace(begin, int(steps[-1]), count)
    return np.unique(np.round(np.concatenate((even, spread))).astype(np.int64))
