"""Probability of improvement: how often a run of one group is cheaper than a run of the other."""

import math

from scipy.special import ndtri

from grokscope.interventions.contrasts.attainable import advice
from grokscope.interventions.contrasts.order import Costs, costs_of_runs, less_and_more
from grokscope.interventions.contrasts.samples import SampleError
from grokscope.interventions.estimate import Estimate


def improvement(a: Costs, b: Costs, *, level: float = 0.95) -> Estimate:
    """Return P(a run of a costs less than one of b), ties counted half.

        p̂ = (pairs in which a is cheaper + ½ undecided pairs) / (n_a n_b)

        interval: all p with (p̂ - p)² ≤ z² v(p),   N = (n_a + n_b) / 2
        v(p) = p (1 - p) / (n_a n_b) · (1 + (N - 1) ((1 - p) / (2 - p) + p / (1 + p)))

    For its lower end all undecided pairs count against a, for its upper end all for it: costs between the
    same two evaluations, and runs of which neither reached the target.

    Args:
        a: Costs of one group.
        b: Costs of the other.
        level: Share of such intervals that cover the probability.

    Returns:
        In 0..1; ½ where neither is cheaper. ``missing`` says how many pairs are undecided, and why there is
        no interval where the level cannot be attained: with 3 v 3 runs, all pairs won has a p of .1.

    Raises:
        SampleError: If a group is empty or a cost is negative.

    Source: Newcombe 2006, method 5; Agarwal et al. 2021, arXiv:2108.13264 (probability of improvement).

    >>> found = improvement([1, 2, 3, 4, 5], [4.5, 5.5, 6.5, 7.5, 8.5])
    >>> [round(x, 3) for x in (found.value, found.low, found.high)]
    [0.96, 0.592, 0.997]
    """
    first, second = costs_of_runs(a, "a", at_start=True), costs_of_runs(b, "b", at_start=True)
    if not 0 < level < 1:
        raise SampleError(f"a level is a share between 0 and 1, got {level}")
    sizes = first.low.size, second.low.size
    sure, lost = (int(counts.sum()) for counts in less_and_more(first, second))
    pairs = sizes[0] * sizes[1]
    undecided = pairs - sure - lost
    value = (sure + undecided / 2) / pairs
    said = f"{undecided} of {pairs} pairs are undecided" if undecided else None
    few = advice(*sizes, alpha=1 - level)
    if few:
        return Estimate(value=value, level=level, missing="; ".join(filter(None, (said, few))))
    z = float(ndtri((1 + level) / 2))
    low = _end(sure / pairs, z, sizes, below=True)
    high = _end((sure + undecided) / pairs, z, sizes, below=False)
    return Estimate(value=value, low=low, high=high, level=level, method="Newcombe's method 5", missing=said)


def _end(share: float, z: float, sizes: tuple[int, int], *, below: bool) -> float:
    """Return the end of the interval around ``share``."""
    if share == (0 if below else 1):
        return share
    outside, inside = (0.0 if below else 1.0), share
    for _ in range(60):
        p = (outside + inside) / 2
        if abs(share - p) > z * math.sqrt(_variance(p, *sizes)):
            outside = p
        else:
            inside = p
    return inside


def _variance(p: float, a: int, b: int) -> float:
    """Return the variance of p̂ where costs are exponential (the mean of both ways to be so)."""
    shared = (a + b) / 2 - 1
    return p * (1 - p) / (a * b) * (1 + shared * ((1 - p) / (2 - p) + p / (1 + p)))
