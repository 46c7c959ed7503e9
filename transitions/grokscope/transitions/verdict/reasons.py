"""Reasons: what could not be told about a run, one sentence each."""

from grokscope.transitions.curves.plateau import MIDPOINT
from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.generalization import GENERALIZED, LEAST_LATE, Rise, begins_at_top
from grokscope.transitions.events.memorization import FITTED, MEMORIZED, Fit


def why_other(train: Curve | None, test: Curve | None) -> str | None:
    """Return why no pattern can be told from these accuracies, or ``None`` if one can."""
    for curve, name in (
        (test, "held-out accuracy (test/accuracy or val/accuracy)"),
        (train, "train/accuracy"),
    ):
        reason = _why_unusable(curve, name)
        if reason is not None:
            return reason
    if train is not None and test is not None and train.is_constant and test.is_constant:
        return (
            f"Neither accuracy ever changes: {train.metric} is {train.values[0]:.2f} and {test.metric} "
            f"{test.values[0]:.2f} throughout, so there is nothing to date."
        )
    return None


def what_is_missing(fit: Fit, rise: Rise | None, *, test: Curve) -> list[str]:
    """Return what a judged run's verdict leaves open."""
    found: list[str] = []
    if fit.fitted_step is None:
        found.append(f"Train accuracy never stays at {FITTED} or above: nothing was memorized.")
    elif fit.memorized is None:
        found.append(
            f"Train accuracy passes {FITTED} but never stays at {MEMORIZED}: memorization is not dated."
        )
    elif fit.memorized.step == test.steps[0] and fit.memorized.step > 0:
        found.append("The training set is fit at the first evaluation: the delay is only bounded.")
    if begins_at_top(test):
        found.append(_begins_late(test))
    elif rise is not None:
        found.extend(_open_about(rise, test))
    if test.is_per_cent:
        found.append(f"{test.metric} was logged as per cent and is read as a share.")
    if test.dropped:
        found.append(f"{test.dropped} values of {test.metric} are not finite and were left out of the fits.")
    return found


def _open_about(rise: Rise, test: Curve) -> list[str]:
    if not rise.is_seen_from_plateau:
        return [_begins_late(test)]
    if rise.completed is not None:
        return []
    if rise.share < LEAST_LATE:
        gain = f"{test.metric} rises by {rise.height:.2f} above its plateau of {rise.plateau:.2f}"
        return [f"{gain}; less than {LEAST_LATE} is no evidence of generalization."]
    if not rise.is_clear:
        return [f"{test.metric} rises to {rise.top:.2f} at times, which is within the noise of its plateau."]
    return [_reverted(rise, test) if rise.has_reverted else _unfinished(rise, test)]


def _reverted(rise: Rise, test: Curve) -> str:
    if float(test.values[-1]) >= rise.plateau + MIDPOINT * rise.height:
        return f"{test.metric} has only just reached {rise.top:.2f}: too few evaluations to call it a rise."
    return f"{test.metric} rose to {rise.top:.2f} and fell back to {rise.end:.2f}: not a generalization."


def _unfinished(rise: Rise, test: Curve) -> str:
    return f"{test.metric} does not stay at {GENERALIZED} within the log (highest level {rise.top:.2f})."


def _begins_late(test: Curve) -> str:
    return (
        f"The log begins at step {int(test.steps[0])} with {test.metric} already at {test.values[0]:.2f}: "
        "what came before was not recorded, so no onset is given."
    )


def _why_unusable(curve: Curve | None, name: str) -> str | None:
    if curve is None:
        return f"No {name} was logged, so no learning phase can be told."
    if len(curve) == 0:
        return (
            f"None of the {curve.dropped} values of {curve.metric} is finite, so there is no curve to judge."
        )
    if len(curve) == 1:
        return (
            f"{curve.metric} has one evaluation, at step {int(curve.steps[0])}; a curve needs at least two."
        )
    return None
