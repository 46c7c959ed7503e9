"""What was read off one run's curves: fit, rise, collapse, and the pattern that they make."""

from dataclasses import dataclass
from typing import TypeGuard

import numpy as np

from grokscope.schemas import Date, Pattern
from grokscope.transitions.curves.crossings import arrival, bracket, highest_held
from grokscope.transitions.curves.levels import begin_level, is_under_way
from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.collapse import Collapse, held_out_collapse, train_collapse
from grokscope.transitions.events.completion import LOST, NEARLY, begins_at_top
from grokscope.transitions.events.generalization import (
    DELAY_RATIO,
    LEAST_LATE,
    TOLERANCE,
    Rise,
    rise_of,
)
from grokscope.transitions.events.memorization import LEARNED, Fit, fit_of
from grokscope.transitions.events.overfitting import overfitting_of
from grokscope.transitions.verdict.pairs import Pair
from grokscope.transitions.verdict.pattern import is_delayed, pattern_of

BEGUN = 0.7
"""A held-out level that a log cannot begin at unless it was learned before: more than a coin gives."""
LEAST_GENERAL = 0.5
"""Share of what was possible that a rise with the fit brings at least to be dated as generalization; most of
what a lower one shows was learned by heart."""
LEAST_HELD = 0.1
"""Share of the evaluations that a level is held for at least, if it is lost again, to have been learned."""
LEAST_START = 0.1
"""A held-out gain in the log's last quarter that is worth telling, though no generalization yet; a smaller
one may be a creep as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAnalysis:
    """What the curves of one run show.

    Attributes:
        train: Train progress.
        test: Held-out progress.
        split, task: Which set the held-out curve is of.
        is_loss: They are losses: neither tells what could have been learned.
        fit: How the training set was fit.
        rise: The held-out rise, whatever its size; ``None`` if there is none.
        collapse: How what was learned was lost; ``None`` if it was not.
        pattern: The learning phase, or collapse; ``other`` if the log begins after the event.
    """

    train: Curve
    test: Curve
    split: str
    task: str
    is_loss: bool
    fit: Fit
    rise: Rise | None
    collapse: Collapse | None
    pattern: Pattern

    @property
    def generalization(self) -> Rise | None:
        """The rise, if it is large enough, lasts, and was seen together with a train fit."""
        rise = self.rise
        if rise is None or self.pattern in (Pattern.MEMORIZATION, Pattern.CONFUSION):
            return None
        if self.is_loss and self.pattern is Pattern.OTHER:
            return None
        is_small = self.pattern is Pattern.COMPREHENSION and rise.sure_share < LEAST_GENERAL
        return rise if _came_together(rise, self.fit) and not is_small else None

    @property
    def generalized(self) -> Date | None:
        """Where the generalized level is reached for good."""
        return None if self.generalization is None else self.generalization.completed

    @property
    def is_in_progress(self) -> bool:
        """The log ends in the middle of a change."""
        if self.pattern is Pattern.GROKKING:
            return self.rise is not None and not self.rise.is_settled
        if self.pattern is Pattern.MEMORIZATION:
            start = self.rise.start if self.rise is not None else 0
            return is_under_way(self.test.values[start:], least=LEAST_START)
        if self.pattern is Pattern.CONFUSION or (self.pattern is Pattern.OTHER and not self.is_loss):
            return is_under_way(self.train.values, least=LEARNED, share=TOLERANCE)
        return False


def analyse(pair: Pair) -> RunAnalysis:
    """Return what a pair of curves shows, each of two evaluations or more."""
    train, test = pair.train, pair.test
    fit = fit_of(train, is_loss=pair.is_train_loss)
    late = _late(fit, test)
    is_late = late is not None and fit.fitted_step is not None and is_delayed(fit.fitted_step, late, test)
    is_late &= late is None or late.is_from_flat or begin_level(test) < BEGUN
    whole = None if is_late else rise_of(test, after=None)
    rise = late if is_late or (late is not None and not _is_large(whole)) else whole
    collapse = _collapse(rise, train, test)
    pattern = Pattern.COLLAPSE
    if collapse is None:
        pattern = _pattern(fit, train, test, late=late if is_late else None, whole=whole)
    if pair.is_loss and not (pattern is Pattern.GROKKING and _is_first_gain(rise, test)):
        pattern, collapse = Pattern.OTHER, None
    return RunAnalysis(
        train=train,
        test=test,
        split=pair.split,
        task=pair.task,
        is_loss=pair.is_loss,
        fit=fit,
        rise=rise,
        collapse=collapse,
        pattern=pattern,
    )


def _is_first_gain(rise: Rise | None, test: Curve) -> bool:
    """Return whether a held-out loss came down from where it began, or higher, only in ``rise``.

    Weight decay shrinks the logits of a model that memorized, and its loss with them, without any
    generalization; and a loss that was low before has a double descent.
    """
    if rise is None or rise.onset_at is None:
        return False
    return highest_held(test, until=rise.onset_at) < LEARNED and rise.top >= LEAST_LATE


def _late(fit: Fit, test: Curve) -> Rise | None:
    """Return the rise since the train fit, if it is large for what was left."""
    if fit.fitted_step is None:
        return None
    late = rise_of(test, after=fit.fitted_step)
    return late if _is_large(late) else None


def _is_large(rise: Rise | None) -> TypeGuard[Rise]:
    return rise is not None and rise.share >= LEARNED and rise.lasts


def _came_together(rise: Rise | None, fit: Fit) -> TypeGuard[Rise]:
    """Return whether a rise is large and lasts, or came with the fit and was held before it was lost."""
    if rise is None or rise.share < LEARNED or not rise.is_clear:
        return False
    end = fit.fitted_step
    is_late = end is not None and rise.midpoint_at is not None and rise.midpoint_at > DELAY_RATIO * end
    was_held = rise.share_held >= LEAST_HELD and rise.sure_share >= LEAST_LATE
    return rise.lasts or (was_held and not is_late)


def _pattern(fit: Fit, train: Curve, test: Curve, *, late: Rise | None, whole: Rise | None) -> Pattern:
    """Return the learning phase; ``other`` if the log opens with all learned, or fit and half-way up."""
    whole = whole if _came_together(whole, fit) else None
    is_fit_at_once = fit.fitted_step is not None and fit.fitted_step <= max(train.steps[0], test.steps[0])
    if begins_at_top(test):
        # At step 0 a model that generalizes was trained before; later, it may have been faster than the fit.
        is_first = fit.fitted_step is not None and not is_fit_at_once and test.steps[0] > 0
        return Pattern.COMPREHENSION if is_first else Pattern.OTHER
    rise = late or whole
    if is_fit_at_once and rise is not None and not rise.is_seen_from_plateau:
        # The fit is not later than the log's first step, so a rise that is late to that is late enough.
        begin = int(test.steps[0])
        is_own = late is not None and (late.is_from_flat or late.top >= NEARLY)
        is_sure = is_own and late is not None and late.finished_step >= DELAY_RATIO * begin
        return Pattern.GROKKING if is_sure else Pattern.OTHER
    if rise is None and begin_level(test) >= BEGUN:
        return Pattern.OTHER
    return pattern_of(fit, late=late, whole=whole)


def _collapse(rise: Rise | None, train: Curve, test: Curve) -> Collapse | None:
    if begins_at_top(test):
        return held_out_collapse(test, generalized=bracket(test, 0), level=LOST)
    if _is_overfit(rise, train, test):
        return train_collapse(train)
    if _is_large(rise) and rise.completed is not None:
        lost = held_out_collapse(test, generalized=rise.completed, level=rise.lost_below)
        # Where a set with wrong labels is generalized, what was learned of those by heart goes.
        return lost if lost is not None or rise.top >= NEARLY else train_collapse(train)
    reached = arrival(test, rise.lost_below) if _has_fallen(rise) else None
    if rise is None or reached is None:
        return train_collapse(train)
    return held_out_collapse(test, generalized=bracket(test, reached), level=rise.lost_below)


def _has_fallen(rise: Rise | None) -> TypeGuard[Rise]:
    """Return whether a rise that was large for what was left has gone again."""
    return rise is not None and rise.sure_share >= LEAST_LATE and rise.has_reverted


def _is_overfit(rise: Rise | None, train: Curve, test: Curve) -> bool:
    """Return whether a level was lost, or part of it, while the training set was still being fit."""
    worse = overfitting_of(test, train=train, counts_by_level=False)
    if rise is None or worse is None:
        return False
    at = min(int(np.searchsorted(train.steps, worse.date.step)), len(train) - 1)
    is_still_fitting = float(train.values[-1]) - float(train.values[at]) >= LEARNED
    is_slight = rise.top < NEARLY and rise.top - rise.end < LEAST_LATE * (1 - rise.begin)
    is_kept = rise.end >= LEAST_LATE * rise.top
    return is_slight or (is_still_fitting and is_kept)
