"""The pattern of a run: the four learning phases of Liu et al. 2022 (arXiv:2205.10343)."""

import numpy as np

from grokscope.schemas import Pattern
from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.generalization import DELAY_RATIO, LEAST_RISE, Rise
from grokscope.transitions.events.memorization import Fit

SEEN_RATIO, SEEN_EVALUATIONS = 1.3, 5
"""A smaller delay counts if the run was watched waiting: so much later and so many evaluations."""
LOW_LEVEL = 0.5
"""... with at least half of the way to go."""


def pattern_of(fit: Fit, rise: Rise | None, *, test: Curve) -> Pattern:
    """Return the learning phase of a run.

    Args:
        fit: How the training set was fit.
        rise: The held-out rise since then, if any.
        test: The held-out curve.
    """
    has_generalized = rise is not None and rise.completed is not None
    if fit.fitted_step is None:
        return Pattern.COMPREHENSION if has_generalized else Pattern.CONFUSION
    if rise is None:
        return Pattern.MEMORIZATION
    if not has_generalized:
        has_risen = rise.height >= LEAST_RISE and rise.is_clear and not rise.has_reverted
        return Pattern.GROKKING if has_risen else Pattern.MEMORIZATION
    return Pattern.GROKKING if _is_delayed(fit.fitted_step, rise, test) else Pattern.COMPREHENSION


def is_delayed_for_sure(rise: Rise, test: Curve) -> bool:
    """Return whether a rise came late however early the fit was, in a log that begins with it.

    The fit is not later than the log's first step, so ``DELAY_RATIO`` times that is late enough.
    """
    begin = int(test.steps[0])
    is_late = rise.finished_step is not None and rise.finished_step >= DELAY_RATIO * begin
    return is_late and _is_delayed(begin, rise, test)


def _is_delayed(fitted_step: int, rise: Rise, test: Curve) -> bool:
    """Return whether a good part of the rise came clearly after the train fit."""
    if rise.finished_step is None:
        return False
    at_fit = int(np.searchsorted(test.steps, fitted_step))
    level_at_fit = float(np.median(test.values[at_fit : at_fit + max(test.patience // 2, 1)]))
    if rise.top - level_at_fit < LEAST_RISE:
        return False
    if rise.finished_step >= DELAY_RATIO * fitted_step:
        return True
    seen = int(np.sum((test.steps > fitted_step) & (test.steps <= rise.finished_step)))
    is_later = rise.finished_step >= SEEN_RATIO * fitted_step and seen >= SEEN_EVALUATIONS
    return is_later and level_at_fit <= LOW_LEVEL
