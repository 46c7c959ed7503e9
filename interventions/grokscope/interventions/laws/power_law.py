"""A power law: the cost to a target against one variable, such as weight decay or the learning rate."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import chdtrc, stdtrit

from grokscope.interventions.designs.axis import VariableError, numbers
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.laws.censored import (
    CensoredFit,
    LogCosts,
    censored_fit,
    profile_interval,
)
from grokscope.interventions.laws.premise import Premise, different_values, refusal
from grokscope.interventions.outcomes.costs import CensoredCosts

FloatArray = NDArray[np.float64]

LEAST_VALUES = 3
"""Different values of the variable at which a straight line can be seen to be one."""
LEAST_DECADES = 0.5
"""Span of the variable below which an exponent says little, by default."""
LEAST_REACHED = 0.5
"""Share of the runs that must have reached the target: beyond, the fit is mostly its assumptions."""
LEAST_RUNS = 6
BENT = 0.05
"""A curve bends where a quadratic term is so unlikely by chance."""

RESIDUALS = pl.Schema(
    {
        "run_id": pl.String(),
        "x": pl.Float64(),
        "reached": pl.Boolean(),
        "partial": pl.Float64(),
        "residual_low": pl.Float64(),
        "residual_high": pl.Float64(),
    }
)
"""One row a run that was fitted.

``partial``: its cost with the effects of all but ``x`` taken away, in the unit of the costs.
``residual_low``, ``residual_high``: log cost less the fit, as an interval; the second is null of a run that
has not reached the target.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLaw:
    """T = c x^b, and what it rests on.

    Attributes:
        x: The variable.
        exponent: b; without a number, and with the reason, where a premise fails.
        dropping: The exponent if runs that have not reached the target were dropped: what many report.
        bias: By how much that is off; ``None`` where either is missing.
        spread: Standard deviation of log cost about the law.
        premises: Each with what was found.
        residuals: ``RESIDUALS``.
        span: Smallest and largest value of the variable that was fitted.
        runs, reached: How many were fitted, and how many of them have reached the target.
        caveats: What to know before reading it.
        fit: ``None`` where the law is refused.
    """

    x: str
    exponent: Estimate
    dropping: Estimate
    bias: float | None
    spread: float | None
    premises: tuple[Premise, ...]
    residuals: pl.DataFrame
    span: tuple[float, float]
    runs: int
    reached: int
    caveats: tuple[str, ...]
    fit: CensoredFit | None = None

    def predict(self, value: float, *, level: float = 0.95) -> Estimate:
        """Return the median cost at a value of the variable, groups of ``within`` averaged.

        Outside of the values tried, ``missing`` warns of it: nothing shows that the law goes on.
        """
        fit, low, high = self.fit, *self.span
        if fit is None or not value > 0:
            reason = self.exponent.missing if fit is None else f"{self.x} is above 0, got {value:g}"
            return Estimate(value=None, level=level, missing=reason)
        groups = len(fit.coefficients) - 1
        row = np.append(np.full(groups, 1 / groups), math.log(value / _middle(low, high)))
        freedom = max(self.reached - len(row), 1)
        reach = float(stdtrit(freedom, (1 + level) / 2)) * math.sqrt(row @ fit.covariance @ row)
        middle = float(row @ fit.coefficients)
        beyond = value < low or value > high
        warning = f"extrapolated: {self.x} was tried from {low:g} to {high:g}" if beyond else None
        ends = (math.exp(middle - reach), math.exp(middle + reach))
        return Estimate(
            value=math.exp(middle), low=ends[0], high=ends[1], level=level, method="Wald", missing=warning
        )


