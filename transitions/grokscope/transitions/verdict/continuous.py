"""What continuous measures say of a jump in accuracy: whether they moved first, and whether they jumped too.

A sharp metric can make smooth progress look like a jump (Schaeffer et al. 2023, arXiv:2304.15004), and
accuracy is the last to move when the jump is real.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np

from grokscope.schemas import Check, Date
from grokscope.transitions.curves.plateau import ONSET
from grokscope.transitions.curves.s_curve import crossings
from grokscope.transitions.curves.series import Curve, Floats, log_steps, running_median
from grokscope.transitions.events.generalization import Rise

LEADING = ("log_probability_q50", "information", "mrr")
"""Held-out measures that can lead accuracy."""
JUMPING = (*LEADING, "loss")
"""... and those that show whether the jump is in the model; loss last, since logit scale moves it too."""
CONCENTRATED = 1.5
"""A jump is in the measure if the rise brings so many times the gain that its share of the log would."""
MOST_OF_THE_LOG = 0.5
"""A rise that takes this share of the log is no jump to begin with."""
LEAST_EVALUATIONS = 8
_LEAST_GAIN = 1e-9


def lead(onset: Date | None, *, curves: Mapping[str, Curve], test: Curve) -> Check:
    """Return whether a continuous measure left its plateau before accuracy did."""
    check = partial(Check.of, "lead")
    found = _first_of(LEADING, curves, test)
    if found is None or onset is None:
        why = "no log-probability, information or MRR was logged" if onset else "no onset is dated"
        return check(why, holds=None)
    step = _departure(found, until=onset.high)
    if step is None:
        return check(f"{found.metric} has not moved by step {onset.high}", holds=False)
    if step <= onset.step:
        return check(f"{found.metric} moves from step {step}, {test.metric} from {onset.step}", holds=True)
    return check(f"{found.metric} moves from step {step}, after {test.metric}", holds=False)


def no_artefact(rise: Rise, *, curves: Mapping[str, Curve], test: Curve) -> Check:
    """Return whether the jump is in the model, or only in how it is scored."""
    check = partial(Check.of, "no artefact")
    found = _first_of(JUMPING, curves, test)
    if found is None or rise.onset is None:
        why = f"no continuous measure beside {test.metric}" if found is None else "no onset is dated"
        return check(why, holds=None)
    end = rise.completed.high if rise.completed is not None else int(test.steps[-1])
    axis = log_steps(found.steps)
    inside = (found.steps >= rise.onset.low) & (found.steps <= end)
    time = float(np.ptp(axis[inside]) / np.ptp(axis)) if np.sum(inside) > 1 else 1.0
    if time >= MOST_OF_THE_LOG:
        return check("the rise takes most of the log", holds=None)
    values = running_median(_upwards(found), width=3)
    gain = float(values[inside][-1] - values[inside][0])
    total = float(np.max(values) - np.min(values[: np.flatnonzero(inside)[-1] + 1]))
    share = gain / max(total, _LEAST_GAIN)
    seen = f"{share:.0%} of the change of {found.metric} within {time:.0%} of the log (in log step)"
    if share >= CONCENTRATED * time:
        return check(seen, holds=True)
    # Loss alone proves no artefact: weight decay shrinks the logits all along and hides the jump.
    return check(f"only {seen}", holds=None if found.metric.endswith("/loss") else False)


def _first_of(quantities: tuple[str, ...], curves: Mapping[str, Curve], test: Curve) -> Curve | None:
    split = test.metric.partition("/")[0]
    known = (curves.get(f"{split}/{quantity}") for quantity in quantities)
    return next(
        (
            c
            for c in known
            if c is not None and len(c) >= LEAST_EVALUATIONS and not c.is_constant and c.metric != test.metric
        ),
        None,
    )


def _upwards(curve: Curve) -> Floats:
    return -curve.values if curve.metric.endswith("/loss") else curve.values


def _departure(curve: Curve, *, until: int) -> int | None:
    """Return where the measure passes 10 % of its way from its lowest before ``until`` to its highest."""
    values = running_median(curve.values, width=3)
    last = int(np.searchsorted(curve.steps, until, side="right"))
    if last == 0:
        return None
    lowest = int(np.argmin(values[:last]))
    height = float(np.max(values[lowest:]) - values[lowest])
    if height <= 0:
        return None
    level = np.array([values[lowest] + ONSET * height])
    index = lowest + int(crossings(values[lowest:], level, height=height)[0])
    return int(curve.steps[min(index, len(curve) - 1)])
