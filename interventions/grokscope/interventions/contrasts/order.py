"""Which of two runs was cheaper, as far as their evaluations tell."""

import numpy as np
from numpy.typing import NDArray

from grokscope.interventions.contrasts.samples import SampleError, Values, finite
from grokscope.interventions.outcomes.costs import CensoredCosts

Costs = CensoredCosts | Values
"""Costs of some runs; plain numbers are exact costs of runs that all reached the target."""


def costs_of_runs(costs: Costs, name: str, *, least: int = 1, at_start: bool = False) -> CensoredCosts:
    """Return the costs as intervals (low, high]; of 0 only where ``at_start`` lets them, as an order does.

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
    positive = at_start or bool(np.all(costs.high > 0))
    if not (np.all(costs.low >= 0) and np.all(costs.high >= costs.low) and positive):
        raise SampleError(f"costs of {name} must be positive and low at most high; count in steps or tokens")
    return costs


def less_and_more(first: CensoredCosts, second: CensoredCosts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many runs of the second each run of the first cost surely less than, and surely more than.

    A cost in (low, high] is surely more than one that is at most ``low``. Intervals that overlap cannot be
    ordered, nor two runs of which neither has reached the target. O(n log n).

    >>> first = CensoredCosts(np.array([20.0, 0.0]), np.array([np.inf, 10.0]))
    >>> less, more = less_and_more(first, CensoredCosts(np.array([10.0, 30.0]), np.array([20.0, 40.0])))
    >>> less.tolist(), more.tolist()
    ([0, 2], [1, 0])
    """
    highs, lows = np.sort(second.high), np.sort(second.low)
    spread = np.sort(second.low[second.high > second.low])
    below, up_to = (np.searchsorted(highs, first.low, side) for side in ("left", "right"))
    more = np.where(first.high > first.low, up_to, below)
    above = lows.size - np.searchsorted(lows, first.high, "right")
    at = np.searchsorted(spread, first.high, "right") - np.searchsorted(spread, first.high, "left")
    return (above + at).astype(np.int64), more.astype(np.int64)