def power_law(
    costs: pl.DataFrame,
    *,
    x: str,
    within: Sequence[str] = (),
    decades: float = LEAST_DECADES,
    level: float = 0.95,
) -> PowerLaw:
    """Return the exponent of cost against a variable, runs that have not reached the target counted.

        log T = a_g + b log x + σε,  ε standard normal, g a group of ``within``

    by maximum likelihood: a run that reached the target counts with the probability of its interval, one that
    has not with that of a cost beyond what it has spent. This takes it that each would reach it in the end.

    Args:
        costs: ``COSTS`` with a column of the variable. Runs where it is not above 0 have no logarithm and are
            left out, which is said.
        x: The variable: weight decay, learning rate, data fraction.
        within: Columns whose combinations have a level each, so that they are compared within only.
        decades: Least span of the variable.
        level: Of the intervals.

    Raises:
        VariableError: If a column is missing or holds no numbers.

    >>> costs = pl.DataFrame({"run_id": list("abcdef"), "wd": [0.1, 0.1, 0.3, 0.3, 1.0, 1.0]})
    >>> costs = costs.with_columns(reached=True, high=pl.Series([900.0, 1000, 310, 320, 95, 100]))
    >>> costs = costs.with_columns(low=pl.col("high") - 10, spent=1000.0)
    >>> round(power_law(costs, x="wd").exponent.value, 2)
    -1.01
    """
    for name in within:
        if name not in costs.columns:
            raise VariableError(f"no column {name!r} in these runs; they have {', '.join(costs.columns)}")
    values = numbers(costs, x)
    known = costs.with_columns(pl.Series(x, values)).filter(pl.col(x).is_finite() & (pl.col(x) > 0))
    groups = known.select(pl.concat_str([pl.col(n).cast(pl.String) for n in within])) if within else None
    codes = np.zeros(len(known), int) if groups is None else _codes(groups.to_series())
    tried = known[x].to_numpy()
    log_costs = LogCosts.of(CensoredCosts.of(known))
    span = (float(np.min(tried)), float(np.max(tried))) if len(tried) else (math.nan, math.nan)
    premises = _counted(x, tried, log_costs, codes, decades)
    nothing = Estimate(value=None, level=level, missing=refusal(premises))
    law = PowerLaw(
        x=x,
        exponent=nothing,
        dropping=nothing,
        bias=None,
        spread=None,
        premises=premises,
        residuals=pl.DataFrame(schema=RESIDUALS),
        span=span,
        runs=len(known),
        reached=log_costs.runs_reached,
        caveats=_left_out(x, len(costs) - len(known)),
    )
    if refusal(premises):
        return law
    design = _design(np.log(tried / _middle(*span)), codes)
    return _fitted(law, known, design, log_costs, level)


def _fitted(
    law: PowerLaw, known: pl.DataFrame, design: FloatArray, costs: LogCosts, level: float
) -> PowerLaw:
    fit = censored_fit(design, costs)
    shape, bend = _straight(law, design, costs, fit)
    premises = (*law.premises, shape)
    dropping = _dropping(design, costs, level)
    if shape.holds is False:
        refused = Estimate(value=None, level=level, missing=shape.sentence)
        return replace(law, premises=premises, exponent=refused, dropping=dropping)
    exponent = profile_interval(design, costs, fit, column=design.shape[1] - 1, level=level)
    known_both = exponent.value is not None and dropping.value is not None
    return replace(
        law,
        exponent=exponent,
        dropping=dropping,
        bias=dropping.value - exponent.value if known_both else None,  # pyright: ignore[reportOperatorIssue, reportOptionalOperand]
        spread=fit.spread,
        premises=premises,
        residuals=_residuals(law.x, known, design, costs, fit),
        caveats=(*law.caveats, *bend, *_unreached(law)),
        fit=fit,
    )


def _counted(
    x: str, tried: FloatArray, costs: LogCosts, codes: NDArray[np.int64], decades: float
) -> tuple[Premise, ...]:
    """Return the premises that need no fit."""
    runs, reached = len(tried), costs.reached
    shown = len(np.unique(tried[reached]))
    width = math.log10(np.max(tried)) - math.log10(np.min(tried)) if runs else 0.0
    needed = max(LEAST_RUNS, len(np.unique(codes)) + 3)
    met = costs.runs_reached
    return (
        different_values(shown, needed=LEAST_VALUES, of=x),
        Premise(
            name="span",
            holds=width >= decades - 1e-9,
            sentence=f"{x} spans {width:.2g} decades; {decades:g} are needed for an exponent",
        ),
        Premise(
            name="not mostly censored",
            holds=met >= LEAST_REACHED * runs and met >= needed,
            sentence=f"{met} of {runs} runs have reached the target; half of them and {needed} are needed",
        ),
    )


