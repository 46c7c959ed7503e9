"""Reasons: what could not be told about a run, one sentence each."""

from collections.abc import Mapping, Sequence

import numpy as np

from grokscope.schemas import Pattern
from grokscope.schemas.metrics.aliases import readings
from grokscope.transitions.curves.levels import SHORT, begin_level, end_level
from grokscope.transitions.curves.plateau import MIDPOINT
from grokscope.transitions.curves.series import COUNT, Curve, running_median
from grokscope.transitions.events.completion import GENERALIZED, begins_at_top
from grokscope.transitions.events.generalization import LEAST_LATE, Rise
from grokscope.transitions.events.memorization import FITTED, LEARNED, MEMORIZED
from grokscope.transitions.verdict.analysis import RunAnalysis
from grokscope.transitions.verdict.pairs import Pair

WITH_DELAY = (Pattern.GROKKING, Pattern.COLLAPSE)
"""Patterns in which the held-out curve may have waited for something; what rises together has no delay."""
_NO_HELD_OUT = (
    "No held-out score or loss of a known name was logged, so no learning phase can be told. "
    "Say which metric is one: with --alias NAME=KEY, or on the page Runs."
)


def why_other(curves: Mapping[str, Curve], pairs: Sequence[Pair]) -> list[str]:
    """Return why no pattern can be told of a run, none of whose ``pairs`` can be read."""
    reasons = [reason for pair in pairs if (reason := why_unreadable(pair)) is not None]
    if reasons:
        return reasons
    counts = sorted(name for name in curves if name.endswith(COUNT))
    if counts:
        return [f"{counts[0]} holds numbers beyond 100: counts of answers are no share and are not judged."]
    named = {name: one for name, one in readings(curves).items() if one.score is not None and one.split}
    held_out = [curves[name] for name, one in sorted(named.items()) if one.split != "train"]
    trained = [curves[name] for name, one in sorted(named.items()) if one.split == "train"]
    reasons = [reason for curve in (*held_out, *trained) if (reason := _why_short(curve)) is not None]
    if reasons:
        return reasons[:1]
    if not held_out:
        return [_NO_HELD_OUT]
    names = " and ".join(curve.metric for curve in held_out[:3])
    return [f"No training curve was logged beside {names}, so no learning phase can be told."]


def why_unreadable(pair: Pair) -> str | None:
    """Return why a pair of curves tells nothing, or ``None`` if it does."""
    train, test = pair.train, pair.test
    if train.is_constant and test.is_constant:
        return (
            f"Neither curve ever changes: {train.metric} is {train.said(train.values[0])} and {test.metric} "
            f"{test.said(test.values[0])} throughout, so there is nothing to date."
        )
    return None


def what_is_missing(analysis: RunAnalysis) -> list[str]:
    """Return what a judged run's verdict leaves open."""
    train, test, fit, rise = analysis.train, analysis.test, analysis.fit, analysis.rise
    found: list[str] = []
    if analysis.is_loss and analysis.pattern is Pattern.OTHER:
        found.append(_only_losses(train, test))
    else:
        found.extend(_about_fit(analysis))
        if analysis.pattern is Pattern.OTHER and not begins_at_top(test) and fit.has_learned:
            found.extend(_why_no_phase(analysis))
    if begins_at_top(test):
        found.append(_begins_late(test))
    elif rise is not None and not analysis.is_loss:
        found.extend(_open_about(rise, analysis))
    if test.is_per_cent:
        found.append(f"{test.metric} was logged as per cent and is read as a share.")
    if test.dropped:
        found.append(f"{test.dropped} values of {test.metric} are not finite and were left out of the fits.")
    return found


def _only_losses(train: Curve, test: Curve) -> str:
    went = (f"{c.metric} went from {c.said(c.values[0])} to {c.said(_end(c))}" for c in (train, test))
    return (
        f"Only losses tell of this run, and how low they could go is not known: {' and '.join(went)}. "
        "A held-out score beside them would tell the phase."
    )


def _end(curve: Curve) -> float:
    return float(curve.values[-1]) if len(curve) <= SHORT else end_level(curve)


