"""The pattern of a run: the four learning phases of Liu et al. 2022 (arXiv:2205.10343)."""

from dataclasses import dataclass

import numpy as np

from grokscope.schemas import Pattern
from grokscope.transitions.curves.series import Curve, running_median
from grokscope.transitions.events.generalization import DELAY_RATIO, LEAST_LATE, Rise
from grokscope.transitions.events.memorization import Fit

SEEN_RATIO, SEEN_EVALUATIONS = 1.3, 5
"""A smaller delay counts if the run was watched waiting: so much later and so many evaluations."""
MOSTLY = 0.5
"""... with at least half of the way to go. A later rise that brings less has to have waited on flat ground:
the last per cents of ordinary learning always come late."""
LEAST_MEMORIZED = 0.8
"""Train progress that counts as memorized where nothing else was learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How a rise lies after the fit of the training set.

    Attributes:
        level: Of the held-out curve at the fit.
        before: The highest that it had held by then.
        ratio: Step at which the rise is finished, over the step of the fit; infinite for a fit at step 0.
        evaluations: How many lie in between.
    """

    level: float
    before: float
    ratio: float
    evaluations: int


def pattern_of(fit: Fit, *, late: Rise | None, whole: Rise | None) -> Pattern:
    """Return the learning phase of a run.

    Args:
        fit: How the training set was fit.
        late: The held-out rise after the fit, if it is large, clear and delayed.
        whole: The held-out rise over the whole log, if it is large and clear.
    """
    if late is not None:
        return Pattern.GROKKING
    if whole is not None:
        return Pattern.COMPREHENSION
    if fit.fitted_step is None or fit.ceiling < LEAST_MEMORIZED:
        return Pattern.OTHER if fit.has_learned else Pattern.CONFUSION
    return Pattern.MEMORIZATION


def wait_of(fitted_step: int, rise: Rise, test: Curve) -> Wait:
    """Return how ``rise`` lies after ``fitted_step``; ``test`` is the held-out curve that rises."""
    at_fit = int(np.searchsorted(test.steps, fitted_step))
    level = float(np.median(test.values[at_fit : at_fit + max(test.patience // 2, 1)]))
    done = rise.finished_step
    return Wait(
        level=level,
        before=_highest(test, until=fitted_step),
        ratio=done / fitted_step if fitted_step > 0 else np.inf,
        evaluations=int(np.sum((test.steps > fitted_step) & (test.steps <= done))),
    )


def is_delayed(fitted_step: int, rise: Rise, test: Curve) -> bool:
    """Return whether a good part of the rise came clearly after the train fit."""
    wait = wait_of(fitted_step, rise, test)
    before = max(wait.level, wait.before)
    gain = rise.top - before
    is_most = gain >= MOSTLY * (rise.top - rise.begin)
    if wait.ratio >= DELAY_RATIO:
        return is_most or (rise.is_from_flat and gain >= LEAST_LATE * (1 - before))
    return wait.ratio >= SEEN_RATIO and wait.evaluations >= SEEN_EVALUATIONS and is_most


def _highest(test: Curve, *, until: int) -> float:
    """Return the highest level that ``test`` held before step ``until``, or began at."""
    early = test.values[test.steps < until]
    held = running_median(early, width=test.patience | 1) if len(early) else early
    return float(np.max(held, initial=test.values[0]))
