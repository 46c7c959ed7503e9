"""Do groups differ in what they spend until the target? The log-rank test by permutation."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb, factorial, prod

import numpy as np
from numpy.typing import NDArray

from grokscope.interventions.outcomes.costs import CensoredCosts, FloatArray
from grokscope.interventions.survival.beta_product import IntArray, Passages
from grokscope.schemas import GrokscopeError

MOST_ASSIGNMENTS = 20_000
"""Ways to share out the runs up to which all of them are looked at."""
RANDOM_ASSIGNMENTS, FEWEST_RANDOM, MOST_NUMBERS = 9_999, 999, 5_000_000
"""Random ones looked at where there are more; fewer, but some, of thousands of runs."""


class TooFewGroupsError(GrokscopeError):
    """A test between groups with fewer than two groups, or an empty one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRank:
    """Whether groups differ in their costs.

    Attributes:
        p: Share of the ways to share out the runs among the groups that differ at least as much.
        statistic: The usual log-rank χ² (hypergeometric variance), for comparison with other programs.
        degrees: Its degrees of freedom, groups minus one.
        is_exact: All ways were looked at; else a random sample of them, and ``p`` is (k + 1) / (m + 1).
        attainable_p: The smallest ``p`` that these costs could have given, whichever run was in which group.
    """

    p: float
    statistic: float
    degrees: int
    is_exact: bool
    attainable_p: float


def log_rank(*groups: CensoredCosts, seed: int = 0) -> LogRank:
    """Return the log-rank test of two or more groups, by permutation.

        uᵢ = δᵢ - Λ̂(cᵢ),   Q = Σ_g (Σ_{i in g} uᵢ)² / n_g

    with Λ̂ the Nelson–Aalen estimate of all runs together. The log-rank numerator of a group is the sum of its
    uᵢ, so all ways to share out the runs cost one multiplication each. Never above its nominal error rate,
    however few the runs, as long as ending without the target does not depend on the group: where one group
    had a smaller budget, cut all costs at the smallest first.

    Args:
        groups: The costs of different runs.
        seed: Of the random ways, where there are more than ``MOST_ASSIGNMENTS``.

    Raises:
        TooFewGroupsError: With fewer than two groups, or an empty one.

    Source: Peto and Peto 1972; Heinze, Gnant and Schemper, Biometrics 59 (2003).

    >>> fast = CensoredCosts(np.zeros(3), np.array([100.0, 200.0, 300.0]))
    >>> slow = CensoredCosts(np.full(3, 900.0), np.array([1000.0, np.inf, np.inf]))
    >>> test = log_rank(fast, slow)
    >>> test.p, test.attainable_p, test.is_exact
    (0.1, 0.1, True)
    """
    sizes = _sizes(groups)
    scores = _scores(groups)
    seen = _spread(scores[None], sizes)[0]
    is_exact = _ways(sizes) <= MOST_ASSIGNMENTS
    null = _spread(scores[_all_ways(sizes)], sizes) if is_exact else _random_spread(scores, sizes, seed)
    extra = 0 if is_exact else 1  # the ways that are seen include the one at hand
    most = int(np.count_nonzero(null == null.max())) if is_exact else extra
    attainable = most / (null.size + extra)
    return LogRank(
        p=float((np.count_nonzero(null >= seen) + extra) / (null.size + extra)),
        statistic=log_rank_statistic(*groups),
        degrees=len(groups) - 1,
        is_exact=is_exact,
        attainable_p=attainable,
    )


def attainable_log_rank_p(*sizes: int) -> float:
    """Return the smallest p that a permutation test of groups of these sizes can give, whatever they cost.

    One over the ways to share out the runs, times those that only swap groups of the same size.

    >>> [round(attainable_log_rank_p(*sizes), 3) for sizes in ((3, 3), (4, 4), (5, 5), (1, 3))]
    [0.1, 0.029, 0.008, 0.25]
    """
    swaps = prod(factorial(sizes.count(size)) for size in set(sizes))
    return swaps / _ways(sizes)


