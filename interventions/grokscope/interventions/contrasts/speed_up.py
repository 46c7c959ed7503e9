"""How many times cheaper one group of runs reaches a target than another, with an interval.

Costs are known between two evaluations only. A pair of runs counts where their intervals do not overlap, and
is left undecided where they do. So a coarse grid widens the interval and never makes it look sharp: where
each group lies in one cell of the grid, what is left is the range of ratios that the two cells allow.
"""

from bisect import bisect_left
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from grokscope.interventions.contrasts.attainable import ROUNDING, advice
from grokscope.interventions.contrasts.order import Costs, costs_of_runs, less_and_more
from grokscope.interventions.contrasts.permutation import tails
from grokscope.interventions.contrasts.samples import FloatArray, SampleError
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.costs import CensoredCosts

METHOD = "permutation test of Gehan's scores, inverted"

MOST_BREAKS = 200_000
"""Ratios of costs that are told apart: those of all pairs in groups of some 450 runs whose costs all differ,
or 220 whose costs each lie between two evaluations. Sorting more takes longer than all tests of them."""

_FARTHEST = 700.0
"""Of log ratios: beyond, a ratio is no number."""


def speed_up(a: Costs, b: Costs, *, level: float = 0.95) -> Estimate:
    """Return how many times cheaper ``a`` is than ``b``: θ, where b's costs are distributed as θ times a's.

    For each θ, the costs of a and the budgets that they were watched for are multiplied by θ, both groups are
    followed only as long as both were watched, and W is the number of pairs in which a was later, less those
    in which it was earlier. The estimate is where W = 0 (the middle, on a log axis, where that is a range):
    with all runs at the target, the median of all ratios of a cost of b and one of a. The interval holds
    every θ that neither one-sided permutation test of W rejects at (1 - level) / 2.

    Args:
        a: Costs of the group that may be cheaper.
        b: Costs of the other group.
        level: Share of such intervals that cover θ, at least.

    Returns:
        θ > 1 where a is cheaper. An end is ``None`` where it is unbounded, both where so few runs cannot
        attain the level; the value is ``None`` where too few runs reached the target.

    Raises:
        SampleError: If a group is empty or a cost is not positive.

    Where some runs were watched for less than their group, dealing runs at random deals out how long they
    were watched, too. Each tail is then the larger one of that and of Gehan's normal test, whose variance
    does not take both groups for watched alike.

    Source: Gehan 1965; Wei & Gail 1983 (shift by inversion); the variance: Fleming & Harrington 1991, §7.2.
    Exact where runs are watched for one budget and evaluated often, up to 50 runs in both groups; above, W
    is taken for Gaussian, and beyond ``MOST_BREAKS`` ratios numbers are rounded to a grid, in simulations by
    less than a ten-thousandth. The ends are found by bisection, as if p had one peak; O(n log n) for each of
    some 30 θ.

    >>> found = speed_up([100, 110, 120, 130, 140], [210, 220, 250, 260, 330])
    >>> [round(x, 2) for x in (found.value, found.low, found.high)]
    [2.08, 1.62, 2.75]
    """
    first, second = costs_of_runs(a, "a"), costs_of_runs(b, "b")
    breaks = _breaks(first, second)
    value, missing = _middle(
        lambda cell: _scores(first, second, _inside(breaks, cell)), breaks, first.low.size
    )
    few = advice(first.low.size, second.low.size, alpha=1 - level)
    if few:
        return Estimate(value=value, level=level, method=METHOD, missing=_joined(missing, few))
    low, high = _ends(first, second, breaks, (1 - level) / 2 + ROUNDING)
    return Estimate(
        value=value,
        low=low,
        high=high,
        level=level,
        method=METHOD,
        missing=_joined(missing, _open(low, high)),
    )


def speed_up_p(a: Costs, b: Costs, *, ratio: float = 1.0) -> float:
    """Return the two-sided p of "the costs of b are distributed as ``ratio`` times those of a".

    Twice the smaller of the two one-sided p of the test that ``speed_up`` inverts, so that its interval holds
    the ratio exactly where p > 1 - level.

    Raises:
        SampleError: If a group is empty, or a cost or the ratio is not positive.

    Source: as ``speed_up``.

    >>> round(speed_up_p([1, 2, 3, 4], [5, 6, 7, 8]), 3)
    0.029
    """
    if not ratio > 0:
        raise SampleError(f"a ratio of costs must be positive, got {ratio}")
    first, second = costs_of_runs(a, "a"), costs_of_runs(b, "b")
    return min(1.0, 2 * min(_tails(first, second, ratio)))


def _tails(a: CensoredCosts, b: CensoredCosts, ratio: float) -> tuple[float, float]:
    """Return the two one-sided p: that a is so much earlier, and that it is so much later."""
    both, end = _together(a, b, ratio)
    size, scores = a.low.size, _gehan(both)
    dealt = tails(scores, size)
    if bool(np.all(both.low[~both.reached] >= end)):
        return dealt
    sd = _spread(both, size)
    z = float(scores[:size].sum()) / sd if sd > 0 else 0.0
    return max(dealt[0], float(ndtr(z))), max(dealt[1], float(ndtr(-z)))


