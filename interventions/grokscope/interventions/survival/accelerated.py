"""How much faster: accelerated failure time regression of costs on covariates, and a model's median.

    log C = median + x'β + σ ε;  ε normal (log-normal costs) or smallest extreme value (Weibull), median 0

A coefficient is a log time ratio: with one more of the covariate, each run costs exp(β) times as much, and is
faster by the factor exp(-β). Costs enter as the intervals that they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy import optimize, special

from grokscope.interventions.estimate import Estimate, exponential
from grokscope.interventions.outcomes.costs import CensoredCosts, FloatArray
from grokscope.interventions.survival.likelihood import Bounds, Family, Maximum, held, maximized
from grokscope.schemas import GrokscopeError

_NO_SPREAD = "the data tell no spread: an ever larger one makes them more likely"
_FARTHEST = 40.0
"""Standard errors from the estimate beyond which an end counts as unbounded."""


class DesignError(GrokscopeError):
    """Covariates that do not fit the costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one covariate does.

    Attributes:
        name: Of the covariate.
        log_time_ratio: β.
        speed_up: exp(-β): above 1 where more of the covariate makes runs faster.
    """

    name: str
    log_time_ratio: Estimate
    speed_up: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerated:
    """A fitted model.

    Attributes:
        family: Distribution of the costs.
        median: Cost of the median run whose covariates are all 0: a model's number.
        effects: One a covariate.
        scale: σ, the spread of the logarithms; ``None`` if refused.
        log_likelihood: Of the costs (not of their logarithms); ``None`` if refused.
        aic: 2 · (number of parameters) - 2 · log-likelihood: the smaller, the better the family.
        runs, reached: How many there are, and have reached the target.
        missing: Why there is no fit; ``None`` if there is.
    """

    family: Family
    median: Estimate
    effects: tuple[Effect, ...]
    scale: float | None
    log_likelihood: float | None
    aic: float | None
    runs: int
    reached: int
    missing: str | None = None


def accelerated(
    costs: CensoredCosts,
    design: FloatArray,
    names: Sequence[str],
    *,
    family: Family | None = None,
    level: float = 0.95,
) -> Accelerated:
    """Return the accelerated failure time model of costs between two evaluations.

    Intervals are those of the profile likelihood; ``deviance_limit`` says how far they reach.

    Args:
        costs: Of all runs; none may be reached at a cost of 0.
        design: Rows are runs, columns covariates, without the intercept; no columns for a median alone.
        names: Of the columns.
        family: ``None`` takes the one with the smaller AIC.
        level: Of the intervals.

    Returns:
        Without numbers, and with the reason, where the likelihood has no maximum.

    Raises:
        DesignError: If rows, columns and names do not fit each other, or an entry is not finite.

    Source: Kalbfleisch and Prentice 2002, §3; Burridge 1981.

    >>> high = np.array([100.0, 200.0, 300.0, 200.0, 400.0, 600.0])
    >>> halved = np.array([[1.0], [1.0], [1.0], [0.0], [0.0], [0.0]])
    >>> model = accelerated(CensoredCosts(high, high), halved, ["muon"], family=Family.LOG_NORMAL)
    >>> round(model.effects[0].speed_up.value, 9), round(model.effects[0].speed_up.low, 2)
    (2.0, 0.57)
    """
    x = _design(costs, design, names)
    bounds, reason = Bounds.of(costs, x), _refusal(costs, x)
    families = (family,) if family else tuple(Family)
    found = {each: reason or maximized(bounds, each) or _NO_SPREAD for each in families}
    fits = [_record(bounds, names, each, level, best=best) for each, best in found.items()]
    return min(fits, key=lambda fit: np.inf if fit.aic is None else fit.aic)


def model_median(costs: CensoredCosts, *, family: Family | None = None, level: float = 0.95) -> Estimate:
    """Return the median cost of one group under a model: usable below six runs, as good as the model is.

    >>> high = np.array([100.0, 200.0, 400.0])
    >>> median = model_median(CensoredCosts(high, high), family=Family.LOG_NORMAL)
    >>> round(median.value, 6), median.method
    (200.0, 'log-normal model, profile likelihood')
    """
    return accelerated(costs, np.empty((costs.at.size, 0)), (), family=family, level=level).median


def deviance_limit(bounds: Bounds, level: float) -> float | None:
    """Return how much twice the log-likelihood may be below the highest within an interval.

        N log(1 + t² / (N - k)),  t: quantile of Student's distribution with N - k degrees of freedom

    with k columns and N halfway between the runs and those that have reached the target. Where all costs are
    known exactly this makes the intervals of log-normal costs those of Student's t. χ², the limit for many
    runs, covers 85 % instead of 95 % with three runs.

    Returns:
        ``None`` where N is not above k.

    >>> logs = np.zeros(4)
    >>> round(deviance_limit(Bounds(low=logs, high=logs, x=np.ones((4, 1))), 0.95), 2)
    5.9
    """
    told = np.isfinite(bounds.low) | np.isfinite(bounds.high)
    size = (int(told.sum()) + int(np.isfinite(bounds.high).sum())) / 2
    free = size - bounds.x.shape[1]
    if free <= 0:
        return None
    return float(size * np.log1p(special.stdtrit(free, (1 + level) / 2) ** 2 / free))


def _design(costs: CensoredCosts, design: FloatArray, names: Sequence[str]) -> FloatArray:
    if design.shape != (costs.at.size, len(names)) or not np.isfinite(design).all():
        raise DesignError(
            f"a design has a row of finite numbers for each of {costs.at.size} runs and a column for each of "
            f"{len(names)} names, got shape {design.shape}; leave out runs without the param"
        )
    return np.column_stack((np.ones(costs.at.size), design))


def _refusal(costs: CensoredCosts, x: FloatArray) -> str | None:
    """Return why there is no fit, if there is none."""
    if not costs.reached.any():
        return "no run has reached the target, so no model of its cost can be fitted"
    if (costs.high <= 0).any():
        return "a run reached the target at a cost of 0, which has no logarithm"
    if np.isinf(costs.low).any():
        return "a run that can never reach the target has no place in a model in which every run reaches it"
    if np.linalg.matrix_rank(x) < x.shape[1]:
        return "the covariates do not vary independently of each other; leave out one that the others tell"
    if not Bounds.of(costs, x).has_maximum():
        return (
            "the likelihood has no maximum: a covariate separates the runs that reached the target from the "
            "others, or all costs fit between the same two evaluations"
        )
    return None


def _record(
    bounds: Bounds, names: Sequence[str], family: Family, level: float, *, best: Maximum | str
) -> Accelerated:
    """Return the record of a fit, or of the reason why there is none."""
    runs, columns = bounds.x.shape
    if isinstance(best, str):
        profiles, likelihood = [Estimate(value=None, level=level, missing=best)] * columns, None
    else:
        profiles = [_profile(bounds, family, best, column, level) for column in range(columns)]
        likelihood = best.log_likelihood
    return Accelerated(
        family=family,
        median=exponential(profiles[0]),
        effects=tuple(
            Effect(name=name, log_time_ratio=each, speed_up=exponential(each, sign=-1))
            for name, each in zip(names, profiles[1:], strict=True)
        ),
        scale=None if isinstance(best, str) else best.scale,
        log_likelihood=likelihood,
        aic=None if likelihood is None else 2 * (columns + 1) - 2 * likelihood,
        runs=runs,
        reached=int((bounds.high < np.inf).sum()),
        missing=best if isinstance(best, str) else None,
    )


def _profile(bounds: Bounds, family: Family, best: Maximum, column: int, level: float) -> Estimate:
    """Return a coefficient with its values whose likelihood, the others free, is near the highest."""
    value = float(best.coefficients[column])
    method = f"{family.value} model, profile likelihood"
    limit = deviance_limit(bounds, level)
    if limit is None:
        return Estimate(
            value=value, level=level, method=method, missing="no interval: too few runs for the covariates"
        )
    error = _standard_error(best, column)

    def beyond(coefficient: float) -> float:
        return 2 * (best.log_likelihood - held(bounds, family, column, coefficient)) - limit

    low, high = (_crossing(beyond, value, sign * error) for sign in (-1.0, 1.0))
    open_ends = " and ".join(name for name, end in (("low", low), ("high", high)) if end is None)
    return Estimate(
        value=value,
        low=low,
        high=high,
        level=level,
        method=method,
        missing=f"the data do not bound the {open_ends} end" if open_ends else None,
    )


def _standard_error(best: Maximum, column: int) -> float:
    """Return the standard error of β = γ / τ from the information of (τ, γ)."""
    gradient = np.zeros(best.at.size)
    gradient[0], gradient[column + 1] = -best.at[column + 1] / best.at[0] ** 2, 1 / best.at[0]
    variance = gradient @ np.linalg.pinv(best.information, hermitian=True) @ gradient
    return float(np.sqrt(max(variance, 1e-12)))


def _crossing(beyond: Callable[[float], float], value: float, step: float) -> float | None:
    """Return where ``beyond`` rises through 0 on one side of ``value``; ``None`` where it does not."""
    inside, width = value, step
    while abs(width) < _FARTHEST * abs(step):
        outside = value + width
        if beyond(outside) > 0:
            return cast("float", optimize.brentq(beyond, inside, outside, xtol=1e-8 * abs(step)))
        inside, width = outside, 2 * width
    return None