def log_rank_statistic(*groups: CensoredCosts) -> float:
    """Return the log-rank χ² with the hypergeometric variance; 0 where no cost tells the groups apart.

    With many runs it is χ² of groups minus one degrees of freedom if the groups do not differ.

    Source: Mantel 1966.

    >>> a, b = (CensoredCosts(np.zeros(2), np.array(high)) for high in ([1.0, 2.0], [3.0, 4.0]))
    >>> round(log_rank_statistic(a, b), 4)
    2.8824
    """
    everyone = Passages.seen(_together(groups))
    risk, d = everyone.at_risk.astype(np.float64), everyone.reached.astype(np.float64)
    expected: list[FloatArray] = [_at_risk(group, everyone.cost) / risk for group in groups]
    shares = np.stack(expected)
    observed = np.array([group.reached.sum() for group in groups])
    excess = (observed - shares @ d)[:-1]
    weights = d * (risk - d) / np.maximum(risk - 1, 1)
    variance = np.diag(shares @ weights) - (shares * weights) @ shares.T
    # A group with no one at risk adds neither excess nor variance: this inverse passes over it.
    return float(excess @ np.linalg.pinv(variance[:-1, :-1], hermitian=True) @ excess)


def _sizes(groups: tuple[CensoredCosts, ...]) -> tuple[int, ...]:
    sizes = tuple(group.at.size for group in groups)
    if len(sizes) < 2 or 0 in sizes:  # noqa: PLR2004
        raise TooFewGroupsError(
            f"a log-rank test compares two or more groups of at least one run, got sizes {list(sizes)}; name "
            "another group"
        )
    return sizes


def _spread(scores: FloatArray, sizes: tuple[int, ...]) -> FloatArray:
    """Return Q of each row of scores, in which each group's follow those of the one before."""
    sums = np.add.reduceat(scores, np.cumsum((0, *sizes[:-1])), axis=1)
    return np.round(sums**2 @ (1 / np.array(sizes)), 9)  # equal but for rounding is equal


def _random_spread(scores: FloatArray, sizes: tuple[int, ...], seed: int) -> FloatArray:
    rng, rows = np.random.default_rng(seed), max(MOST_NUMBERS // scores.size, 1)
    drawn = max(min(RANDOM_ASSIGNMENTS, rows), FEWEST_RANDOM)
    counts = [min(rows, drawn - done) for done in range(0, drawn, rows)]
    return np.concatenate(
        [_spread(rng.permuted(np.tile(scores, (count, 1)), axis=1), sizes) for count in counts]
    )


@lru_cache(maxsize=16)
def _all_ways(sizes: tuple[int, ...]) -> IntArray:
    """Return each way to share out the runs as one row: the runs of the first group, of the second, ..."""

    def shared(runs: tuple[int, ...], left: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(left) == 1:
            yield runs
            return
        for chosen in combinations(runs, left[0]):
            rest = tuple(run for run in runs if run not in chosen)
            yield from (chosen + others for others in shared(rest, left[1:]))

    return np.array(list(shared(tuple(range(sum(sizes))), sizes)))


def _ways(sizes: tuple[int, ...]) -> int:
    left, ways = sum(sizes), 1
    for size in sizes:
        ways *= comb(left, size)
        left -= size
    return ways


def _together(groups: tuple[CensoredCosts, ...]) -> CensoredCosts:
    return CensoredCosts(
        np.concatenate([group.low for group in groups]), np.concatenate([group.high for group in groups])
    )


def _scores(groups: tuple[CensoredCosts, ...]) -> FloatArray:
    """Return passages minus expected passages of each run, which sum to 0."""
    costs = _together(groups)
    everyone = Passages.seen(costs)
    hazard = np.cumsum(everyone.reached / everyone.at_risk)
    return costs.reached - hazard[np.searchsorted(everyone.cost, costs.at)]


def _at_risk(group: CensoredCosts, cost: FloatArray) -> NDArray[np.float64]:
    return (group.at.size - np.searchsorted(np.sort(group.at), cost, side="left")).astype(np.float64)
