"""The exact distribution of a sum of scores over a group, when the groups are dealt at random."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from grokscope.interventions.contrasts.samples import FloatArray

EXACT = 50
"""Runs in both groups together up to which every way to deal them is counted."""


def tails(scores: NDArray[np.int64], size: int) -> tuple[float, float]:
    """Return P(W ≤ w) and P(W ≥ w) for w, the sum of the first ``size`` scores.

    W is the sum over a group of that size dealt at random. Up to ``EXACT`` runs all ways are counted, by the
    shift algorithm; above, W is taken as Gaussian with the mean and variance that dealing gives it.

    Args:
        scores: Whole numbers, one a run.
        size: Runs in the first group.

    Source: Streitberg & Röhmel 1986. Equals ``scipy.stats.permutation_test`` where that counts all.

    >>> tails(np.array([-3, -1, 1, 3]), 2)[0] == 1 / 6
    True
    """
    if size * 2 > scores.size:  # the other group is smaller, and its sum tells the same
        above, below = tails(scores[::-1], scores.size - size)
        return below, above
    total = int(scores[:size].sum())
    if scores.size > EXACT:
        return _gaussian(scores, size, total)
    shifted = scores - scores.min()
    divisor = int(np.gcd.reduce(shifted)) or 1
    steps, at = shifted // divisor, (total - size * int(scores.min())) // divisor
    ways = _ways(steps, size) / math.comb(scores.size, size)
    return min(1.0, float(ways[: at + 1].sum())), min(1.0, float(ways[at:].sum()))


def _ways(steps: NDArray[np.int64], size: int) -> FloatArray:
    """Return in how many ways ``size`` of the steps add up to 0, 1, 2, …."""
    top = int(np.sort(steps)[-size:].sum())
    ways = np.zeros((size + 1, top + 1))
    ways[0, 0] = 1
    for step in steps.tolist():
        ways[1:, step:] += ways[:-1, : top + 1 - step].copy()
    return ways[size]


def _gaussian(scores: NDArray[np.int64], size: int, total: int) -> tuple[float, float]:
    n = scores.size
    variance = size * (n - size) / (n - 1) * float(scores.var())
    if variance == 0:
        return 1.0, 1.0
    z = (total - size * float(scores.mean())) / math.sqrt(variance)
    return float(ndtr(z)), float(ndtr(-z))
