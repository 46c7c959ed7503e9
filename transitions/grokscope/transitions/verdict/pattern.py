"""The pattern of a run: the four learning phases of Liu et al. 2022 (arXiv:2205.10343)."""

from dataclasses import dataclass

import numpy as np

from grokscope.schemas import Pattern
from grokscope.transitions.curves.crossings import highest_held
from grokscope.transitions.curves.series import Curve, median
from grokscope.transitions.events.completion import NEARLY
from grokscope.transitions.events.generalization import DELAY_RATIO, LEAST_LATE, Rise
from grokscope.transitions.events.memorization import LEARNED, Fit

SEEN_RATIO, SEEN_EVALUATIONS = 1.3, 5
"""A smaller delay counts if the run was watched waiting: so much later and so many evaluations."""
MOSTLY = 0.5
"""... with at least half of the way to go. A later rise that brings less has to have waited on flat ground:
the last per cents of ordinary learning always come late."""
LEAST_GAIN = 0.2
"""Share of what was possible that comes late: what ordinary learning adds after its fit is less."""
EARLIER = 8
"""What a creep did before the fit is read from this part of the fit's step on."""
SLOWING = 0.5
"""A rise tails off if its first half takes less than this part of the time, in log step, of its second."""
REGAINED = 0.4
"""A valley whose far side is so much of the rise that follows it is no plateau."""
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
    level = median(test.values[max(at_fit - 1, 0) : at_fit + 2])
    done = rise.finished_step
    return Wait(
        level=level,
        before=highest_held(test, until=fitted_step),
        ratio=done / fitted_step if fitted_step > 0 else np.inf,
        evaluations=int(np.sum((test.steps > fitted_step) & (test.steps <= done))),
    )


def is_delayed(fitted_step: int, rise: Rise, test: Curve) -> bool:
    """Return whether a good part of the rise came clearly after the train fit."""
    wait = wait_of(fitted_step, rise, test)
    before = float(np.nanmax((wait.level, wait.before)))
    is_small = rise.top - before < LEAST_GAIN * (1 - rise.begin)
    if is_small or _is_regained(rise, wait) or _tails_off(rise, fitted_step):
        return False
    if rise.is_steady and _was_rising(rise, wait, fitted_step, test):
        return False
    is_most = rise.top - before >= MOSTLY * (rise.top - rise.begin)
    if wait.ratio >= DELAY_RATIO:
        return is_most or (rise.is_from_flat and rise.top - before >= LEAST_LATE * (1 - before))
    return wait.ratio >= SEEN_RATIO and wait.evaluations >= SEEN_EVALUATIONS and is_most


def _is_regained(rise: Rise, wait: Wait) -> bool:
    """Return whether much of a rise was held before the fit, lost, and only won again.

    A loss that comes back to where a model without skill stands has won nothing again.
    """
    low = min(wait.level, rise.plateau)
    return wait.before - max(rise.begin, 0.0) >= LEARNED and wait.before - low >= REGAINED * (rise.top - low)


def _was_rising(rise: Rise, wait: Wait, fitted_step: int, test: Curve) -> bool:
    """Return whether a creep rose before the fit about as fast, in log step, as it did after it."""
    early = int(np.searchsorted(test.steps, fitted_step / EARLIER))
    since = int(test.steps[early])
    if not 0 < since <= fitted_step / 2:
        return False
    gained = wait.level - median(test.values[max(early - 1, 0) : early + 2])
    before, after = np.log(fitted_step / since), np.log(max(rise.finished_step / fitted_step, 1))
    return bool(gained * after >= MOSTLY * (rise.top - wait.level) * before)


def _tails_off(rise: Rise, fitted_step: int) -> bool:
    """Return whether a rise to a low level began with the fit and was fastest then: it came with it."""
    if rise.top >= NEARLY or rise.is_from_flat or rise.onset_at is None or rise.midpoint_at is None:
        return False
    if rise.onset_at > SEEN_RATIO * fitted_step:
        return False
    passed = np.array([rise.onset_at, rise.midpoint_at, rise.finished_step])
    first, second = np.diff(np.log(np.maximum(passed, np.finfo(np.float64).tiny)))
    return bool(first < SLOWING * second)
