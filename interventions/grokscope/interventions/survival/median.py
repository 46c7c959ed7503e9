"""The cost at which half of the runs have reached the target, with an interval that needs no model."""

import numpy as np

from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.costs import CensoredCosts, FloatArray
from grokscope.interventions.survival.beta_product import Passages, highest_share, lowest_share

FEWEST = 6
"""Runs from which an interval of a median is given without a model: of five, all lie on one side of it in
1 of 16 samples, which is more than 5 %."""
_HALF = 1 / 2 + 1e-9
"""One half, and what rounding adds to a product of shares."""
_NOT_ABOVE = "too few runs have reached the target to bound the median from above"
_NOT_BELOW = "too few runs for this level to bound the median from below"


def median_cost(costs: CensoredCosts, *, level: float = 0.95) -> Estimate:
    """Return the median cost of reaching the target; runs that are not there yet count as longer ones.

    The value is the first cost at which the Kaplan–Meier share is at most one half. The interval holds each
    cost at which the share may be one half. Its high end comes from where runs were first seen with the
    target, its low end from where they were last seen without it, so a coarse grid of evaluations widens it.
    Where no run ended early these are the order statistics of the sign test. The interval is exact: it covers
    at least as often as ``level`` says, and more often with few runs.

    Args:
        costs: Of one group. That a run ended must not depend on how close it was to the target.
        level: Share of such intervals that cover.

    Returns:
        No value while fewer than half have reached the target, no interval below six runs, and no end where
        nothing bounds it; ``missing`` says which.

    Source: Brookmeyer and Crowley 1982, with the intervals of Fay, Brittain and Proschan 2013.

    >>> high = np.array([100.0, 200.0, 300.0, 400.0, 500.0, 600.0, np.inf])
    >>> median = median_cost(CensoredCosts(np.where(np.isinf(high), 700.0, high - 100.0), high))
    >>> median.value, median.low, median.high, median.missing
    (400.0, 0.0, None, 'too few runs have reached the target to bound the median from above')
    """
    value, no_value = _value(costs)
    runs = costs.at.size
    if runs < FEWEST:
        few = f"no interval of a median without a model below {FEWEST} runs; there are {runs}"
        return Estimate(value=value, level=level, missing=_joined(no_value, few))
    low, high = _ends(costs, level)
    return Estimate(
        value=value,
        low=low,
        high=high,
        level=level,
        method="beta product, inverted at one half",
        missing=_joined(no_value, _NOT_BELOW if low is None else None, _NOT_ABOVE if high is None else None),
    )


def _value(costs: CensoredCosts) -> tuple[float | None, str | None]:
    passages = Passages.seen(costs)
    value = _first(passages.cost, passages.share() <= _HALF)
    if value is not None:
        return value, None
    reached, runs = int(costs.reached.sum()), costs.at.size
    return (
        None,
        f"no median yet: {reached} of {runs} runs have reached the target, and the others are short of it",
    )


def _ends(costs: CensoredCosts, level: float) -> tuple[float | None, float | None]:
    seen, earliest = Passages.seen(costs), Passages.earliest(costs)
    high = _first(seen.cost, highest_share(seen, level) < 1 / 2)
    if ((1 - level) / 2) ** (1 / costs.at.size) <= 1 / 2:  # the share may be one half before any run is there
        return None, high
    low = _first(earliest.cost, lowest_share(earliest, level) <= 1 / 2)
    # "Just before 0", where a run was seen only at 0, is no cost.
    return (None if low is None else max(0.0, low)), high


def _first(costs: FloatArray, holds: np.ndarray) -> float | None:
    return float(costs[np.argmax(holds)]) if holds.any() else None


def _joined(*reasons: str | None) -> str | None:
    return "; ".join(reason for reason in reasons if reason) or None
