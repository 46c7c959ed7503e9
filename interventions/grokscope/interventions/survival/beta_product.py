"""What runs under censoring can say of the share that is not there yet: products of beta variables.

Before the i-th run that reached the target, Yᵢ runs were on their way. The share still on its way falls there
by a factor that is Beta(Yᵢ, 1), so minus its logarithm is an exponential variable divided by Yᵢ. Between two
such runs the share is at most its value after the earlier and at least its value after the later one; from
these two come the ends of intervals. Without censoring they are those of Clopper and Pearson.

Source: Fay, Brittain and Proschan, "Pointwise confidence intervals for a survival distribution with small
samples or heavy censoring", Biostatistics 14 (2013).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from grokscope.interventions.outcomes.costs import CensoredCosts, FloatArray

IntArray = NDArray[np.int64]
_NOTHING = 1e-15
"""A variance that is rounding."""
DRAWS, FEWEST_DRAWS, MOST_NUMBERS = 10_000, 1_000, 1_000_000
"""Random paths behind an interval of a mean; fewer, but some, where they would take too many numbers."""
_AT_ONCE = 32_768
"""Numbers of paths that are worked on at once: few enough to stay in the processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passages:
    """How many runs reached the target, or ended without it, at each distinct cost; arrays of one length.

    Attributes:
        runs: How many in all.
        cost: Increasing.
        at_risk: Runs on their way just before.
        reached: Runs that reached the target there.
        ended: Runs that were last seen there without it.
    """

    runs: int
    cost: FloatArray
    at_risk: IntArray
    reached: IntArray
    ended: IntArray

    @classmethod
    def seen(cls, costs: CensoredCosts) -> Self:
        """Return the passages where they were first seen: none of them later than this.

        >>> Passages.seen(CensoredCosts(np.array([10.0, 20.0]), np.array([20.0, np.inf]))).at_risk
        array([2])
        """
        return cls._counted(costs.at, costs.reached)

    @classmethod
    def earliest(cls, costs: CensoredCosts) -> Self:
        """Return the passages at the last evaluation without the target: none of them earlier than this.

        A run that ended at an evaluation may pass right after it, so it leaves before those that pass there.
        """
        reached = costs.reached
        return cls._counted(np.where(reached, costs.low, np.nextafter(costs.low, -np.inf)), reached)

    @classmethod
    def _counted(cls, at: FloatArray, reached: NDArray[np.bool_]) -> Self:
        cost, place = np.unique(at, return_inverse=True)
        passed = np.bincount(place, weights=reached, minlength=cost.size).astype(np.int64)
        gone = np.bincount(place, minlength=cost.size).astype(np.int64)
        at_risk = at.size - np.concatenate(([0], np.cumsum(gone)))[:-1]
        return cls(runs=at.size, cost=cost, at_risk=at_risk, reached=passed, ended=gone - passed)

    @property
    def left(self) -> IntArray:
        """Runs on their way just after each cost."""
        return self.at_risk - self.reached - self.ended

    def until(self, cost: float) -> "Passages":
        """Return those at costs up to and with ``cost``."""
        kept = self.cost <= cost
        return Passages(
            runs=self.runs,
            cost=self.cost[kept],
            at_risk=self.at_risk[kept],
            reached=self.reached[kept],
            ended=self.ended[kept],
        )

    def from_start(self) -> "Passages":
        """Return them with a first row at cost 0, where all runs are on their way."""
        if self.runs == 0 or self.cost[0] <= 0:
            return self
        return Passages(
            runs=self.runs,
            cost=np.concatenate(([0.0], self.cost)),
            at_risk=np.concatenate(([self.runs], self.at_risk)),
            reached=np.concatenate(([0], self.reached)),
            ended=np.concatenate(([0], self.ended)),
        )

    def share(self) -> FloatArray:
        """Return the Kaplan–Meier share of runs that are not there yet, from each cost on."""
        return np.cumprod(1 - self.reached / self.at_risk, dtype=np.float64)


def highest_share(passages: Passages, level: float) -> FloatArray:
    """Return the upper end of the central interval of the share not there yet, from each cost on.

    >>> from scipy.stats import binomtest
    >>> costs = CensoredCosts(np.zeros(8), np.arange(1.0, 9.0))
    >>> end = highest_share(Passages.seen(costs), 0.95)[2]
    >>> bool(np.isclose(end, binomtest(5, 8).proportion_ci(0.95).high))
    True
    """
    mean, square = _moments(passages)
    return beta_quantile(mean, square, (1 + level) / 2)


