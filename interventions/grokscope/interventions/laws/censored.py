"""A normal linear model of log costs that are known as intervals, or only from below."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

from grokscope.interventions.estimate import Estimate
from grokscope.interventions.laws.search import Function, crossing
from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.likelihood import Bounds, Family, evaluated

FloatArray = NDArray[np.float64]

_STEPS, _HALVINGS, _SETTLED = 60, 30, 1e-8
_EXACT = 1e-7
"""Intervals of log cost narrower than this are taken as numbers, with their density."""
_FARTHEST = 50.0
"""A change of log cost over the span of a variable beyond which an end of an interval counts as unbounded."""
_LEAST_SPREAD = 1e-6
MANY_RUNS = 1000
"""Runs that reached the target beyond which the likelihood is as good as normal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCosts:
    """Logarithms of costs: each is in (low, high], -∞ and ∞ where nothing bounds it; shape (n,).

    ``times`` tells how many runs each stands for.
    """

    low: FloatArray
    high: FloatArray
    times: FloatArray

    @classmethod
    def of(cls, costs: CensoredCosts) -> Self:
        """Return the logarithms of some costs."""
        with np.errstate(divide="ignore"):
            low, high = np.log(np.maximum(costs.low, 0.0)), np.log(costs.high)
        return cls(low=low, high=high, times=np.ones(len(low)))

    @property
    def reached(self) -> NDArray[np.bool_]:
        """Which are bounded from above."""
        return np.isfinite(self.high)

    @property
    def at(self) -> FloatArray:
        """A number for each: the middle of a bounded interval, else its one end."""
        bounded = np.isfinite(self.low) & np.isfinite(self.high)
        with np.errstate(invalid="ignore"):
            middle = (self.low + self.high) / 2
        return np.where(bounded, middle, np.where(self.reached, self.high, self.low))

    def shifted(self, by: FloatArray) -> Self:
        """Return them with ``by`` taken away."""
        return replace(self, low=self.low - by, high=self.high - by)

    @property
    def runs_reached(self) -> int:
        """How many runs are bounded from above."""
        return int(np.sum(self.times[self.reached]))

    def only(self, chosen: NDArray[np.bool_]) -> Self:
        """Return some of them."""
        return replace(self, low=self.low[chosen], high=self.high[chosen], times=self.times[chosen])


@dataclass(frozen=True, slots=True, kw_only=True)
class CensoredFit:
    """log T = Xβ + σε with ε standard normal, at its maximum likelihood.

    Attributes:
        coefficients: β, shape (p,).
        spread: σ, in natural logarithms.
        likelihood: Logarithm of the likelihood.
        covariance: Of β, from the observed information, shape (p, p).
    """

    coefficients: FloatArray
    spread: float
    likelihood: float
    covariance: FloatArray


def censored_fit(design: FloatArray, costs: LogCosts) -> CensoredFit:
    """Return the log-normal fit by maximum likelihood: intervals count with their probability.

    In β / σ and 1 / σ the log likelihood is concave (Burridge 1981), so Newton's method finds its maximum.

    Args:
        design: Shape (n, p), of full rank; p may be 0.
        costs: Of the n runs.

    >>> costs = LogCosts(low=np.array([0.0, 1.0, 2.0]), high=np.array([1.0, 2.0, np.inf]), times=np.ones(3))
    >>> censored_fit(np.ones((3, 1)), costs).coefficients.round(2)
    array([1.56])
    """
    at, width = costs.at, design.shape[1]
    beta = np.linalg.lstsq(design, at, rcond=None)[0] if width else np.zeros(0)
    spread = max(float(np.std(at - design @ beta)), 0.1)
    # Logarithms are counted from the first guess: Newton works on what is left.
    left = costs.shifted(design @ beta)
    bounds = _bounds(design, left)
    place: FloatArray = np.append(1 / spread, np.zeros(width))
    place, likelihood, information = _newton(place, bounds)
    spread = max(1 / float(place[0]), _LEAST_SPREAD)
    change = np.zeros((width + 1, width + 1))
    change[1:, 1:], change[1:, 0] = spread * np.eye(width), -(spread**2) * place[1:]
    change[0, 0] = -(spread**2)
    covariance = change @ np.linalg.pinv(information, hermitian=True) @ change.T
    return CensoredFit(
        coefficients=beta + spread * place[1:],
        spread=spread,
        # One per cost there, one per logarithm of a cost here, as costs are shifted by what is fitted.
        likelihood=likelihood + float(bounds.low[bounds.exact] @ bounds.weights[bounds.exact]),
        covariance=covariance[1:, 1:],
    )


