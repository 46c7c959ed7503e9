"""Which of two runs was cheaper, as far as their evaluations tell."""

import numpy as np
from numpy.typing import NDArray

from grokscope.interventions.contrasts.samples import SampleError, Values, finite
from grokscope.interventions.outcomes.costs import CensoredCosts

Costs = CensoredCosts | Values
"""Costs of some runs; plain numbers are exact costs of runs that all reached the target."""


def costs_of_runs(costs: Costs, name: str, *, least: int = 1) -> CensoredCosts:
    """Return the costs as intervals (low, high].

    Raises:
        SampleError: If there are fewer than ``least``, one is not positive, null, NaN, or a plain ∞.

    >>> costs_of_runs([3.0, 5.0], "a").reached
    array([ True,  True])
    """
    if not isinstance(costs, CensoredCosts):
        if np.isposinf(np.asarray(costs, dtype=np.float64)).any():
            raise SampleError(
                f"plain costs of {name} are of runs that all reached the target, got inf; "
                f"give CensoredCosts, which know what the others had spent"
            )
        exact = finite(costs, name, least=least)
        costs = CensoredCosts(exact, exact)
    elif costs.low.size < least:
        raise SampleError(f"{name} must be the costs of at least {least} runs, got {costs.low.size}")
    if not (np.all(costs.low >= 0) and np.all(costs.high >= costs.low) and np.all(costs.high > 0)):
        raise SampleError(f"costs of {name} must be positive and low at most high; count in steps or tokens")
    return costs


def later(first: CensoredCosts, second: CensoredCosts) -> NDArray[np.int64]:
    """Return for each pair 1 where the first cost more, -1 where the second did, 0 where nobody can tell.

    Intervals that overlap cannot be ordered, nor two runs of which neither has reached the target.

    Returns:
        (number of first, number of second).

    >>> first = CensoredCosts(np.array([20.0, 0.0]), np.array([np.inf, 10.0]))
    >>> later(first, CensoredCosts(np.array([10.0, 30.0]), np.array([20.0, 40.0])))
    array([[ 1,  0],
           [-1, -1]])
    """
    above = _surely_above(first.low[:, None], first.high[:, None], second.high[None, :])
    below = _surely_above(second.low[None, :], second.high[None, :], first.high[:, None])
    return above.astype(np.int64) - below


def _surely_above(
    low: NDArray[np.float64], high: NDArray[np.float64], other: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return where a cost in (low, high] is above one that is at most ``other``."""
    return (low > other) | ((low == other) & (high > low))
