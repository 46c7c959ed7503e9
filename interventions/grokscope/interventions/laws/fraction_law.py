"""The cost to a target against the share of the data: a power law above a floor, T = a r^-γ + b."""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtrit

from grokscope.interventions.designs.axis import numbers
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.laws.censored import LogCosts, censored_fit
from grokscope.interventions.laws.premise import Premise, different_values, refusal
from grokscope.interventions.laws.search import crossing, lowest
from grokscope.interventions.outcomes.costs import CensoredCosts

FloatArray = NDArray[np.float64]

LEAST_VALUES = 4
"""The law has three numbers: so many values show whether it holds."""
LEAST_RUNS = 8
LEAST_REACHED = 0.5
STEEPEST = 40.0
"""The largest γ that is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FractionLaw:
    """T = a r^-γ + b.

    Attributes:
        x: The variable.
        gamma: γ; without a number, and with the reason, where a premise fails.
        scale, floor: a and b, in the unit of the costs; ``None`` where the law is refused. b is at least 0.
        spread: Standard deviation of log cost about the law.
        premises: Each with what was found.
        span: Smallest and largest value that was fitted.
    """

    x: str
    gamma: Estimate
    scale: float | None
    floor: float | None
    spread: float | None
    premises: tuple[Premise, ...]
    span: tuple[float, float]


def fraction_law(costs: pl.DataFrame, *, x: str, level: float = 0.95) -> FractionLaw:
    """Return the law of the cost against the share of the data, unreached runs counted.

        log T = log(a r^-γ + b) + σε

    by maximum likelihood with intervals and unreached runs (form: Notsawo et al. 2306.13253). The interval
    of γ holds the values that a likelihood ratio does not reject, with Student's bound as in
    ``profile_interval``. Where runs below some share never reach the target, ``threshold`` of the designs
    tells the critical share.

    Args:
        costs: ``COSTS`` with a column of the variable.
        x: The variable, above 0.
        level: Of the interval.

    Raises:
        VariableError: If the column is missing or holds no numbers.
    """
    values = numbers(costs, x)
    usable = np.isfinite(values) & (values > 0)
    r, known = values[usable], costs.filter(pl.Series(usable))
    log_costs = LogCosts.of(CensoredCosts.of(known))
    premises = _premises(x, r, log_costs)
    span = (float(np.min(r)), float(np.max(r))) if len(r) else (math.nan, math.nan)
    refused = refusal(premises)
    if refused:
        gamma = Estimate(value=None, level=level, missing=refused)
        return FractionLaw(
            x=x, gamma=gamma, scale=None, floor=None, spread=None, premises=premises, span=span
        )
    center = math.exp(float(np.mean(np.log(r))))
    curve = _Curve.of(np.log(r / center), log_costs)
    gamma, loss = lowest(lambda g: -curve.at(g)[0], (0.0, STEEPEST), tolerance=1e-2)
    _, share = curve.at(gamma)
    fit = censored_fit(np.ones((len(curve.u), 1)), curve.costs.shifted(_shape(curve.u, gamma, share)))
    middle = math.exp(float(fit.coefficients[0]))
    return FractionLaw(
        x=x,
        gamma=_interval(curve, gamma, -loss, level),
        scale=middle * (1 - share) * center**gamma,
        floor=middle * share,
        spread=fit.spread,
        premises=premises,
        span=span,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """Log costs against centred log shares u; a floor is told as its share of the cost at u = 0."""

    u: FloatArray
    costs: LogCosts

    @classmethod
    def of(cls, u: FloatArray, costs: LogCosts) -> Self:
        """Return the curve with equal runs counted together: an evaluation grid leaves few different ones."""
        rows, times = np.unique(np.column_stack([u, costs.low, costs.high]), axis=0, return_counts=True)
        return cls(
            u=rows[:, 0], costs=LogCosts(low=rows[:, 1], high=rows[:, 2], times=times.astype(np.float64))
        )

    def at(self, gamma: float) -> tuple[float, float]:
        """Return the largest log likelihood at a γ, and the floor's share there."""

        def loss(share: float) -> float:
            shape = _shape(self.u, gamma, share)
            return -censored_fit(np.ones((len(self.u), 1)), self.costs.shifted(shape)).likelihood

        share, least = lowest(loss, (0.0, 1.0), tolerance=1e-3)
        none = loss(0.0)
        return (-none, 0.0) if none <= least else (-least, share)


def _shape(u: FloatArray, gamma: float, share: float) -> FloatArray:
    """Return log((1 - share) exp(-γ u) + share)."""
    with np.errstate(divide="ignore"):
        return np.logaddexp(np.log1p(-share) - gamma * u, np.log(share))


def _interval(curve: _Curve, gamma: float, likelihood: float, level: float) -> Estimate:
    reached = curve.costs.runs_reached
    freedom = max(reached - 3, 1)
    bound = reached * math.log1p(float(stdtrit(freedom, (1 + level) / 2)) ** 2 / freedom)

    def excess(at: float) -> float:
        return 2 * (likelihood - curve.at(at)[0]) - bound

    low, high = (crossing(excess, gamma, end, tolerance=1e-2) for end in (0.0, STEEPEST))
    missing = (
        "an end is unbounded: the floor and the exponent cannot be told apart"
        if None in (low, high)
        else None
    )
    return Estimate(
        value=gamma,
        low=low,
        high=high,
        level=level,
        method="profile likelihood, Student's bound",
        missing=missing,
    )


def _premises(x: str, r: FloatArray, costs: LogCosts) -> tuple[Premise, ...]:
    from scipy import stats  # noqa: PLC0415  half a second, which other answers need not wait

    reached = costs.reached
    met, shown = costs.runs_reached, len(np.unique(r[reached]))
    rank: Any = stats.spearmanr(r[reached], costs.at[reached]) if shown > 1 else None
    up = float(rank.statistic) if rank else math.nan
    return (
        different_values(shown, needed=LEAST_VALUES, of=x),
        Premise(
            name="not mostly censored",
            holds=met >= LEAST_REACHED * len(r) and met >= LEAST_RUNS,
            sentence=f"{met} of {len(r)} runs have reached it; half of them and {LEAST_RUNS} are needed",
        ),
        Premise(
            name="falls with data",
            holds=up < 0 if math.isfinite(up) else None,
            sentence=f"the rank correlation of cost with {x} is {up:.2f}; the law needs it below 0",
        ),
    )
