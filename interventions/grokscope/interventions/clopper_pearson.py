"""The exact interval of a share."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv


def clopper_pearson(
    successes: ArrayLike, runs: ArrayLike, *, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of the exact interval of the share of runs that succeed, one a pair of counts.

    Quantiles of beta variables, as ``scipy.stats.binomtest(...).proportion_ci(method="exact")`` gives them,
    which looks for its roots step by step. Without runs the interval is all there is, 0 to 1.

    Args:
        successes: Counts of any shape.
        runs: Of how many, of the same shape.
        level: Share of such intervals that cover, at least.

    Source: Clopper and Pearson 1934.

    >>> low, high = clopper_pearson([0, 2], [5, 5])
    >>> low.round(3), high.round(3)
    (array([0.   , 0.053]), array([0.522, 0.853]))
    """
    counts, of = np.asarray(successes, np.float64), np.asarray(runs, np.float64)
    tail, failures = (1 - level) / 2, of - counts
    with np.errstate(invalid="ignore"):
        low = np.where(counts == 0, 0.0, betaincinv(counts, failures + 1, tail))
        high = np.where(failures == 0, 1.0, betaincinv(counts + 1, failures, 1 - tail))
    return low, high
