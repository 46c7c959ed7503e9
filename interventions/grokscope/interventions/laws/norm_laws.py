"""Two laws of the delay from the weight norm: norm separation, and first passage.

Both take it that V = ‖θ‖² contracts exponentially after memorization, which is tested in each run.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtrit

from grokscope.interventions.designs.axis import numbers
from grokscope.interventions.estimate import Estimate, exponential
from grokscope.interventions.laws.censored import LogCosts, censored_fit, profile_interval
from grokscope.interventions.laws.contraction import MOSTLY, contracts_sentence
from grokscope.interventions.laws.premise import Premise, refusal
from grokscope.interventions.laws.search import Function, crossing, lowest
from grokscope.interventions.outcomes.costs import CensoredCosts

FloatArray = NDArray[np.float64]

LEAST_RUNS = 6
LEAST_RATIO = 2.0
"""Largest over smallest of what the law multiplies: below, it cannot be told from a constant delay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The names of the columns that hold the learning rate η and the weight decay λ."""

    learning_rate: str
    weight_decay: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NormSeparation:
    """T = c log(V_mem / V_post) / (η λ).

    Attributes:
        constant: c; ½ where nothing but decoupled weight decay moves the norm.
        exponent: Of T against the right side: 1 where the law holds.
        kappa: -slope of log V / (2 η λ), median over runs: how fast the norm contracts by.
        premises: Each with what was found.
        runs: How many were fitted.
    """

    constant: Estimate
    exponent: Estimate
    kappa: float | None
    premises: tuple[Premise, ...]
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPassage:
    """T = log(V_mem / V*) / (2 κ η λ): generalization where the norm first falls to V*.

    Attributes:
        kappa: κ.
        critical: V*.
        spread: Standard deviation of log delay about the law.
        premises: Each with what was found.
        predicted: A row a run whose norm contracts: ``run_id``, ``reached``, ``low``, ``high`` of its delay
            and the law's ``predicted`` one, which is in sample of the runs that were fitted.
        runs: How many were fitted.
    """

    kappa: Estimate
    critical: Estimate
    spread: float | None
    premises: tuple[Premise, ...]
    predicted: pl.DataFrame = field(default_factory=pl.DataFrame)
    runs: int = 0


def norm_separation(
    delays: pl.DataFrame, judged: pl.DataFrame, rates: Rates, *, level: float = 0.95
) -> NormSeparation:
    """Return the law that the delay is the time the norm takes from its value at memorization to that after.

    V_post is the norm at generalization, so the runs that have not generalized cannot count, and the law
    tells little more than that the norm contracts at one rate: it forecasts nothing (2603.13331).

    Args:
        delays: ``DELAYS`` with the columns of ``rates``.
        judged: ``CONTRACTION`` of the same runs.
        rates: What the columns are called.
        level: Of the intervals.

    Raises:
        VariableError: If a column is missing or holds no numbers.
    """
    joined, premises = _joined(delays, judged, rates)
    runs = joined.filter("reached")
    scale = np.log(_product(runs, rates) / (runs["log_start"] - runs["log_end"]).to_numpy())
    premises = (*premises, _enough(runs, np.exp(-scale)))
    refused = refusal(premises)
    if refused:
        nothing = Estimate(value=None, level=level, missing=refused)
        return NormSeparation(
            constant=nothing, exponent=nothing, kappa=None, premises=premises, runs=len(runs)
        )
    costs = LogCosts.of(CensoredCosts.of(runs))
    ones, x = np.ones((len(runs), 1)), -scale
    at_one = costs.shifted(x)
    constant = profile_interval(ones, at_one, censored_fit(ones, at_one), column=0, level=level)
    design: FloatArray = np.column_stack([ones, x - float(np.mean(x))])
    exponent = profile_interval(design, costs, censored_fit(design, costs), column=1, level=level)
    kappa = float(np.median(-runs["slope"].to_numpy() / (2 * _product(runs, rates))))
    return NormSeparation(
        constant=exponential(constant), exponent=exponent, kappa=kappa, premises=premises, runs=len(runs)
    )


def first_passage(
    delays: pl.DataFrame, judged: pl.DataFrame, rates: Rates, *, level: float = 0.95
) -> FirstPassage:
    """Return the law that runs generalize when the norm first falls to a level that all share.

        log T = log(log(V_mem / V*)) - log(2 κ η λ) + σε

    by maximum likelihood, runs that have not generalized counted (2605.18845). Nothing is predicted for runs
    whose norm does not contract.

    Args:
        delays: ``DELAYS`` with the columns of ``rates``.
        judged: ``CONTRACTION`` of the same runs.
        rates: What the columns are called.
        level: Of the intervals.

    Raises:
        VariableError: If a column is missing or holds no numbers.
    """
    runs, premises = _joined(delays, judged, rates)
    premises = (*premises, _enough(runs.filter("reached"), 1 / _product(runs.filter("reached"), rates)))
    refused = refusal(premises)
    if refused:
        nothing = Estimate(value=None, level=level, missing=refused)
        return FirstPassage(kappa=nothing, critical=nothing, spread=None, premises=premises, runs=len(runs))
    passage = _Passage(
        start=runs["log_start"].to_numpy(),
        costs=LogCosts.of(CensoredCosts.of(runs)).shifted(-np.log(2 * _product(runs, rates))),
    )
    depth = passage.best()
    critical = float(np.min(passage.start)) - math.exp(depth)
    fit = censored_fit(np.ones((len(runs), 1)), passage.left(depth))
    predicted = np.log(passage.start - critical) + fit.coefficients[0] - np.log(2 * _product(runs, rates))
    return FirstPassage(
        kappa=passage.kappa(float(fit.coefficients[0]), fit.likelihood, level),
        critical=passage.critical(depth, fit.likelihood, level),
        spread=fit.spread,
        premises=premises,
        predicted=runs.select("run_id", "reached", "low", "high", predicted=pl.Series(np.exp(predicted))),
        runs=len(runs),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passage:
    """Log V at memorization, and log(2 η λ T); V* is told as the log of how far below the lowest it lies."""

    start: FloatArray
    costs: LogCosts

    def left(self, depth: float) -> LogCosts:
        """Return what is left of the log costs for κ and the spread."""
        return self.costs.shifted(np.log(self.start - np.min(self.start) + math.exp(depth)))

    def likelihood(self, depth: float) -> float:
        """Return the largest log likelihood at a depth."""
        return censored_fit(np.ones((len(self.start), 1)), self.left(depth)).likelihood

    def best(self) -> float:
        """Return the depth with the largest."""
        return lowest(lambda depth: -self.likelihood(depth), _DEPTHS)[0]

    def kappa(self, log_scale: float, highest: float, level: float) -> Estimate:
        """Return κ, of which ``log_scale`` is -log, with its profile interval."""
        nothing = np.zeros((len(self.start), 0))

        def excess(at: float) -> float:
            def loss(depth: float) -> float:
                return -censored_fit(
                    nothing, self.left(depth).shifted(np.full(len(self.start), at))
                ).likelihood

            return 2 * (highest + lowest(loss, _DEPTHS)[1]) - self._bound(level)

        ends = _crossings(excess, log_scale, (log_scale - _SCALES, log_scale + _SCALES))
        low, high = (None if end is None else math.exp(-end) for end in reversed(ends))
        return _estimate(math.exp(-log_scale), low, high, level)

    def critical(self, depth: float, highest: float, level: float) -> Estimate:
        """Return V* with the interval that a likelihood ratio does not reject."""
        lowest = float(np.min(self.start))
        ends = _crossings(lambda at: 2 * (highest - self.likelihood(at)) - self._bound(level), depth, _DEPTHS)
        low, high = (None if end is None else math.exp(lowest - math.exp(end)) for end in reversed(ends))
        return _estimate(math.exp(lowest - math.exp(depth)), low, high, level)

    def _bound(self, level: float) -> float:
        reached = self.costs.runs_reached
        freedom = max(reached - 2, 1)
        return reached * math.log1p(float(stdtrit(freedom, (1 + level) / 2)) ** 2 / freedom)


def _crossings(
    excess: Function, inside: float, ends: tuple[float, float]
) -> tuple[float | None, float | None]:
    """Return where ``excess`` crosses 0 on both sides; ``None`` where it does not up to the end."""
    low, high = (crossing(excess, inside, end) for end in ends)
    return low, high


def _estimate(value: float, low: float | None, high: float | None, level: float) -> Estimate:
    missing = "an end is unbounded: the starts are too much alike to tell it" if None in (low, high) else None
    method = "profile likelihood, Student's bound"
    return Estimate(value=value, low=low, high=high, level=level, method=method, missing=missing)


_SCALES = 4.0
"""How far the logarithm of κ is looked for, on both sides."""
_DEPTHS = (-7.0, 4.0)
"""Logarithm of how far log V* may lie below the lowest log V at memorization."""


def _joined(
    delays: pl.DataFrame, judged: pl.DataFrame, rates: Rates
) -> tuple[pl.DataFrame, tuple[Premise, ...]]:
    """Return the runs whose norm contracts and that have both rates above 0, and the premises so far."""
    names = (rates.learning_rate, rates.weight_decay)
    told = delays.with_columns(pl.Series(name, numbers(delays, name)) for name in names)
    both = told.join(judged, on="run_id", how="inner", maintain_order="left")
    share = float(np.mean(judged["contracts"].to_numpy())) if len(judged) else 0.0
    premise = Premise(
        name="the norm contracts",
        holds=share >= MOSTLY,
        sentence=f"{contracts_sentence(judged)}; half are needed",
    )
    positive = pl.all_horizontal(pl.col(name) > 0 for name in names)
    return both.filter(positive & pl.col("contracts")), (premise,)


def _product(runs: pl.DataFrame, rates: Rates) -> FloatArray:
    return (runs[rates.learning_rate] * runs[rates.weight_decay]).to_numpy()


def _enough(runs: pl.DataFrame, times: FloatArray) -> Premise:
    ratio = float(np.max(times) / np.min(times)) if len(times) else 1.0
    return Premise(
        name="enough different runs",
        holds=len(runs) >= LEAST_RUNS and ratio >= LEAST_RATIO,
        sentence=(
            f"{len(runs)} runs that generalized can be used, their times within a factor of {ratio:.2g}; "
            f"{LEAST_RUNS} runs and a factor of {LEAST_RATIO:g} are needed"
        ),
    )
