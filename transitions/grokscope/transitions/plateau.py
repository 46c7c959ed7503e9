"""The levels on either side of a rise: the plateau that the run waited on, and the top that it settles at."""

import numpy as np

from grokscope.transitions.curves import Curve, Floats
from grokscope.transitions.s_curve import crossings

ONSET, MIDPOINT = 0.1, 0.5
"""Shares of the rise at which it begins and is half done."""
FLAT = 0.05
"""Ground that gains less than this share of the rise from its first half to its second is flat."""
REFINEMENTS = 3
"""How often the plateau is read again, up to the onset that it implies; two are enough to settle."""


def plateau_of(curve: Curve, start: int, end: int, *, top: float) -> float:
    """Return the level that the run waited at between evaluations ``start`` and ``end``, in its own unit.

    It need not be chance. Flat ground up to the onset decides; a curve that creeps all the way has none, and
    its plateau is the level half-way through the wait (the median of the first half of its evaluations).
    """
    half, quarter = (start + end + 1) // 2, (3 * start + end + 3) // 4
    ground = next((g for stop in (half, quarter) if is_flat(g := curve.values[start:stop], top=top)), None)
    if ground is None:
        return float(np.median(curve.values[start:half]))
    plateau = float(np.median(ground))
    for _ in range(REFINEMENTS):
        level = np.array([plateau + ONSET * (top - plateau)])
        if top <= plateau:
            break
        foot = start + int(crossings(curve.values[start:end], level, height=top - plateau)[0])
        if not is_flat(curve.values[start:foot], top=top):
            break
        plateau = float(np.median(curve.values[start:foot]))
    return plateau


def top_of(curve: Curve, end: int) -> float:
    """Return the level that the curve settles at from evaluation ``end`` on, in the metric's unit.

    The median of what holds the level arrived at: dips or a collapse say nothing about the top.
    """
    arrived = float(np.median(curve.values[end : end + curve.patience]))
    later = curve.values[end:]
    return float(np.median(later[later >= arrived]))


def is_flat(ground: Floats, *, top: float) -> bool:
    """Return whether ``ground`` gains next to nothing, as rises to ``top`` go; too short a one does not show.

    >>> is_flat(np.array([0.1, 0.12, 0.09, 0.11]), top=1.0), is_flat(np.linspace(0.1, 0.4, 8), top=1.0)
    (True, False)
    """
    half = len(ground) // 2
    if half <= 1:
        return False
    gain = float(np.median(ground[half:]) - np.median(ground[:half]))
    return gain <= FLAT * (top - float(np.median(ground)))
