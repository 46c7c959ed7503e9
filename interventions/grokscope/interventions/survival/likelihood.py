"""The likelihood of costs between two evaluations under an accelerated failure time model, and its maximum.

With z = (log c - o - x'β) / σ, written as z = τ (log c - o) - x'γ with τ = 1/σ and γ = β/σ, the logarithm of
the likelihood is concave in (τ, γ): Newton's steps find its one maximum, also with an offset o that holds one
coefficient fixed.

Source: Burridge, "A note on maximum likelihood estimation for regression models using grouped data", JRSS B
43 (1981).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self, cast

import numpy as np
from scipy import optimize
from scipy.special import log_ndtr

from grokscope.interventions.outcomes.costs import CensoredCosts, FloatArray

_LOG_ROOT_2PI = 0.5 * np.log(2 * np.pi)
_LOG_LOG_2 = np.log(np.log(2.0))
_STEPS = 100
_CONVERGED = 1e-11
_NEAR = 1e-6
_NO_SLOPE = 1e-9
_SEPARATED = 1e-7


class Family(StrEnum):
    """Distribution of the costs."""

    LOG_NORMAL = "log-normal"
    WEIBULL = "Weibull"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Logarithms of the costs and the design; the first column of ``x`` is the intercept.

    Attributes:
        low, high: Logarithms; -∞ and ∞ where nothing is known.
        x: Rows are runs, columns covariates.
        times: How many runs each row stands for; ``None`` for one.
    """

    low: FloatArray
    high: FloatArray
    x: FloatArray
    times: FloatArray | None = None

    @classmethod
    def of(cls, costs: CensoredCosts, x: FloatArray) -> Self:
        """Return the bounds of costs."""
        with np.errstate(divide="ignore"):
            return cls(low=np.log(costs.low), high=np.log(costs.high), x=x)

    @property
    def weights(self) -> FloatArray:
        """How many runs each row stands for."""
        return np.ones(len(self.low)) if self.times is None else self.times

    @property
    def exact(self) -> np.ndarray:
        """Runs whose cost is known exactly."""
        return self.low == self.high

    def has_maximum(self) -> bool:
        """Return whether the likelihood has a maximum: no direction leaves every run as likely or more.

        Along such a direction all runs become certain, so some coefficient grows without bound. Found by
        linear programming, as for logistic regression (Albert and Anderson 1984).
        """
        above, below, exact = self._rows()
        if np.linalg.matrix_rank(np.vstack((above, below, exact))) <= self.x.shape[1]:
            return False
        rows = np.vstack((-above, below))
        scale = np.maximum(np.abs(rows).max(axis=1, initial=0), 1e-300)[:, None]
        rows = rows / scale
        found: Any = optimize.linprog(
            rows.sum(axis=0),
            A_ub=rows,
            b_ub=np.zeros(len(rows)),
            A_eq=exact if len(exact) else None,
            b_eq=np.zeros(len(exact)) if len(exact) else None,
            bounds=[(0, 1), *[(-1, 1)] * self.x.shape[1]],
        )
        return bool(found.status == 0 and found.fun > -_SEPARATED)

    def _rows(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        exact = self.exact
        with_high, with_low = np.isfinite(self.high) & ~exact, np.isfinite(self.low) & ~exact
        return (
            np.column_stack((self.high, -self.x))[with_high],
            np.column_stack((self.low, -self.x))[with_low],
            np.column_stack((self.low, -self.x))[exact],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Maximum:
    """Where the likelihood is highest: its logarithm, (τ, γ), and minus the matrix of second derivatives."""

    log_likelihood: float
    at: FloatArray
    information: FloatArray

    @property
    def coefficients(self) -> FloatArray:
        """Coefficients β of the columns, on the scale of the logarithm of the cost."""
        return self.at[1:] / self.at[0]

    @property
    def scale(self) -> float:
        """Spread σ of the logarithms."""
        return float(1 / self.at[0])


def maximized(bounds: Bounds, family: Family, *, start: FloatArray | None = None) -> Maximum | None:
    """Return the maximum of the likelihood; ``None`` where no spread is the most likely one."""
    return _climbed(bounds, family, _start(bounds) if start is None else start, slice(0, None))


def supremum(bounds: Bounds, family: Family) -> float:
    """Return the highest log-likelihood, also where only an ever larger spread comes near to it."""
    start = _start(bounds)
    found = _climbed(bounds, family, start, slice(0, None))
    if found is None:
        start[0] = _NO_SLOPE
        found = _climbed(bounds, family, start, slice(1, None))
    return found.log_likelihood if found else -np.inf


def held(bounds: Bounds, family: Family, column: int, coefficient: float) -> float:
    """Return the highest log-likelihood with the coefficient of one column held fixed."""
    offset = bounds.x[:, column] * coefficient
    rest = np.delete(bounds.x, column, axis=1)
    found = supremum(Bounds(low=bounds.low - offset, high=bounds.high - offset, x=rest), family)
    # The likelihood is one per cost: what is taken off its logarithm is put back.
    return found - float(offset[bounds.exact].sum())


def _climbed(bounds: Bounds, family: Family, at: FloatArray, free: slice) -> Maximum | None:
    """Return where Newton's steps in the ``free`` parameters end."""
    value, slope, information = evaluated(bounds, family, at)
    while not np.isfinite(value):  # far out in a tail: a larger spread is nearer
        at = at / 2
        value, slope, information = evaluated(bounds, family, at)
    for _ in range(_STEPS):
        step = np.zeros_like(at)
        step[free] = np.linalg.lstsq(information[free, free], slope[free], rcond=None)[0]
        gain = float(step @ slope)
        if gain < _CONVERGED:
            return Maximum(log_likelihood=value, at=at, information=information)
        for halvings in range(40):
            tried = at + step / 2**halvings
            if tried[0] > 0:
                found = evaluated(bounds, family, tried)
                if found[0] >= value + 1e-4 * gain / 2**halvings:
                    break
        else:
            return Maximum(log_likelihood=value, at=at, information=information) if gain < _NEAR else None
        at, (value, slope, information) = tried, found
    return None


def _start(bounds: Bounds) -> FloatArray:
    """Return the fit to the middle of each interval, or to its one end; the other runs say nothing."""
    ends = np.stack((bounds.low, bounds.high))
    known = np.isfinite(ends)
    told = known.any(axis=0)
    middle = np.where(known, ends, 0.0).sum(axis=0)[told] / known.sum(axis=0)[told]
    coefficients = cast("FloatArray", np.linalg.lstsq(bounds.x[told], middle, rcond=None)[0])
    scale = max(float(np.std(middle - bounds.x[told] @ coefficients)), 0.3)
    return np.concatenate(([1.0], coefficients)) / scale


def evaluated(bounds: Bounds, family: Family, at: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Return the log-likelihood (per cost, not per log cost), its slope and minus its second derivatives.

    Args:
        bounds: What is known of the costs.
        family: Of their distribution.
        at: (τ, γ), shape (p + 1,), τ above 0.

    Returns:
        -∞ and no derivatives of meaning where rounding leaves a run no probability.

    >>> low, high, thrice = np.array([0.0]), np.array([np.inf]), np.array([3.0])
    >>> bounds = Bounds(low=low, high=high, x=np.ones((1, 1)), times=thrice)
    >>> bool(np.isclose(evaluated(bounds, Family.LOG_NORMAL, np.array([1.0, 0.0]))[0], 3 * np.log(0.5)))
    True
    """
    exact = bounds.exact
    value, slope, information = 0.0, np.zeros(at.size), np.zeros((at.size, at.size))
    if exact.any():
        value, slope, information = _exactly(bounds, family, at)
    if not np.isfinite(value):
        return -np.inf, slope, information
    if exact.all():
        return value, slope, information
    low, high, x = bounds.low[~exact], bounds.high[~exact], bounds.x[~exact]
    weights = bounds.weights[~exact, None]
    has_low, has_high = np.isfinite(low), np.isfinite(high)
    u_low = np.column_stack((np.where(has_low, low, 0.0), -x))
    u_high = np.column_stack((np.where(has_high, high, 0.0), -x))
    z_low = np.where(has_low, u_low @ at, -np.inf)
    z_high = np.where(has_high, u_high @ at, np.inf)
    mass = _log_mass(family, z_low, z_high)
    value += float(mass @ weights[:, 0])
    if not np.isfinite(value):
        return -np.inf, slope, information
    f_low, bent_low = _relative(family, z_low, mass)
    f_high, bent_high = _relative(family, z_high, mass)
    slopes = f_high[:, None] * u_high - f_low[:, None] * u_low
    bends = (u_high * bent_high[:, None] * weights).T @ u_high - (
        u_low * bent_low[:, None] * weights
    ).T @ u_low
    weighted = slopes * weights
    return value, slope + weighted.sum(axis=0), information + weighted.T @ slopes - bends


def _exactly(bounds: Bounds, family: Family, at: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Return the same of the runs whose cost is known exactly."""
    exact, weights = bounds.exact, bounds.weights[bounds.exact]
    u = np.column_stack((bounds.low[exact], -bounds.x[exact]))
    z = u @ at
    if family is Family.LOG_NORMAL:
        density, first, second = -(z**2) / 2 - _LOG_ROOT_2PI, -z, -np.ones_like(z)
    else:
        hazard = _cumulative_hazard(z)
        density, first, second = z + _LOG_LOG_2 - hazard, 1 - hazard, -hazard
    count, value = float(weights.sum()), float((density + np.log(at[0]) - bounds.low[exact]) @ weights)
    if not np.isfinite(value):
        return -np.inf, at, np.eye(at.size)
    slope, information = u.T @ (first * weights), -(u * (second * weights)[:, None]).T @ u
    slope[0] += count / at[0]
    information[0, 0] += count / at[0] ** 2
    return value, slope, information


def _log_mass(family: Family, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return log(F(high) - F(low)), without loss in either tail."""
    if family is Family.LOG_NORMAL:
        flip = low > 0
        low, high = np.where(flip, -high, low), np.where(flip, -low, high)
        top, bottom = log_ndtr(high), log_ndtr(low)
    else:
        top, bottom = -_cumulative_hazard(low), -_cumulative_hazard(high)
    with np.errstate(divide="ignore", invalid="ignore"):
        return top + np.log(-np.expm1(bottom - top))


def _relative(family: Family, z: FloatArray, log_mass: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return density and its derivative at ``z``, relative to the mass; 0 at ±∞."""
    finite = np.isfinite(z)
    z = np.where(finite, z, 0.0)
    if family is Family.LOG_NORMAL:
        log_density, bend = -(z**2) / 2 - _LOG_ROOT_2PI, -z
    else:
        hazard = _cumulative_hazard(z)
        log_density, bend = z + _LOG_LOG_2 - hazard, 1 - hazard
    density = np.exp(np.where(finite, log_density - log_mass, -np.inf))
    return density, np.where(density > 0, density * np.where(density > 0, bend, 0.0), 0.0)


def _cumulative_hazard(z: FloatArray) -> FloatArray:
    """Return that of the smallest-extreme-value distribution, moved so that its median is 0."""
    with np.errstate(over="ignore"):
        return np.log(2.0) * np.exp(z)
