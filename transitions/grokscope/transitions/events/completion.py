"""When a rise is done: at the generalized level, or at a lower one that the curve settles at."""

import numpy as np

from grokscope.schemas import Date
from grokscope.transitions.curves.crossings import arrival, bracket, earliest_arrival
from grokscope.transitions.curves.levels import end_level
from grokscope.transitions.curves.series import Curve, median, running_median

GENERALIZED = 0.95
"""Held-out accuracy that counts as generalized."""
NEARLY = 0.9
"""... and the one that does if the curve has settled there: the 90 % rule of Liu et al. 2022."""
MARGIN = 0.025
"""... by so much below its own top: a top of 0.951 is not first at 0.95, but near it from 0.926 on."""
FINISHED, NEAR = 0.99, 2.0
"""The rise is finished where the last per cents come, if they come within this factor of the step."""
LOST = 0.8
"""Level below which what was generalized counts as lost."""


def completion_of(curve: Curve, end: int, done: int | None, *, half_way: float) -> Date | None:
    """Return where a settled rise is done: at the generalized level, or at a lower one that it keeps."""
    is_kept = min(median(curve.values[end:]), end_level(curve)) >= half_way
    return bracket(curve, end if done is None else done) if is_kept or done is not None else None


def completion_index(curve: Curve) -> int | None:
    """Return the first of a row of evaluations at the generalized level, or ``None``.

    A curve that ends in between may still be on its way: 90 % counts if it settled above, or lost it again.

    >>> completion_index(Curve(metric="m", steps=np.arange(5), values=np.array([0.1, 0.96, 0.5, 1.0, 1.0])))
    3
    """
    top = float(np.max(running_median(curve.values, width=curve.patience | 1)))
    index = arrival(curve, float(np.clip(top - MARGIN, NEARLY, GENERALIZED)))
    is_short = index is not None and arrival(curve, GENERALIZED) is None
    return None if is_short and LOST <= end_level(curve) < NEARLY else index


def begins_at_top(curve: Curve) -> bool:
    """Return whether the first evaluation is already at the generalized level: its rise is not in the log."""
    is_possible = float(np.max(curve.values[: curve.patience + 1])) >= NEARLY
    return is_possible and completion_index(curve) == 0


def finished_step(curve: Curve, done: int) -> int:
    """Return the step at which the last per cents have come too, if they come soon after ``done``."""
    last = earliest_arrival(curve, FINISHED)
    is_near = last is not None and curve.steps[last] <= NEAR * curve.steps[done]
    return int(curve.steps[last if is_near and last is not None else done])
