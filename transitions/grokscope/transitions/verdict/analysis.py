"""What was read off one run's accuracies: fit, rise, collapse, and the pattern that they make."""

from dataclasses import dataclass

from grokscope.schemas import Date, Pattern
from grokscope.transitions.curves.crossings import arrival, bracket
from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.collapse import Collapse, test_collapse, train_collapse
from grokscope.transitions.events.generalization import (
    LEAST_RISE,
    LOST,
    TOLERANCE,
    Rise,
    begins_at_top,
    is_under_way,
    rise_of,
)
from grokscope.transitions.events.memorization import Fit, fit_of
from grokscope.transitions.verdict.pattern import is_delayed_for_sure, pattern_of

LEAST_START = 0.1
"""A held-out gain in the log's last quarter that is worth telling, though no generalization yet; a smaller
one may be a creep as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAnalysis:
    """What the accuracies of one run show.

    Attributes:
        train: Train accuracy.
        test: Held-out accuracy.
        fit: How the training set was fit.
        rise: The held-out rise, whatever its size; ``None`` if there is none.
        collapse: How what was learned was lost; ``None`` if it was not.
        pattern: The learning phase, or collapse; ``other`` if the log begins after the event.
    """

    train: Curve
    test: Curve
    fit: Fit
    rise: Rise | None
    collapse: Collapse | None
    pattern: Pattern

    @property
    def generalization(self) -> Rise | None:
        """The rise, if it is large enough, lasts, and was seen together with a train fit."""
        rise = self.rise
        if rise is None or not _is_generalization(rise):
            return None
        return rise if self.fit.fitted_step is not None or rise.completed is not None else None

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
        if self.pattern is Pattern.CONFUSION:
            return is_under_way(self.train.values, least=LEAST_RISE, share=TOLERANCE)
        return False


def analyse(train: Curve, test: Curve) -> RunAnalysis:
    """Return what the accuracies of one run show; both hold two evaluations or more."""
    fit = fit_of(train)
    rise = _rise(fit, test)
    collapse = _collapse(rise, train, test)
    pattern = Pattern.COLLAPSE if collapse is not None else _pattern(fit, rise, train, test)
    return RunAnalysis(train=train, test=test, fit=fit, rise=rise, collapse=collapse, pattern=pattern)


def _pattern(fit: Fit, rise: Rise | None, train: Curve, test: Curve) -> Pattern:
    """Return the learning phase; ``other`` if the log opens with all learned, or fit and half-way up."""
    is_fit_at_once = fit.fitted_step is not None and fit.fitted_step <= train.steps[0]
    if begins_at_top(test):
        # At step 0 a model that generalizes was trained before; later, it may have been faster than the fit.
        is_first = fit.fitted_step is not None and not is_fit_at_once and test.steps[0] > 0
        return Pattern.COMPREHENSION if is_first else Pattern.OTHER
    if is_fit_at_once and rise is not None and _begins_half_way(rise) and not is_delayed_for_sure(rise, test):
        return Pattern.OTHER
    return pattern_of(fit, rise, test=test)


def _begins_half_way(rise: Rise) -> bool:
    """Return whether there is a rise to speak of, and the log begins on it."""
    return not rise.is_seen_from_plateau and (rise.completed is not None or _is_generalization(rise))


def _rise(fit: Fit, test: Curve) -> Rise | None:
    """Return the rise since the train fit, or the whole rise if it came with the fit."""
    late = rise_of(test, after=fit.fitted_step) if fit.fitted_step is not None else None
    if late is not None and _is_generalization(late):
        return late
    whole = rise_of(test, after=None)
    came_with_fit = whole is not None and whole.completed is not None
    return whole if came_with_fit or fit.fitted_step is None else late


def _is_generalization(rise: Rise) -> bool:
    lasts = rise.completed is not None or not rise.has_reverted
    return rise.height >= LEAST_RISE and rise.is_clear and lasts


def _collapse(rise: Rise | None, train: Curve, test: Curve) -> Collapse | None:
    if rise is not None and rise.completed is not None:
        return test_collapse(test, generalized=rise.completed)
    if begins_at_top(test):
        return test_collapse(test, generalized=bracket(test, 0))
    return _partial_collapse(rise, test) or train_collapse(train)


def _partial_collapse(rise: Rise | None, test: Curve) -> Collapse | None:
    """Return the loss of a level short of completion: a fall as large as a rise has to be."""
    if rise is None or not rise.is_clear or rise.height < LEAST_RISE:
        return None
    reached = arrival(test, LOST)
    if reached is None or rise.end > rise.top - LEAST_RISE:
        return None
    return test_collapse(test, generalized=bracket(test, reached))