def _about_fit(analysis: RunAnalysis) -> list[str]:
    fit, train, test = analysis.fit, analysis.train, analysis.test
    rise, pattern = analysis.rise, analysis.pattern
    if fit.fitted_step is None:
        level = train.said(FITTED)
        return [
            f"{train.metric} never stays at {level} or better, and has not settled below: it was not fit."
        ]
    if fit.ceiling < 1:
        return [
            f"{train.metric} levels off at {train.said(fit.ceiling)}: its fit is dated where it comes there."
        ]
    if fit.memorized is None:
        passed, not_held = train.said(FITTED), train.said(MEMORIZED)
        return [f"{train.metric} passes {passed} but never stays at {not_held}: memorization is not dated."]
    midpoint = None if rise is None else rise.midpoint
    if midpoint is not None and midpoint.step < fit.memorized.step and pattern in WITH_DELAY:
        return [f"{train.metric} is memorized only after the midpoint of the rise: no delay is given."]
    if fit.memorized.step == test.steps[0] and fit.memorized.step > 0:
        return ["The training set is fit at the first evaluation: the delay is only bounded."]
    return []


def _why_no_phase(analysis: RunAnalysis) -> list[str]:
    train, test, rise = analysis.train, analysis.test, analysis.rise
    if rise is not None and rise.share >= LEARNED and not rise.is_seen_from_plateau:
        return []
    best = float(np.max(running_median(train.values, width=train.patience | 1)))
    is_fit = "" if analysis.fit.fitted_step is not None else " without being fit"
    went = f"{test.metric} goes from {test.said(begin_level(test))} to {test.said(end_level(test))}"
    return [f"{train.metric} comes to {train.said(best)}{is_fit}, and {went}: none of the learning phases."]


def _open_about(rise: Rise, analysis: RunAnalysis) -> list[str]:
    """Return what is open about a rise; nothing of one that is complete and dated."""
    test, pattern = analysis.test, analysis.pattern
    if not rise.is_seen_from_plateau:
        return [_begins_late(test)]
    went = f"from {test.said(rise.plateau)} to {test.said(rise.top)}"
    if pattern is Pattern.COMPREHENSION and analysis.generalization is None:
        return [f"{test.metric} went {went}, less than half of what was possible: that is not dated."]
    if rise.completed is not None and rise.share >= LEARNED:
        return []
    if rise.share < LEARNED or (pattern is Pattern.MEMORIZATION and rise.share < LEAST_LATE):
        return [f"{test.metric} moves {went}; so little is no evidence of generalization."]
    return [_incomplete(rise, analysis)]


def _incomplete(rise: Rise, analysis: RunAnalysis) -> str:
    test = analysis.test
    if not rise.is_clear:
        return f"{test.metric} comes to {test.said(rise.top)} at times, which is within its noise."
    if not rise.has_reverted:
        return _unfinished(rise, test)
    return _fell_back(rise, test) if analysis.generalization is not None else _reverted(rise, test)


def _fell_back(rise: Rise, test: Curve) -> str:
    return f"{test.metric} came to {test.said(rise.top)} and fell back to {test.said(rise.end)}."


def _reverted(rise: Rise, test: Curve) -> str:
    top = test.said(rise.top)
    if float(test.values[-1]) >= rise.plateau + MIDPOINT * rise.height:
        return f"{test.metric} has only just come to {top}: too few evaluations to call it a rise."
    return f"{test.metric} came to {top} and fell back to {test.said(rise.end)}: not a generalization."


def _unfinished(rise: Rise, test: Curve) -> str:
    best = f"within the log (best level {test.said(rise.top)})"
    return f"{test.metric} neither stays at {test.said(GENERALIZED)} nor settles at a lower level {best}."


def _begins_late(test: Curve) -> str:
    return (
        f"The log begins at step {int(test.steps[0])} with {test.metric} already at "
        f"{test.said(test.values[0])}: what came before was not recorded, so no onset is given."
    )


def _why_short(curve: Curve) -> str | None:
    if len(curve) == 0:
        return (
            f"None of the {curve.dropped} values of {curve.metric} can be read (NaN, infinite or too "
            "large), so there is no curve to judge."
        )
    if len(curve) == 1:
        return (
            f"{curve.metric} has one evaluation, at step {int(curve.steps[0])}; a curve needs at least two."
        )
    if curve.is_constant:
        return f"{curve.metric} is {curve.said(float(curve.values[0]))} throughout: there is nothing to date."
    return None
