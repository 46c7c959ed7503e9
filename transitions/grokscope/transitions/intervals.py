"""Intervals of dates: what the evaluation grid allows, widened by what noise adds.

The grid: an event between two evaluations is known no better than that gap. The noise: a moving-block
bootstrap (Künsch 1989), which keeps the autocorrelation of consecutive evaluations. Blocks of residuals about
a smooth monotone curve are laid onto that curve again, and every replicate is dated by the same rule.
"""

import numpy as np

from grokscope.schemas import Date
from grokscope.transitions.curves import Curve, Floats, Integers
from grokscope.transitions.passage import interpolated
from grokscope.transitions.s_curve import crossings, monotone

REPLICATES = 200
"""Bootstrap replicates: enough for the 2.5 % tail to rest on five of them."""
SHORTEST_BLOCK = 5
"""Evaluations that a block keeps together at least."""
LEVERAGE = 1 / 3
"""Share of each evaluation in its own fitted value, a mean of three: residuals are too small by as much."""
NEARBY = 32
"""Evaluations on either side of a crossing that replicates are laid out on at first; twice as many whenever
one of them crosses in the outer quarter."""


def dates(curve: Curve, levels: Floats, *, height: float, window: slice) -> list[Date | None]:
    """Return when ``curve`` passes each of ``levels`` within ``window``, with 95 % intervals.

    Args:
        curve: The curve.
        levels: Shape (k,), in the metric's unit, increasing.
        height: Size of the whole rise, in the metric's unit.
        window: Evaluations that belong to the rise and the plateau before it.

    Returns:
        One a level; ``None`` where the curve is past the level from the window's first evaluation on.
    """
    steps, values = curve.steps[window], curve.values[window]
    base = monotone(values)
    residuals = (values - base) / (1 - LEVERAGE) ** 0.5
    found: list[Date | None] = []
    for index, level in zip(crossings(values, levels, height=height), levels, strict=True):
        spread = _replicated(residuals, base, int(index), float(level), height)
        smooth = values if _crosses(values, int(index), float(level)) else base
        found.append(_date(steps, smooth, int(index), float(level), spread))
    return found


def _date(steps: Integers, smooth: Floats, index: int, level: float, spread: Integers) -> Date | None:
    if index == 0:
        return None
    last = len(steps) - 1
    index = min(index, last)
    low, high = np.quantile(spread, [0.025, 0.975], method="nearest").astype(int)
    low, high = min(int(low), index), min(max(int(high), index), last)
    step = interpolated(steps, smooth, index, level)
    return Date(step=step, low=min(int(steps[max(low - 1, 0)]), step), high=int(steps[high]))


def _crosses(values: Floats, index: int, level: float) -> bool:
    return 0 < index < len(values) and bool(values[index - 1] < level <= values[index])


def _replicated(residuals: Floats, base: Floats, index: int, level: float, height: float) -> Integers:
    """Return the crossings of bootstrap replicates, shape (REPLICATES,)."""
    nearby = NEARBY
    while True:
        begin, end = max(index - nearby, 0), min(index + nearby, len(base))
        replicates = base[begin:end] + _blocks(residuals, end - begin)
        found = begin + crossings(replicates, np.array([level]), height=height)[:, 0]
        edge = nearby // 4
        is_cut_low = begin > 0 and np.min(found) <= begin + edge
        is_cut_high = end < len(base) and np.max(found) >= end - edge
        if not is_cut_low and not is_cut_high:
            return found
        nearby *= 2


def _blocks(residuals: Floats, count: int) -> Floats:
    """Return resampled residuals, shape (REPLICATES, count), in blocks of √n consecutive ones."""
    n = len(residuals)
    block = min(max(SHORTEST_BLOCK, round(n**0.5)), n)
    starts = np.random.default_rng(0).integers(0, n - block + 1, size=(REPLICATES, -(-count // block)))
    return residuals[(starts[:, :, None] + np.arange(block)).reshape(REPLICATES, -1)[:, :count]]
