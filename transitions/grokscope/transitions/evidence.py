"""What speaks for and against a generalization: short findings, ready to be shown."""

import numpy as np

from grokscope.transitions.collapse import dips_of
from grokscope.transitions.curves import Curve
from grokscope.transitions.memorization import Fit
from grokscope.transitions.rise import LOST, Rise

RECOVERY_SHARE = 0.8
"""Held-out accuracy before the train fit, as a share of the final one, that makes a late rise a recovery."""


def findings(rise: Rise, fit: Fit, *, train: Curve, test: Curve) -> dict[str, str]:
    """Return name -> finding for the rise of ``test``.

    Args:
        rise: The rise.
        fit: How the training set was fit.
        train: Train accuracy.
        test: Held-out accuracy.
    """
    found = {"plateau before": _plateau(rise, test), "rise": f"{rise.plateau:.2f} to {rise.top:.2f}"}
    if fit.memorized is not None:
        since = train.values[train.steps >= fit.memorized.step]
        kept = float(np.mean(since >= LOST))
        found["train fit sustained"] = f"{kept:.0%} of the evaluations since memorization at {LOST} or above"
        early = test.values[test.steps < fit.memorized.step]
        if len(early) and rise.top > 0 and float(np.max(early)) >= RECOVERY_SHARE * rise.top:
            found["recovery of an earlier high"] = f"{float(np.max(early)):.2f} before memorization"
    if rise.midpoint is not None and fit.memorized is not None and fit.memorized.step > 0:
        found["delay ratio"] = f"{rise.midpoint.step / fit.memorized.step:.1f} times the memorization step"
    if rise.completed is not None:
        found |= _dips(rise.completed.high, test)
    return found


def _plateau(rise: Rise, test: Curve) -> str:
    if rise.onset is None:
        return "not in the log"
    waited = int(np.sum((test.steps >= test.steps[rise.start]) & (test.steps <= rise.onset.low)))
    return f"{rise.plateau:.2f} over {waited} evaluations"


def _dips(completed: int, test: Curve) -> dict[str, str]:
    dips = dips_of(test.values[test.steps >= completed])
    return {"dips since": f"{dips} below {LOST}"} if dips else {}
