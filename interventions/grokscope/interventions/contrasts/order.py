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


def earlier_less_later(costs: CensoredCosts) -> NDArray[np.int64]:
    """Return for each run how many of the others surely cost less, less how many surely cost more.

    The sum over a row of ``later(costs, costs)``, by sorting instead of n² pairs.

    >>> earlier_less_later(CensoredCosts(np.array([0.0, 10.0, 20.0]), np.array([10.0, 20.0, np.inf])))
    array([-2,  0,  2])
    """
    low, high = costs.low, costs.high
    is_open = high > low
    ends, starts, open_starts = np.sort(high), np.sort(low), np.sort(low[is_open])
    # Where one interval ends as another one begins, the other is above unless it is that point alone.
    below = np.where(is_open, np.searchsorted(ends, low, "right"), np.searchsorted(ends, low, "left"))
    touching = np.searchsorted(open_starts, high, "right") - np.searchsorted(open_starts, high, "left")
    above = low.size - np.searchsorted(starts, high, "right") + touching
    return (below - above).astype(np.int64)


def wins(first: CensoredCosts, second: CensoredCosts) -> int:
    """Return in how many pairs the first surely cost less, as ``later`` orders them.

    >>> early, late = [CensoredCosts(np.array([a]), np.array([a + 10.0])) for a in (0.0, 10.0)]
    >>> wins(early, late), wins(late, early)
    (1, 0)
    """
    ends, is_open = np.sort(first.high), second.high > second.low
    below = np.where(
        is_open, np.searchsorted(ends, second.low, "right"), np.searchsorted(ends, second.low, "left")
    )
    return int(below.sum())
