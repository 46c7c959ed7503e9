"""How often rules pass by chance when one looks after every seed and stops at the first pass."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from grokscope.interventions.clopper_pearson import clopper_pearson
from grokscope.interventions.contrasts.samples import FloatArray, SampleError
from grokscope.interventions.estimate import Estimate

RuleName = Literal["t-test", "margin"]
RUNS = 20_000
"""Experiments that are simulated: some hundredths of a second, to ± 0.3 per cent points at 5 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A test that people repeat as seeds come in.

    Attributes:
        name: ``"t-test"`` passes where the one-sided p, the sd taken from the seeds, is below ``bound``;
            ``"margin"`` where the mean gain times √n is at least ``bound``, which takes the sd as known.
        bound: A p, or a margin in the unit of the values.
        first: Seeds at the first look.
        baseline: Seeds of the other group, which stays as it is; ``None`` where the other side is a fixed
            target. The gain is then divided by √(1/n + 1/baseline) in place of times √n.
    """

    name: RuleName
    bound: float
    first: int = 1
    baseline: int | None = None


T_TEST = Rule(name="t-test", bound=0.01, first=3)
"""p < .01 from three seeds on."""
MARGIN = Rule(name="margin", bound=0.004)
"""(target - mean) √n ≥ .004, the rule of the GPT-2 speedrun; its pairwise form has a ``baseline``."""


def inflation(rule: Rule, *, last: int, sd: float, seed: int = 0, level: float = 0.95) -> Estimate:
    """Return the chance that a rule passes at any look up to ``last`` seeds though there is no gain.

    The true mean lies exactly at the target (or is that of the baseline), and seeds are Gaussian. One look at
    ``last`` seeds alone has the chance ``at_one_look``; what is more is due to peeking.

    Args:
        rule: What is repeated.
        last: Seeds at the last look.
        sd: Standard deviation of a seed, in the unit of the values; a t-test does not depend on it.
        seed: Of the simulation.
        level: Of the interval, which is that of the simulation alone.

    Returns:
        The chance, by simulating ``RUNS`` experiments.

    Raises:
        SampleError: If ``last`` is below the first look, or a number is out of range.

    Source: simulation; Armitage, McPherson & Rowe 1969.

    >>> inflation(T_TEST, last=20, sd=0.001).value < 0.07
    True
    """
    _check(rule, last, sd)
    rng = np.random.default_rng(seed)
    passed = 0
    for rows in np.array_split(np.arange(RUNS), max(1, RUNS * last // 1_000_000)):
        gains = rng.normal(scale=sd, size=(rows.size, last))
        if rule.baseline is not None:
            gains += rng.normal(scale=sd / math.sqrt(rule.baseline), size=(rows.size, 1))
        passed += int(_passes(rule, gains)[:, rule.first - 1 :].any(axis=1).sum())
    low, high = map(float, clopper_pearson(passed, RUNS, level=level))
    return Estimate(value=passed / RUNS, low=low, high=high, level=level, method="simulation")


def at_one_look(rule: Rule, *, sd: float) -> float:
    """Return the chance that a rule passes by chance at one look, fixed beforehand.

    Raises:
        SampleError: If a number is out of range.

    Source: definition; P(N(0, sd²) ≥ bound) of a margin.

    >>> round(at_one_look(MARGIN, sd=0.0015), 4)
    0.0038
    """
    _check(rule, rule.first, sd)
    return rule.bound if rule.name == "t-test" else float(math.erfc(rule.bound / sd / math.sqrt(2)) / 2)


def _passes(rule: Rule, gains: FloatArray) -> NDArray[np.bool_]:
    """Return at which look each experiment passes."""
    n = np.arange(1.0, gains.shape[1] + 1)
    mean = gains.cumsum(axis=1) / n
    width = 1 / n + (0.0 if rule.baseline is None else 1 / rule.baseline)
    if rule.name == "margin":
        return mean / np.sqrt(width) >= rule.bound
    squares = np.maximum((gains**2).cumsum(axis=1) - n * mean**2, 0.0)
    df = np.maximum(n - 1, 1.0)
    error = np.sqrt(squares / df / n)
    return (n > 1) & (mean >= stdtrit(df, 1 - rule.bound) * error)


def _check(rule: Rule, last: int, sd: float) -> None:
    if rule.name not in get_args(RuleName):
        raise SampleError(f"a rule is one of {', '.join(get_args(RuleName))}, got {rule.name!r}")
    least = 2 if rule.name == "t-test" else 1
    if not (least <= rule.first <= last and sd > 0 and rule.bound > 0):
        raise SampleError(
            f"looks go from {least} or more to last, with a positive sd and bound; "
            f"got first={rule.first}, last={last}, sd={sd}, bound={rule.bound}"
        )
    if rule.name == "t-test" and (rule.bound >= 1 or rule.baseline is not None):
        raise SampleError("a t-test has a p below 1 as its bound, and a fixed target")
