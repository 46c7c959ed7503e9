"""What a tuning budget buys: the best of k trials, for each k."""

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammaln

from grokscope.interventions.clopper_pearson import clopper_pearson
from grokscope.interventions.contrasts.order import Costs, costs_of_runs
from grokscope.interventions.contrasts.samples import FloatArray, SampleError
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.costs import CensoredCosts

MOST_TRIALS = 20
"""Trials up to which curves are told: larger budgets of tuning are rare, and few groups have as many runs."""

CURVE = pl.Schema(
    {
        "group": pl.String(),
        "trials": pl.Int64(),
        "median": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "reached": pl.Float64(),
        "reached_low": pl.Float64(),
        "reached_high": pl.Float64(),
    }
)
"""One row a group and number of trials: ``BestOf``, an open end and a cost that is not known null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOf:
    """The cheapest of ``trials`` trials that are drawn at random.

    Attributes:
        trials: How many are drawn.
        median: Cost that the cheapest of them is as often above as below; ``None`` where it reaches the
            target in less than half of all draws.
        reached: Chance that one of them reaches the target.
    """

    trials: int
    median: Estimate
    reached: Estimate


def best_of(costs: Costs, *, most: int | None = None, level: float = 0.95) -> tuple[BestOf, ...]:
    """Return what the cheapest of 1, 2, …, ``most`` trials costs, from the trials of one search.

        P(best of k > t) = C(trials with cost > t, k) / C(n, k)
        P(reached) = 1 - C(trials that have not reached it, k) / C(n, k)

    A mean would need the costs of trials that never reached the target; the median takes them as beyond all
    others. It is the quantile 1 - 2^(-1/k) of a single trial's cost, so its interval lies between two trials
    of known ranks (binomial), and that of P(reached) is 1 - (1 - p)^k at the ends of the exact interval of p.

    Args:
        costs: One a trial; the trials are taken as independent draws from the search's own distribution.
        most: Largest k; all trials if ``None``.
        level: Share of such intervals that cover, at least.

    Returns:
        One entry a k, in order.

    Raises:
        SampleError: If there is no trial, or ``most`` is not in 1..n.

    Source: Dodge et al. 2019, arXiv:1909.03004; without replacement: Tang et al. 2020, arXiv:2004.13705;
    intervals: Clopper & Pearson 1934, David & Nagaraja 2003 §7.1.

    >>> [(best.trials, best.median.value, round(best.reached.value, 2)) for best in best_of([9.0, 5.0, 7.0])]
    [(1, 7.0, 1.0), (2, 5.0, 1.0), (3, 5.0, 1.0)]
    """
    known = costs_of_runs(costs, "costs", at_start=True)  # only their order counts
    n = known.low.size
    most = n if most is None else most
    if not 1 <= most <= n:
        raise SampleError(f"the best of {most} trials cannot be told from {n}; ask for 1 to {n}")
    low, high = np.sort(known.low), np.sort(known.high)
    reached = int(known.reached.sum())
    return tuple(
        BestOf(trials=k, median=_median(low, high, k, level), reached=_reached(reached, n, k, level))
        for k in range(1, most + 1)
    )


def tuning_curves(costs: pl.DataFrame) -> pl.DataFrame:
    """Return what the best of 1, 2, … trials of each group costs, up to ``MOST_TRIALS``, as ``CURVE``.

    The runs of a group are taken for trials of one search. Where they differ in their seed alone, the curve
    says what picking the best seed gives, which nobody who trains once has.

    Args:
        costs: ``COSTS`` and ``group``; groups of one run have no curve.

    >>> costs = pl.DataFrame({"group": ["g"] * 3, "low": [5.0, 7.0, 9.0], "high": [5.0, 7.0, None]})
    >>> tuning_curves(costs).select("trials", "median", pl.col("reached").round(2)).rows()
    [(1, 7.0, 0.67), (2, 5.0, 1.0), (3, 5.0, 1.0)]
    """
    rows = [
        (group, one.trials, *_ends(one.median), *_ends(one.reached))
        for (group,), part in costs.group_by("group", maintain_order=True)
        if part.height > 1
        for one in best_of(CensoredCosts.of(part), most=min(part.height, MOST_TRIALS))
    ]
    return pl.DataFrame(rows, schema=CURVE, orient="row")


def _ends(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high


def _median(low: FloatArray, high: FloatArray, k: int, level: float) -> Estimate:
    """Return the median of the cheapest of k."""
    n = low.size
    # Chance that the cheapest of k is among the first i, for i = 1..n.
    within = 1 - _none_of(np.arange(n - 1, -1, -1), n, k)
    value = float(high[int(np.argmax(within >= 0.5 - 1e-9))])
    share = 1 - 2 ** (-1 / k)
    under = np.cumsum(_binomial(n, share))  # P(at most i trials below the quantile), i = 0..n
    alpha = (1 - level) / 2
    first = int(np.searchsorted(under, alpha, side="right"))  # P(fewer than `first` below) ≤ alpha
    last = int(np.searchsorted(under, 1 - alpha))  # P(more than `last` below) ≤ alpha
    start = float(low[first - 1]) if first > 0 else None
    stop = float(high[last]) if last < n and math.isfinite(high[last]) else None
    ends = [name for name, end in (("below", start), ("above", stop)) if end is None]
    open_end = f"the interval is unbounded {' and '.join(ends)}: too few trials" if ends else None
    none = None if math.isfinite(value) else f"the best of {k} reaches the target in less than half of draws"
    return Estimate(
        value=value if math.isfinite(value) else None,
        low=start,
        high=stop,
        level=level,
        method="order statistics",
        missing="; ".join(filter(None, (none, open_end))) or None,
    )


def _reached(reached: int, n: int, k: int, level: float) -> Estimate:
    """Return the chance that one of k reaches the target."""
    low, high = map(float, clopper_pearson(reached, n, level=level))
    return Estimate(
        value=1 - float(_none_of(np.array([n - reached]), n, k)[0]),
        low=1 - (1 - low) ** k,
        high=1 - (1 - high) ** k,
        level=level,
        method="Clopper-Pearson",
    )


def _none_of(others: NDArray[np.int64], n: int, k: int) -> FloatArray:
    """Return C(others, k) / C(n, k): the chance that k of n trials are all among the others."""
    enough = others >= k
    some = np.where(enough, others, k).astype(np.float64)
    log = gammaln(some + 1) - gammaln(some - k + 1) - gammaln(n + 1) + gammaln(n - k + 1)
    return np.where(enough, np.exp(log), 0.0)


def _binomial(n: int, p: float) -> FloatArray:
    """Return the chances of 0..n successes."""
    i = np.arange(n + 1.0)
    log = gammaln(n + 1) - gammaln(i + 1) - gammaln(n - i + 1) + i * math.log(p) + (n - i) * math.log1p(-p)
    return np.exp(log)
