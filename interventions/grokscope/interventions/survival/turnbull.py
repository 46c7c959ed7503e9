"""The distribution of costs that are only known to lie between two evaluations, without a model."""

from typing import cast

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import optimize

from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.costs import CensoredCosts, FloatArray

MASSES = pl.Schema({"low": pl.Float64(), "high": pl.Float64(), "mass": pl.Float64(), "share": pl.Float64()})
"""One row an interval (low, high] that holds some of the distribution, by increasing cost.

``high`` is null of what lies beyond all budgets. ``mass``: probability of the interval; where in it, the data
do not tell. ``share``: not there yet after it.
"""
_STEPS = 200
_CONVERGED = 1e-10
_LEAST_MASS = 1e-9


def turnbull(costs: CensoredCosts) -> pl.DataFrame:
    """Return the distribution of costs under which what was seen is most likely.

        max Σᵢ log P(lowᵢ < C ≤ highᵢ)

    It uses each cost as the interval that it is: also where a run of an annealed ladder tells only whether
    its planned budget was enough, (0, B] or (B, ∞). On one grid of evaluations that all runs share, it is
    Kaplan–Meier.

    Args:
        costs: Of one group; ``low == high`` means known exactly.

    Returns:
        ``MASSES``; no rows without runs.

    Source: Turnbull 1976; maximized by constrained Newton steps, Wang, JRSS B 69 (2007).

    >>> high = np.array([100.0, 100.0, 200.0, np.inf])
    >>> turnbull(CensoredCosts(np.array([0.0, 50.0, 100.0, 200.0]), high)).select(pl.all().round(9)).rows()
    [(50.0, 100.0, 0.5, 0.5), (100.0, 200.0, 0.25, 0.25), (200.0, None, 0.25, 0.0)]
    """
    low, high = _innermost(costs)
    mass = _most_likely(_holds(costs, low, high))
    kept = mass > _LEAST_MASS
    low, high, mass = low[kept], high[kept], mass[kept] / mass[kept].sum()
    share = np.maximum(1 - np.cumsum(mass), 0.0)
    share[np.abs(share) < _LEAST_MASS] = 0.0
    return pl.DataFrame({"low": low, "high": high, "mass": mass, "share": share}, schema=MASSES).with_columns(
        pl.when(pl.col("high").is_finite()).then("high").alias("high")
    )


def turnbull_median(costs: CensoredCosts) -> Estimate:
    """Return the median of ``turnbull``, at the end of the interval in which one half is passed.

    Returns:
        Never an interval: without a model there is none for costs that are only known to be below or above a
        budget. No value where one half lies beyond all budgets.

    >>> ladder = CensoredCosts(np.array([0.0, 0.0, 200.0, 100.0]), np.array([300.0, 200.0, np.inf, np.inf]))
    >>> turnbull_median(ladder).value
    200.0
    """
    masses = turnbull(costs)
    if masses.is_empty():
        return Estimate(value=None, missing="there are no runs")
    row = masses.filter(pl.col("share") <= 1 / 2 + _LEAST_MASS).row(0, named=True)
    no_interval = "no interval: the costs are known to lie between two budgets only; a model gives one"
    if row["high"] is None:
        beyond = f"no median yet: half of the distribution lies beyond {row['low']:g}"
        return Estimate(value=None, missing=f"{beyond}; {no_interval}")
    return Estimate(value=row["high"], method="Turnbull", missing=no_interval)


def _innermost(costs: CensoredCosts) -> tuple[FloatArray, FloatArray]:
    """Return the intervals that can hold mass: begun by a low end that a high end follows at once."""
    exact = costs.low == costs.high
    # At one cost, [x begins before x] ends, and (x begins after both.
    begins = np.stack((costs.low, np.where(exact, 0.0, 2.0), np.zeros(exact.size)))
    ends = np.stack((costs.high, np.ones(exact.size), np.ones(exact.size)))
    edges = np.concatenate((begins, ends), axis=1)
    edges = edges[:, np.lexsort((edges[1], edges[0]))]
    first = np.flatnonzero((edges[2, :-1] == 0) & (edges[2, 1:] == 1))
    return edges[0, first], edges[0, first + 1]


def _holds(costs: CensoredCosts, low: FloatArray, high: FloatArray) -> NDArray[np.bool_]:
    """Return which cost (rows) may lie in which interval (columns)."""
    inside = (costs.low[:, None] <= low) & (high <= costs.high[:, None])
    # An exact cost at the open end of an interval is outside it.
    is_point = low == high
    return inside & ~(is_point & (costs.low[:, None] == low) & (costs.low != costs.high)[:, None])


def _most_likely(holds: NDArray[np.bool_]) -> FloatArray:
    """Return the masses with the highest likelihood: non-negative least squares steps with halving."""
    runs, intervals = holds.shape
    mass = np.full(intervals, 1 / max(intervals, 1))
    if not runs:
        return mass
    inside = holds.astype(np.float64)
    for _ in range(_STEPS):
        density = inside @ mass
        slopes = inside / density[:, None]
        if (slopes.sum(axis=0) - runs).max() < _CONVERGED * runs:
            break
        # Least squares of slopes @ p = 2 where p sums to 1: those of (slopes - 2) @ p = 0, scaled after.
        rows = np.vstack((slopes - 2, np.ones(intervals)))
        goal = cast("FloatArray", optimize.nnls(rows, np.append(np.zeros(runs), 1.0))[0])
        mass = _halved(inside, mass, goal / goal.sum())
    return mass


def _halved(inside: FloatArray, mass: FloatArray, goal: FloatArray) -> FloatArray:
    """Return a point between ``mass`` and ``goal`` that is more likely, the farther the better."""
    with np.errstate(divide="ignore"):
        before = np.log(inside @ mass).sum()
        for halvings in range(40):
            tried = mass + (goal - mass) / 2**halvings
            if np.log(inside @ tried).sum() > before:
                return tried
    return mass
