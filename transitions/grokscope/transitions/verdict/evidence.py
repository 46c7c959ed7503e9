"""Is it really grokking? Checks on a generalization that pass, fail or cannot tell."""

from collections.abc import Mapping

import numpy as np

from grokscope.transitions.curves.series import Curve, running_median
from grokscope.transitions.events.collapse import dips_of
from grokscope.transitions.events.generalization import DELAY_RATIO, LOST, SHORT_WAIT, Rise
from grokscope.transitions.events.memorization import Fit
from grokscope.transitions.events.stages import rests_of
from grokscope.transitions.verdict.checks import failed, passed, unknown
from grokscope.transitions.verdict.continuous import artefact, lead

RECOVERY_SHARE = 0.8
"""Held-out accuracy before the train fit, as a share of the final one, that makes a late rise a recovery
(arXiv:2605.27078 shows a published example)."""
KEPT_SHARE = 0.95
"""Share of the evaluations since memorization at which train accuracy has to be up."""


def findings(
    rise: Rise, fit: Fit, *, train: Curve, curves: Mapping[str, Curve], test: Curve
) -> dict[str, str]:
    """Return check -> finding for the rise of ``test``: ``"pass: …"``, ``"fail: …"`` or ``"unknown: …"``.

    Args:
        rise: The rise.
        fit: How the training set was fit.
        train: Train accuracy.
        curves: Everything that the run logged, for what is continuous in it.
        test: Held-out accuracy.
    """
    return {
        "train fit sustained": _sustained(fit, train),
        "plateau before": _plateau(rise, test),
        "delayed": _delayed(rise, fit),
        "no recovery": _new(rise, fit, test),
        "lead": lead(rise.onset, curves=curves, test=test),
        "no artefact": artefact(rise, curves=curves, test=test),
        "stays": _stays(rise, test),
        "stages": _stages(rise, test),
    }


def _sustained(fit: Fit, train: Curve) -> str:
    if fit.memorized is None:
        return unknown("train accuracy is not memorized")
    kept = float(np.mean(train.values[train.steps >= fit.memorized.step] >= LOST))
    verdict = passed if kept >= KEPT_SHARE else failed
    return verdict(f"{kept:.0%} of the evaluations since memorization at {LOST} or above")


def _plateau(rise: Rise, test: Curve) -> str:
    if rise.onset is None:
        return unknown("the level before the rise is not in the log")
    waited = int(np.sum((test.steps >= test.steps[rise.start]) & (test.steps <= rise.onset.low)))
    verdict = passed if waited >= SHORT_WAIT else failed
    return verdict(f"{rise.plateau:.2f} over {waited} evaluations, then up to {rise.top:.2f}")


def _delayed(rise: Rise, fit: Fit) -> str:
    if rise.midpoint is None or fit.memorized is None or fit.memorized.step <= 0:
        return unknown("memorization or midpoint is not dated")
    ratio = rise.midpoint.step / fit.memorized.step
    verdict = passed if ratio >= DELAY_RATIO else failed
    return verdict(f"midpoint at {ratio:.1f} times the memorization step")


def _new(rise: Rise, fit: Fit, test: Curve) -> str:
    early = np.empty(0) if fit.memorized is None else test.values[test.steps < fit.memorized.step]
    if len(early) == 0:
        return unknown("no evaluation before memorization")
    highest = float(np.max(running_median(early, width=3)))
    verdict = failed if highest >= RECOVERY_SHARE * rise.top else passed
    return verdict(f"{highest:.2f} at most before memorization, {rise.top:.2f} after the rise")


def _stays(rise: Rise, test: Curve) -> str:
    if rise.completed is None:
        return unknown("the rise is not complete")
    dips = dips_of(test.values[test.steps >= rise.completed.high])
    return failed(f"{dips} dips below {LOST} since") if dips else passed(f"never below {LOST} since")


def _stages(rise: Rise, test: Curve) -> str:
    if rise.onset is None:
        return unknown("the onset is not in the log")
    rests = rests_of(rise, test)
    told = ", ".join(f"at {r.level:.2f} from step {r.begin} to {r.end}" for r in rests)
    return passed(f"{len(rests) + 1} rises, resting {told}" if rests else "one rise")