def lowest_share(passages: Passages, level: float) -> FloatArray:
    """Return the lower end of the same interval: as if one more run passed right after each cost."""
    mean, square = _moments(passages)
    left = passages.left
    return beta_quantile(mean * left / (left + 1), square * left / (left + 2), (1 - level) / 2)


def beta_quantile(mean: FloatArray, square: FloatArray, probability: float) -> FloatArray:
    """Return quantiles of beta variables with these first two moments; where nothing varies, the mean.

    >>> beta_quantile(np.array([0.5, 0.0]), np.array([1 / 3, 0.0]), 0.1).round(6).tolist()
    [0.1, 0.0]
    """
    variance = square - mean**2
    varies = (variance > _NOTHING) & (mean > 0) & (mean < 1)
    size = np.where(varies, mean * (1 - mean) / np.where(varies, variance, 1) - 1, 1)
    quantiles = betaincinv(
        np.where(varies, mean, 0.5) * size, np.where(varies, 1 - mean, 0.5) * size, probability
    )
    return np.where(varies, quantiles, mean)


def _moments(passages: Passages) -> tuple[FloatArray, FloatArray]:
    """Return mean and mean square of the product after each cost; d at once are Beta(Y - d + 1, d)."""
    risk, stay = passages.at_risk, passages.at_risk - passages.reached
    mean = np.cumprod((stay + 1) / (risk + 1), dtype=np.float64)
    square = np.cumprod((stay + 1) * (stay + 2) / ((risk + 1) * (risk + 2)), dtype=np.float64)
    return mean, square


class Exponentials:
    """Exponential variables of one seed, kept, so that many groups can be told by the same random paths.

    >>> draws = Exponentials(0)
    >>> first = draws.next((2, 3))
    >>> draws.rewind()
    >>> bool((draws.next((2, 3)) == first).all())
    True
    """

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._kept, self._drawn, self._at = np.empty(0), 0, 0

    def rewind(self) -> None:
        """Begin again with the first."""
        self._at = 0

    def next(self, shape: tuple[int, int]) -> FloatArray:
        """Return the next, row by row; not to be written to."""
        end = self._at + shape[0] * shape[1]
        if end > self._kept.size:
            kept = np.empty(max(end, 2 * self._kept.size))
            kept[: self._drawn] = self._kept[: self._drawn]
            self._kept = kept
        if end > self._drawn:
            self._rng.standard_exponential(out=self._kept[self._drawn : end])
            self._drawn = end
        part = self._kept[self._at : end]
        self._at = end
        return part.reshape(shape)


def highest_means(passages: Passages, until: float, draws: Exponentials) -> FloatArray:
    """Return random restricted means, none of whose paths falls before a run was seen to pass."""
    return _means(passages.until(until), until, draws, is_early=False)


def lowest_means(passages: Passages, until: float, draws: Exponentials) -> FloatArray:
    """Return random restricted means, each of whose paths falls one passage too early."""
    return _means(passages.until(until), until, draws, is_early=True)


def _means(passages: Passages, until: float, draws: Exponentials, *, is_early: bool) -> FloatArray:
    """Return the areas under random paths: exp(-cumulative hazard) over the times, 0 first."""
    before = np.concatenate(([0], np.cumsum(passages.reached)))
    risk = _at_risk_one_by_one(passages)
    left = np.concatenate(([passages.runs], passages.left))
    widths = np.diff(np.concatenate(([0.0], np.maximum(passages.cost, 0.0), [until])))
    paths = max(min(DRAWS, MOST_NUMBERS // (risk.size + 1)), FEWEST_DRAWS)
    rows = max(1, _AT_ONCE // (risk.size + 1))
    means = np.empty(paths)
    for first in range(0, paths, rows):
        steps = draws.next((min(rows, paths - first), risk.size + 1))
        hazards = np.zeros(steps.shape)
        np.cumsum(steps[:, :-1] / risk, axis=1, out=hazards[:, 1:])
        hazards = hazards.take(before, axis=1, mode="clip")
        if is_early:
            with np.errstate(divide="ignore"):
                hazards += steps.take(before, axis=1, mode="clip") / left
        means[first : first + rows] = np.exp(-hazards) @ widths
    return means


def _at_risk_one_by_one(passages: Passages) -> IntArray:
    """Return how many runs were on their way before each that reached the target, ties one after another."""
    first = np.repeat(np.cumsum(passages.reached) - passages.reached, passages.reached)
    return np.repeat(passages.at_risk, passages.reached) - (np.arange(first.size) - first)
