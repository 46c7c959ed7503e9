"""When a curve passes a level: sustained, bracketed by the evaluation grid."""

import numpy as np
import numpy.typing as npt

from grokscope.schemas import Date
from grokscope.transitions.curves.series import Curve, Floats, Integers, log_steps


def first_sustained(values: Floats, level: float, patience: int) -> int | None:
    """Return the index of the first of ``patience`` values in a row at or above ``level``.

    Args:
        values: Shape (n,).
        level: In the unit of ``values``.
        patience: At least 1; a single touch of a noisy curve is no arrival.

    Returns:
        ``None`` if there is no such row; values shorter than ``patience`` have none.

    >>> first_sustained(np.array([0.0, 1.0, 0.0, 1.0, 1.0]), 0.9, 2)
    3
    """
    return first_run(values >= level, patience)


def arrival(curve: Curve, level: float) -> int | None:
    """Return the index at which ``curve`` comes to stay at or above ``level``, or ``None``.

    Evaluations in a row decide; where noise never lets enough of them follow each other, the running median
    has to stay there instead.

    >>> noisy = Curve(metric="m", steps=np.arange(9), values=np.array([0, 0, 1, 0.9, 1, 1, 0.9, 1, 1]))
    >>> arrival(noisy, 0.99)
    4
    """
    raw = first_sustained(curve.values, level, curve.patience)
    return raw if raw is not None else _usual_arrival(curve, level)


def earliest_arrival(curve: Curve, level: float) -> int | None:
    """Return the index from which ``curve`` is usually at or above ``level``, or ``None``.

    Unlike a row of evaluations, the running median is not delayed by noise: what two arrivals are compared
    by has to be, or the noisier curve would always come second.

    >>> noisy = Curve(metric="m", steps=np.arange(9), values=np.array([0, 0, 1, 0.9, 1, 1, 0.9, 1, 1]))
    >>> earliest_arrival(noisy, 0.99)
    3
    """
    raw = first_sustained(curve.values, level, curve.patience)
    found = [index for index in (raw, _usual_arrival(curve, level)) if index is not None]
    return min(found, default=None)


def first_run(holds: npt.NDArray[np.bool_], length: int) -> int | None:
    """Return where the first row of ``length`` true values begins, or ``None``.

    >>> first_run(np.array([True, False, True, True]), 2)
    2
    """
    if len(holds) < length:
        return None
    counts = np.concatenate(([0], np.cumsum(holds)))
    full = counts[length:] - counts[:-length] == length
    return int(np.argmax(full)) if full.any() else None


def bracket(curve: Curve, index: int) -> Date:
    """Return the date of an event first seen at evaluation ``index``: somewhere since the one before.

    An event seen at the first evaluation is known only to lie between step 0 and there.

    >>> curve = Curve(metric="m", steps=np.array([0, 10, 20]), values=np.zeros(3))
    >>> bracket(curve, 2)
    Date(step=20, low=10, high=20)
    """
    high = int(curve.steps[index])
    low = int(curve.steps[index - 1]) if index > 0 else min(0, high)
    return Date(step=high, low=low, high=high)


def highest_held(curve: Curve, *, until: float) -> float:
    """Return the highest level that ``curve`` held before step ``until``: of medians, no single evaluation.

    NaN without any evaluation before.

    >>> curve = Curve(metric="m", steps=np.arange(6), values=np.array([0.9, 0.1, 0.1, 0.3, 0.3, 1.0]))
    >>> highest_held(curve, until=5)
    0.3
    """
    early = curve.values[curve.steps < until]
    if len(early) == 0:
        return float("nan")
    width = min(curve.patience | 1, len(early))
    return float(np.max(np.median(np.lib.stride_tricks.sliding_window_view(early, width), axis=-1)))


def around(curve: Curve, index: int, *, holds: npt.NDArray[np.bool_]) -> Date:
    """Return the date of evaluation ``index``: the row of those about it that hold, and the gaps beside.

    >>> curve = Curve(metric="m", steps=np.arange(5) * 10, values=np.zeros(5))
    >>> around(curve, 2, holds=np.array([False, True, True, False, True]))
    Date(step=20, low=0, high=30)
    """
    others = np.flatnonzero(~holds)
    left, right = others[others < index], others[others > index]
    return Date(
        step=int(curve.steps[index]),
        low=int(curve.steps[left[-1] if len(left) else 0]),
        high=int(curve.steps[right[0] if len(right) else -1]),
    )


def interpolated(steps: Integers, values: Floats, index: int, level: float) -> float:
    """Return where a straight line between evaluations ``index - 1`` and ``index`` meets ``level``.

    Straight in log step, the axis on which rises are S-shaped. Without a crossing in between it is at
    ``index``.

    >>> interpolated(np.array([10, 20]), np.array([0.0, 1.0]), 1, 0.5).__round__(2)
    14.14
    """
    if index == 0 or not values[index - 1] < level <= values[index]:
        return float(steps[index])
    before, after = log_steps(steps)[index - 1 : index + 1]
    share = (level - values[index - 1]) / (values[index] - values[index - 1])
    return float(np.clip(np.exp(before + share * (after - before)), steps[index - 1], steps[index]))


def _usual_arrival(curve: Curve, level: float) -> int | None:
    """Return where the running median comes to stay at ``level``: where most of a window are at it."""
    half = curve.patience
    counts = np.concatenate(([0], np.cumsum(np.pad(curve.values >= level, half, mode="edge"))))
    width = 2 * half + 1
    return first_run(counts[width:] - counts[:-width] > half, half)
