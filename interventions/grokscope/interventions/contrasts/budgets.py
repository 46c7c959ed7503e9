"""Two groups of annealed runs, told apart at the planned budgets that both have tried.

A run of a ladder tells whether its own budget was enough, and nothing between budgets. Where one group has
tried larger budgets than the other, runs that passed and runs that failed cannot be ordered alike both ways,
so a test of the order of all pairs is wrong there. Runs of one budget are alike, whatever budgets were tried.
"""

import math
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from grokscope.interventions.contrasts.samples import FloatArray
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.accelerated import accelerated
from grokscope.interventions.survival.likelihood import Family


def shared_budgets_p(a: CensoredCosts, b: CensoredCosts) -> float | None:
    """Return the two-sided p of "at each budget, runs of both groups reach the target equally often".

        W = Σ over budgets (runs of a that reach it);   p = 2 min(P(W ≤ w), P(W ≥ w))

    with P over all ways to deal the runs of each budget to the two groups, exactly.

    Args:
        a: Costs of one group, each known to be at most its budget, or above it.
        b: Those of the other.

    Returns:
        ``None`` where no budget was tried by both.

    Source: Fisher 1935, over strata (Birch 1964; Agresti 2013, §7.3.5): the exact Cochran–Mantel–Haenszel
    test. Its p is below .05 no more often than that, as W is a whole number.

    >>> passed = CensoredCosts(np.zeros(4), np.full(4, 100.0))
    >>> failed = CensoredCosts(np.full(4, 100.0), np.full(4, np.inf))
    >>> round(shared_budgets_p(passed, failed), 3)
    0.029
    """
    strata = [_counts(a, b, budget) for budget in _shared(a, b)]
    if not strata:
        return None
    ways = reduce(np.convolve, (_shares(*counts) for counts in strata))
    least = sum(max(0, reached - others) for _, others, reached, _ in strata)
    at = sum(mine for *_, mine in strata) - least
    return min(1.0, 2 * float(min(ways[: at + 1].sum(), ways[at:].sum())))


def speed_up_of_budgets(a: CensoredCosts, b: CensoredCosts, *, level: float = 0.95) -> Estimate:
    """Return how many times the budget of ``a`` that of ``b`` must be: the ratio of a log-normal model.

    Args:
        a: Costs of one group, each known to be at most its budget, or above it.
        b: Those of the other; budgets may differ from those of ``a``.
        level: Of the interval, by profile likelihood.

    Returns:
        Above 1 where a is cheaper. No value where the budgets tell no ratio, with the reason.

    Source: ``survival.accelerated``.

    >>> budgets = np.repeat([100.0, 200.0, 400.0], 4)
    >>> is_enough = np.array([0, 0, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1], dtype=bool)
    >>> low, high = np.where(is_enough, 0.0, budgets), np.where(is_enough, budgets, np.inf)
    >>> round(speed_up_of_budgets(CensoredCosts(low, high), CensoredCosts(2 * low, 2 * high)).value, 6)
    2.0
    """
    both = CensoredCosts(np.concatenate((a.low, b.low)), np.concatenate((a.high, b.high)))
    is_first = np.repeat([1.0, 0.0], [a.at.size, b.at.size])[:, None]
    model = accelerated(both, is_first, ("a",), family=Family.LOG_NORMAL, level=level)
    if not model.effects:
        return Estimate(value=None, level=level, missing=model.missing)
    return model.effects[0].speed_up


def attainable_shared_p(a: CensoredCosts, b: CensoredCosts) -> float:
    """Return the smallest p of ``shared_budgets_p``, whichever of the runs had reached the target.

        2 / Π over budgets C(n_a + n_b, n_a)

    Returns:
        1 where no budget was tried by both.

    Source: definition.

    >>> costs = CensoredCosts(np.zeros(3), np.full(3, 100.0))
    >>> attainable_shared_p(costs, costs)
    0.1
    """
    ways = math.prod(
        math.comb(mine + others, mine)
        for mine, others, *_ in (_counts(a, b, budget) for budget in _shared(a, b))
    )
    return min(1.0, 2 / ways)


def _shared(a: CensoredCosts, b: CensoredCosts) -> FloatArray:
    return np.intersect1d(a.at, b.at)


def _counts(a: CensoredCosts, b: CensoredCosts, budget: float) -> tuple[int, int, int, int]:
    """Return how many runs of a and of b had a budget, how many of both and how many of a reached it."""
    mine, others = a.reached[a.at == budget], b.reached[b.at == budget]
    return mine.size, others.size, int(mine.sum() + others.sum()), int(mine.sum())


def _shares(mine: int, others: int, reached: int, _: int) -> NDArray[np.float64]:
    """Return the hypergeometric chances of each number of runs of a among those that reached it."""
    counts = range(max(0, reached - others), min(mine, reached) + 1)
    whole = math.comb(mine + others, reached)
    return np.array([math.comb(mine, k) * math.comb(others, reached - k) / whole for k in counts])
