"""How many times cheaper one setting is than another over pairs of runs that share a seed.

The cost of a run lies between two evaluations; that of one that has not reached the target has no upper end.
So the ratio of a pair is a range too. The lower end of the interval takes all ratios at their lower ends, the
upper end all at their upper ends: no way to fill the gaps gives a wider interval.
"""

import numpy as np
from scipy.special import ndtr

from grokscope.interventions.contrasts.attainable import ROUNDING, advice
from grokscope.interventions.contrasts.order import Costs, costs_of_runs
from grokscope.interventions.contrasts.samples import FloatArray, SampleError
from grokscope.interventions.estimate import Estimate

METHOD = "Wilcoxon's signed-rank test on log ratios, inverted"
EXACT = 50
"""Pairs up to which every pattern of signs is counted; above, the sum of ranks is taken as Gaussian."""


def paired_speed_up(a: Costs, b: Costs, *, level: float = 0.95) -> Estimate:
    """Return how many times cheaper ``a`` is than ``b``, from pairs: place i of both is one seed.

        exp(median over i ≤ j of (dᵢ + dⱼ) / 2),   d = log(cost of b / cost of a)

    The interval goes from the k-th smallest to the k-th largest of these averages, k by the exact
    distribution of the signed-rank sum. Each end takes the d at the end of their ranges that makes the
    interval wider.

    Args:
        a: Costs of the setting that may be cheaper.
        b: Costs of the other, in the same order of seeds.
        level: Share of such intervals that cover the ratio, at least.

    Returns:
        Above 1 where a is cheaper. An end is ``None`` where it is unbounded, both where so few pairs cannot
        attain the level; the value is ``None`` where too many pairs are undecided.

    Raises:
        SampleError: If the groups do not match, or a cost is not positive.

    Source: Hodges & Lehmann 1963; Lehmann 1975. Assumes that log ratios are symmetric about their centre,
    as they are where b costs a fixed multiple of a. With plain costs equal to inverting
    ``scipy.stats.wilcoxon``. O(n²).

    >>> found = paired_speed_up([100, 110, 120, 130, 140, 150], [200, 231, 240, 273, 280, 330])
    >>> [round(x, 3) for x in (found.value, found.low, found.high)]
    [2.049, 2.0, 2.2]
    """
    ends = _log_ratios(a, b)
    n = ends[0].size
    below, above = (_averages(end) for end in ends)
    middle = (_median(below), _median(above))
    known = bool(np.all(np.isfinite(middle)))
    value = float(np.exp(sum(middle) / 2)) if known else None
    missing = None if known else "too many pairs are undecided to say how many times cheaper"
    few = advice(n, n, alpha=1 - level, paired=True)
    if few:
        missing = "; ".join(filter(None, (missing, few)))
        return Estimate(value=value, level=level, method=METHOD, missing=missing)
    k = _rank(n, (1 - level) / 2 + ROUNDING)
    low, high = (float(np.exp(x)) for x in (below[k - 1], above[-k]))
    unbounded = [name for name, end in (("below", low), ("above", high)) if not 0 < end < np.inf]
    if unbounded:
        reason = f"the interval is unbounded {' and '.join(unbounded)}: too many pairs are undecided"
        missing = "; ".join(filter(None, (missing, reason)))
    return Estimate(
        value=value,
        low=low if low > 0 else None,
        high=high if high < np.inf else None,
        level=level,
        method=METHOD,
        missing=missing,
    )


def paired_speed_up_p(a: Costs, b: Costs, *, ratio: float = 1.0) -> float:
    """Return the two-sided p of "b costs ``ratio`` times what a costs", from pairs.

    Pairs whose range of ratios holds the ratio count against the claim, on either side.

    Raises:
        SampleError: If the groups do not match, or a cost or the ratio is not positive.

    Source: as ``paired_speed_up``.

    >>> paired_speed_up_p([1, 2, 3, 4, 5, 6], [2, 4, 7, 9, 11, 14])
    0.03125
    """
    if not ratio > 0:
        raise SampleError(f"a ratio of costs must be positive, got {ratio}")
    below, above = _log_ratios(a, b)
    centre = float(np.log(ratio))
    larger = _averages_above(below, centre)
    smaller = _averages_above(-above, -centre)
    return min(1.0, 2 * _tail(below.size, max(larger, smaller)))


def _averages_above(ratios: FloatArray, centre: float) -> int:
    """Return how many averages of any two, and of each with itself, are above ``centre``."""
    # Of a square of averages, those off its diagonal stand there twice.
    both = int(np.count_nonzero((ratios[:, None] + ratios) / 2 > centre))
    return (both + int(np.count_nonzero(ratios > centre))) // 2


def _averages(ratios: FloatArray) -> FloatArray:
    """Return the averages of any two, and of each with itself, sorted."""
    return np.sort(((ratios[:, None] + ratios) / 2)[np.tri(ratios.size, dtype=np.bool_)])


def _log_ratios(a: Costs, b: Costs) -> tuple[FloatArray, FloatArray]:
    """Return the logarithms of the ratios of pairs, by either end of their ranges."""
    first, second = costs_of_runs(a, "a"), costs_of_runs(b, "b")
    if first.low.size != second.low.size:
        raise SampleError(
            f"pairs need as many costs of a as of b, got {first.low.size} and {second.low.size}; "
            f"leave out seeds that only one of them has"
        )
    with np.errstate(divide="ignore"):
        below = np.log(second.low) - np.log(first.high)
        above = np.log(second.high) - np.log(first.low)
    return below, above


def _median(ordered: FloatArray) -> float:
    return float((ordered[(ordered.size - 1) // 2] + ordered[ordered.size // 2]) / 2)


def _tail(n: int, rank_sum: int) -> float:
    """Return P(signed-rank sum ≥ ``rank_sum``) where the centre is true."""
    if n > EXACT:
        mean, sd = n * (n + 1) / 4, np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return float(ndtr(-(rank_sum - 0.5 - mean) / sd))
    ways = np.ones(1)
    for rank in range(1, n + 1):
        ways = np.pad(ways, (0, rank)) + np.pad(ways, (rank, 0))
    return float(ways[rank_sum:].sum() / 2.0**n)


def _rank(n: int, alpha: float) -> int:
    """Return the largest k with P(signed-rank sum < k) ≤ ``alpha``."""
    top = n * (n + 1) // 2
    # By symmetry P(sum ≤ k - 1) = P(sum ≥ top - k + 1), which grows with k.
    low, high = 1, top // 2
    while low < high:
        k = (low + high + 1) // 2
        low, high = (k, high) if _tail(n, top - k + 1) <= alpha else (low, k - 1)
    return low
