"""What measuring adds to a curve."""

from collections.abc import Callable

import numpy as np

from grokscope.transitions.evaluation.laboratory.unseen.curves.shapes import Floats

Noise = Callable[[np.random.Generator, Floats], Floats]
"""Makes what is measured from what is true, as shares."""


def counted(size: int) -> Noise:
    """Return the noise of a score that counts right answers among ``size`` fresh examples.

    >>> counted(4)(np.random.default_rng(0), np.array([0.0, 1.0])).tolist()
    [0.0, 1.0]
    """

    def measure(rng: np.random.Generator, shares: Floats) -> Floats:
        return rng.binomial(size, np.clip(shares, 0.0, 1.0)) / size

    return measure


def spread(deviation: float, *, memory: float = 0.0) -> Noise:
    """Return Gaussian noise of one standard deviation whose neighbours are correlated.

    Args:
        deviation: Standard deviation at every evaluation.
        memory: Correlation of neighbours, from 0 to below 1.

    >>> spread(0.0)(np.random.default_rng(0), np.array([0.5])).tolist()
    [0.5]
    """

    def measure(rng: np.random.Generator, shares: Floats) -> Floats:
        drawn = rng.standard_normal(len(shares)) * deviation
        fresh = np.sqrt(1.0 - memory**2)
        for index in range(1, len(drawn) if memory else 0):
            drawn[index] = memory * drawn[index - 1] + fresh * drawn[index]
        return shares + drawn

    return measure


def heavy(deviation: float) -> Noise:
    """Return noise with heavy tails: Student's t of three degrees of freedom.

    >>> heavy(0.0)(np.random.default_rng(0), np.array([0.5])).tolist()
    [0.5]
    """

    def measure(rng: np.random.Generator, shares: Floats) -> Floats:
        return shares + deviation * rng.standard_t(3.0, len(shares)) / np.sqrt(3.0)

    return measure


def smoothed(values: Floats, weight: float) -> Floats:
    """Return the exponential moving average that starts at the first value.

    >>> smoothed(np.array([0.0, 1.0, 1.0]), 0.5).tolist()
    [0.0, 0.5, 0.75]
    """
    average = values.astype(np.float64)
    for index in range(1, len(average)):
        average[index] = weight * average[index - 1] + (1.0 - weight) * average[index]
    return average