def _newton(place: FloatArray, bounds: Bounds) -> tuple[FloatArray, float, FloatArray]:
    """Return the place of the maximum, how high it is, and the information there."""
    likelihood, score, information = evaluated(bounds, Family.LOG_NORMAL, place)
    for _ in range(_STEPS):
        step = np.linalg.lstsq(information, score, rcond=None)[0]
        if float(score @ step) < _SETTLED:
            break
        for _ in range(_HALVINGS):
            if place[0] + step[0] > 0:
                there = evaluated(bounds, Family.LOG_NORMAL, place + step)
                if there[0] >= likelihood:
                    break
            step = step / 2
        else:
            break
        place = place + step
        likelihood, score, information = there
    return place, likelihood, information


def profile_interval(
    design: FloatArray, costs: LogCosts, fit: CensoredFit, *, column: int, level: float
) -> Estimate:
    """Return a coefficient with the interval of values that a likelihood ratio does not reject.

    The bound of the ratio is d log(1 + t² / (d - p)) with d runs that reached and Student's quantile t of
    d - p degrees of freedom: exact if all reached and costs are numbers, where χ² is too short for few runs.
    Beyond ``MANY_RUNS`` the information gives the same.

    Args:
        design: As of ``censored_fit``.
        costs: What was fitted.
        fit: The fit.
        column: Which coefficient.
        level: Of the interval.
    """
    freedom = costs.runs_reached - design.shape[1]
    method = "profile likelihood, Student's bound"
    value = float(fit.coefficients[column])
    if freedom < 1:
        reason = "too few runs have reached the target for an interval"
        return Estimate(value=value, level=level, method=method, missing=reason)
    quantile = float(special.stdtrit(freedom, (1 + level) / 2))
    bound = (freedom + design.shape[1]) * np.log1p(quantile**2 / freedom)
    error = float(np.sqrt(max(fit.covariance[column, column], _LEAST_SPREAD**2)))

    def excess(at: float) -> float:
        return 2 * (fit.likelihood - profile_likelihood(design, costs, column, at)) - bound

    if costs.runs_reached > MANY_RUNS:
        reach, method = quantile * error, "observed information"
        return Estimate(value=value, low=value - reach, high=value + reach, level=level, method=method)
    farthest = _FARTHEST / float(np.ptp(design[:, column]) or 1.0)
    step = min(error * quantile, farthest / 10)
    ends = [_end(excess, value, way * step, farthest) for way in (-1, 1)]
    missing = "an end is unbounded: the runs do not tell it" if None in ends else None
    return Estimate(value=value, low=ends[0], high=ends[1], level=level, method=method, missing=missing)


def profile_likelihood(design: FloatArray, costs: LogCosts, column: int, at: float) -> float:
    """Return the largest log likelihood with one coefficient held at a value."""
    return censored_fit(np.delete(design, column, axis=1), costs.shifted(at * design[:, column])).likelihood


def _end(excess: Function, value: float, step: float, farthest: float) -> float | None:
    """Return where ``excess`` crosses 0 from ``value`` on in the direction of ``step``; if anywhere."""
    inside, reach = value, 1.0
    while reach * abs(step) < farthest:
        outside = value + reach * step
        if excess(outside) > 0:
            return crossing(excess, inside, outside, tolerance=abs(step) * 1e-4)
        inside, reach = outside, reach * 1.6
    return None


def _bounds(design: FloatArray, costs: LogCosts) -> Bounds:
    """Return the costs as the likelihood takes them, narrow intervals as numbers."""
    low = np.where(costs.high - costs.low < _EXACT, costs.high, costs.low)
    return Bounds(low=low, high=costs.high, x=design, times=costs.times)
