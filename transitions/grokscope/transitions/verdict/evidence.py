"""Is it really grokking? Checks on a generalization that pass, fail or cannot tell."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from grokscope.schemas import Check
from grokscope.transitions.curves.series import Curve, running_median
from grokscope.transitions.events.collapse import dips_of
from grokscope.transitions.events.generalization import DELAY_RATIO, LOST, SHORT_WAIT, Rise
from grokscope.transitions.events.memorization import Fit
from grokscope.transitions.events.stages import rests_of
from grokscope.transitions.verdict.continuous import lead, no_artefact

RECOVERY_SHARE = 0.8
"""Held-out accuracy before the train fit, as a share of the final one, that makes a late rise a recovery
(arXiv:2605.27078 shows a published example)."""
KEPT_SHARE = 0.95
"""Share of the evaluations since memorization at which train accuracy has to be up."""


def checks_of(
    rise: Rise, fit: Fit, *, train: Curve, curves: Mapping[str, Curve], test: Curve
) -> tuple[Check, ...]:
    """Return the checks on the rise of ``test``: is it grokking?

    Args:
        rise: The rise.
        fit: How the training set was fit.
        train: Train accuracy.
        curves: Everything that the run logged, for what is continuous in it.
        test: Held-out accuracy.
    """
    return (
        _sustained(fit, train),
        _plateau(rise, test),
        _delayed(rise, fit),
        _no_recovery(rise, fit, test),
        lead(rise.onset, curves=curves, test=test),
        no_artefact(rise, curves=curves, test=test),
        _stays(rise, test),
        _stages(rise, test),
    )


def _sustained(fit: Fit, train: Curve) -> Check:
    check = partial(Check.of, "train fit sustained")
    if fit.memorized is None:
        return check("train accuracy is not memorized", holds=None)
    kept = float(np.mean(train.values[train.steps >= fit.memorized.step] >= LOST))
    seen = f"{kept:.0%} of the evaluations since memorization at {LOST} or above"
    return check(seen, holds=kept >= KEPT_SHARE)


def _plateau(rise: Rise, test: Curve) -> Check:
    check = partial(Check.of, "plateau before")
    if rise.onset is None:
        return check("the level before the rise is not in the log", holds=None)
    waited = int(np.sum((test.steps >= test.steps[rise.start]) & (test.steps <= rise.onset.low)))
    seen = f"{rise.plateau:.2f} over {waited} evaluations, then up to {rise.top:.2f}"
    return check(seen, holds=waited >= SHORT_WAIT)


def _delayed(rise: Rise, fit: Fit) -> Check:
    check = partial(Check.of, "delayed")
    if rise.midpoint is None or fit.memorized is None or fit.memorized.step <= 0:
        return check("memorization or midpoint is not dated", holds=None)
    ratio = rise.midpoint.step / fit.memorized.step
    return check(f"midpoint at {ratio:.1f} times the memorization step", holds=ratio >= DELAY_RATIO)


def _no_recovery(rise: Rise, fit: Fit, test: Curve) -> Check:
    check = partial(Check.of, "no recovery")
    early = np.empty(0) if fit.memorized is None else test.values[test.steps < fit.memorized.step]
    if len(early) == 0:
        return check("no evaluation before memorization", holds=None)
    highest = float(np.max(running_median(early, width=3)))
    seen = f"{highest:.2f} at most before memorization, {rise.top:.2f} after the rise"
    return check(seen, holds=highest < RECOVERY_SHARE * rise.top)


def _stays(rise: Rise, test: Curve) -> Check:
    check = partial(Check.of, "stays")
    if rise.completed is None:
        return check("the rise is not complete", holds=None)
    dips = dips_of(test.values[test.steps >= rise.completed.high])
    return check(f"{dips} dips below {LOST} since" if dips else f"never below {LOST} since", holds=not dips)


def _stages(rise: Rise, test: Curve) -> Check:
    check = partial(Check.of, "stages")
    if rise.onset is None:
        return check("the onset is not in the log", holds=None)
    rests = rests_of(rise, test)
    listed = ", ".join(f"at {r.level:.2f} from step {r.begin} to {r.end}" for r in rests)
    return check(f"{len(rests) + 1} rises, resting {listed}" if rests else "one rise", holds=True)
