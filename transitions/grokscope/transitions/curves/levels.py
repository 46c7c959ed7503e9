"""Levels of a whole curve: where it begins, where it ends, and whether it is just leaving."""

import numpy as np

from grokscope.transitions.curves.noise import jitter
from grokscope.transitions.curves.series import Curve, Floats, median, running_median

BEYOND = 4.0
"""Standard deviations of noise by which the first evaluation lies apart from the next few."""
SHORT = 5
"""Fewer evaluations than this are not smoothed."""


def begin_level(curve: Curve) -> float:
    """Return the level at the beginning of the log: of the first few evaluations, or of the first if lower.

    Lower by more than noise: a curve may have left its first level by the second evaluation.

    >>> begin_level(Curve(metric="m", steps=np.arange(8), values=np.array([0.1, 0.5, 0.9, *np.ones(5)])))
    0.1
    """
    first, few = float(curve.values[0]), median(curve.values[: curve.patience])
    noise = BEYOND * jitter(curve.values[len(curve) // 2 :])
    return first if first < few - noise else few


def end_level(curve: Curve, *, since: int = 0) -> float:
    """Return the median of the last evaluations, of those from index ``since`` on.

    >>> end_level(Curve(metric="m", steps=np.arange(5), values=np.array([0.1, 0.9, 0.8, 1.0, 0.9])))
    0.9
    """
    return median(curve.values[since:][-max(curve.patience, 3) :])


def is_under_way(values: Floats, *, least: float, share: float = 0.5) -> bool:
    """Return whether a curve is leaving its level just now.

    The last quarter of the log brought more than ``share`` of all that was gained, which is ``least`` or
    more. By default half: a slow creep brings a quarter in each.

    >>> is_under_way(np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.3]), least=0.05)
    True
    >>> is_under_way(np.linspace(0.0, 0.3, 8), least=0.05)
    False
    """
    if len(values) <= 1:
        return False
    smooth = running_median(values, width=3 if len(values) >= SHORT else 1)
    quarter = len(smooth) - max(len(smooth) // 4, 1)
    gain = float(np.max(smooth[quarter:]) - median(smooth[:quarter]))
    recent = float(median(smooth[max(quarter, len(smooth) - 3) :]) - smooth[quarter - 1])
    return gain >= least and recent > share * gain