def _straight(
    law: PowerLaw, design: FloatArray, costs: LogCosts, fit: CensoredFit
) -> tuple[Premise, tuple[str, ...]]:
    """Return whether cost goes one way with the variable, and a caveat where it bends."""
    u = design[:, -1]
    name = "goes one way"
    if len(np.unique(u)) <= LEAST_VALUES - 1:
        return Premise(name=name, holds=None, sentence=f"too few values of {law.x} to see it turn"), ()
    bent = np.column_stack([design, u**2])
    curved = censored_fit(bent, costs)
    p = float(chdtrc(1, max(2 * (curved.likelihood - fit.likelihood), 0.0)))
    slope, bend = (float(each) for each in curved.coefficients[-2:])
    at_ends = [slope + 2 * bend * end for end in (np.min(u), np.max(u))]
    turn = _middle(*law.span) * math.exp(min(max(-slope / (2 * bend), -50.0), 50.0)) if bend else math.inf
    turns = p < BENT and at_ends[0] * at_ends[1] < 0
    told = f"cost turns at {law.x} = {turn:.2g} (p = {p:.2g}): no single exponent"
    goes = f"cost goes one way with {law.x} as far as was tried"
    exponents = f"{at_ends[0]:.2g} to {at_ends[1]:.2g}"
    caveat = f"the law bends (p = {p:.2g}): the exponent goes from {exponents} over the values tried"
    premise = Premise(name=name, holds=not turns, sentence=told if turns else goes)
    return premise, (caveat,) if p < BENT and not turns else ()


def _dropping(design: FloatArray, costs: LogCosts, level: float) -> Estimate:
    """Return the exponent of the runs that reached the target only."""
    kept, reached = costs.only(costs.reached), design[costs.reached]
    reached = reached[:, np.any(reached != 0, axis=0)]
    if len(reached) <= reached.shape[1] or np.linalg.matrix_rank(reached) < reached.shape[1]:
        return Estimate(value=None, level=level, missing="too few runs have reached the target")
    fit = censored_fit(reached, kept)
    return profile_interval(reached, kept, fit, column=reached.shape[1] - 1, level=level)


def _residuals(
    x: str, known: pl.DataFrame, design: FloatArray, costs: LogCosts, fit: CensoredFit
) -> pl.DataFrame:
    fitted = design @ fit.coefficients
    others = design[:, :-1] @ fit.coefficients[:-1]
    partial = np.exp(costs.at - others + np.mean(others))
    columns = (known["run_id"], known[x], costs.reached, partial, costs.low - fitted, costs.high - fitted)
    frame = pl.DataFrame(dict(zip(RESIDUALS, columns, strict=True)), schema=RESIDUALS)
    ends = ("residual_low", "residual_high")
    return frame.with_columns(pl.when(pl.col(end).is_finite()).then(end).alias(end) for end in ends)


def _design(u: FloatArray, codes: NDArray[np.int64]) -> FloatArray:
    return np.column_stack([codes[:, None] == np.unique(codes), u]).astype(np.float64)


def _codes(groups: pl.Series) -> NDArray[np.int64]:
    return groups.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()


def _middle(low: float, high: float) -> float:
    return math.sqrt(low) * math.sqrt(high)


def _left_out(x: str, count: int) -> tuple[str, ...]:
    return (f"{count} runs where {x} is 0 or missing have no logarithm and are left out",) if count else ()


def _unreached(law: PowerLaw) -> tuple[str, ...]:
    count = law.runs - law.reached
    return (f"{count} runs have not reached the target and count as slower, not as never",) if count else ()