def _scores(a: CensoredCosts, b: CensoredCosts, ratio: float) -> NDArray[np.int64]:
    """Return Gehan's scores, those of a first: how many runs are earlier less how many are later."""
    both, _ = _together(a, b, ratio)
    return _gehan(both)


def _gehan(both: CensoredCosts) -> NDArray[np.int64]:
    less, more = less_and_more(both, both)
    return more - less


def _together(a: CensoredCosts, b: CensoredCosts, ratio: float) -> tuple[CensoredCosts, float]:
    """Return the costs of both, those of a first and times ``ratio``, cut where one was watched no longer."""
    low = np.concatenate((a.low * ratio, b.low))
    high = np.concatenate((a.high * ratio, b.high))
    end = min(_watched(a) * ratio, _watched(b))
    return CensoredCosts(np.minimum(low, end), np.where(high > end, np.inf, high)), end


def _spread(both: CensoredCosts, size: int) -> float:
    """Return the sd of the scores' sum over the first runs, however long either group was watched.

    √(Σ over costs at which runs reach the target of n_a n_b d (n - d) / (n - 1)), n_a and n_b of n at risk
    """
    at = both.at
    costs, reaching = np.unique(at[both.reached], return_counts=True)
    all_runs = at.size - np.searchsorted(np.sort(at), costs)
    mine = size - np.searchsorted(np.sort(at[:size]), costs)
    weights = reaching * (all_runs - reaching) / np.maximum(all_runs - 1, 1)
    return float(np.sqrt((mine * (all_runs - mine) * weights).sum()))


def _watched(costs: CensoredCosts) -> float:
    """Return how long a group was watched: ∞ where all reached the target, for then nobody knows.

    One run that ended early does not end the watch on the others, whose costs lie beyond its end.
    """
    return np.inf if costs.reached.all() else float(costs.at.max())


def _breaks(a: CensoredCosts, b: CensoredCosts) -> FloatArray:
    """Return the ratios at which some pair changes its order; between two of them nothing changes.

    Where these are more than ``MOST_BREAKS``: so many from the least to the largest, evenly on a log axis.
    """
    numerator = np.unique(np.concatenate((b.low, b.high)))
    divisor = np.unique(np.concatenate((a.low, a.high)))
    numerator, divisor = (x[(x > 0) & np.isfinite(x)] for x in (numerator, divisor))
    if numerator.size * divisor.size > MOST_BREAKS:
        least, most = float(numerator[0] / divisor[-1]), float(numerator[-1] / divisor[0])
        return np.geomspace(least, most, MOST_BREAKS)
    ratios = np.log(numerator)[:, None] - np.log(divisor)[None, :]
    return np.exp(np.unique(ratios.round(12).clip(-_FARTHEST, _FARTHEST)))


def _inside(breaks: FloatArray, cell: int) -> float:
    """Return a ratio inside the cell before break number ``cell``."""
    if cell == 0:
        return float(breaks[0] / 2)
    return float(breaks[-1] * 2) if cell == breaks.size else _between(breaks[cell - 1], breaks[cell])


def _between(low: float, high: float) -> float:
    """Return the middle of two ratios on a log axis; their product may be beyond what a number holds."""
    return float(np.sqrt(low) * np.sqrt(high))


def _middle(
    scores: Callable[[int], NDArray[np.int64]], breaks: FloatArray, size: int
) -> tuple[float | None, str | None]:
    """Return the ratio at which as many pairs are later as earlier, or why there is none."""
    cells = range(breaks.size + 1)
    start = bisect_left(cells, 0, key=lambda cell: int(scores(cell)[:size].sum()))
    stop = bisect_left(cells, 1, key=lambda cell: int(scores(cell)[:size].sum()))
    if start == 0 or stop == len(cells):
        return None, "too few runs reached the target to say how many times cheaper"
    return _between(breaks[start - 1], breaks[stop - 1]), None


def _ends(
    a: CensoredCosts, b: CensoredCosts, breaks: FloatArray, alpha: float
) -> tuple[float | None, float | None]:
    """Return the smallest and the largest ratio that are not rejected."""
    cells = range(breaks.size + 1)

    def tail(cell: int, side: int) -> float:
        return _tails(a, b, _inside(breaks, cell))[side]

    first = bisect_left(cells, 1, key=lambda cell: tail(cell, 0) > alpha)
    last = bisect_left(cells, 1, key=lambda cell: tail(cell, 1) <= alpha)
    low = float(breaks[first - 1]) if 0 < first < len(cells) else None
    high = float(breaks[last - 1]) if 0 < last < len(cells) else None
    return low, high


def _open(low: float | None, high: float | None) -> str | None:
    """Return which end is unbounded."""
    ends = [name for name, end in (("below", low), ("above", high)) if end is None]
    if not ends:
        return None
    return f"the interval is unbounded {' and '.join(ends)}: too few runs reached the target"


def _joined(*sentences: str | None) -> str | None:
    return "; ".join(sentence for sentence in sentences if sentence) or None
