"""Synthetic runs whose true dates are known in closed form: for tests, calibration and benchmarks.

A held-out curve is a plateau, an S-shaped rise in log step u, and what the recipe does to it afterwards:

    y(u) = plateau + (top - plateau) F((u - ln midpoint) / s),   s set by the width from 10 % to 90 %
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import polars as pl
from scipy.special import expit, ndtr, ndtri

from grokscope.schemas import Pattern
from grokscope.transitions.curves.noise import autoregressive
from grokscope.transitions.curves.series import Floats, Integers


class Spacing(StrEnum):
    """Where evaluations fall on the step axis."""

    LOG = "log"
    LINEAR = "linear"
    MIXED = "mixed"


class Shape(StrEnum):
    """Distribution function that the rise follows in log step."""

    LOGISTIC = "logistic"
    GOMPERTZ = "gompertz"
    NORMAL = "normal"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveRecipe:
    """How a synthetic run is made.

    Attributes:
        evaluations: How many, at least 2.
        spacing: Where they fall between step 0 and ``last_step``.
        last_step: Step of the last evaluation.
        memorized_at: Step at which train accuracy passes 99 %; ``None``: never.
        midpoint: Step of half the held-out rise; ``None``: it never rises.
        width: From 10 % to 90 % of the rise, in decades of steps.
        shape: The rise's distribution function.
        chance: Held-out accuracy before the train fit.
        plateau: ... and after it, until the rise.
        top: ... and after the rise.
        noise: Standard deviation of the evaluation noise, both curves, before they are cut to 0..1.
        autocorrelation: Of that noise, between one evaluation and the next, in [0, 1).
        dips: Evaluations after the rise that fall to ``chance`` and recover.
        lost_at: Step at which held-out accuracy falls back to ``chance`` for good; ``None``: never.
        seed: Of the noise and the dips.
    """

    evaluations: int = 200
    spacing: Spacing = Spacing.LOG
    last_step: int = 20_000
    memorized_at: float | None = 150.0
    midpoint: float | None = 3_000.0
    width: float = 0.3
    shape: Shape = Shape.LOGISTIC
    chance: float = 0.01
    plateau: float = 0.01
    top: float = 1.0
    noise: float = 0.0
    autocorrelation: float = 0.0
    dips: int = 0
    lost_at: float | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is true of a synthetic run; steps, ``None`` where it did not happen."""

    pattern: Pattern
    memorized: float | None
    onset: float | None
    midpoint: float | None


QUANTILES: Mapping[Shape, Callable[[float], float]] = MappingProxyType(
    {
        Shape.LOGISTIC: lambda p: float(np.log(p / (1 - p))),
        Shape.GOMPERTZ: lambda p: float(-np.log(-np.log(p))),
        Shape.NORMAL: lambda p: float(ndtri(p)),
    }
)
DISTRIBUTIONS: Mapping[Shape, Callable[[Floats], Floats]] = MappingProxyType(
    {
        Shape.LOGISTIC: expit,
        Shape.GOMPERTZ: lambda z: np.exp(-np.exp(-np.maximum(z, -6.0))),
        Shape.NORMAL: ndtr,
    }
)


def truth_of(recipe: CurveRecipe) -> Truth:
    """Return the true dates and pattern of ``recipe``.

    >>> truth_of(CurveRecipe(midpoint=1000.0, width=1.0)).onset.__round__()
    316
    """
    onset = None if recipe.midpoint is None else recipe.midpoint * float(np.exp(_scaled(recipe, 0.1)))
    return Truth(
        pattern=_pattern(recipe), memorized=recipe.memorized_at, onset=onset, midpoint=recipe.midpoint
    )


def synthetic_run(recipe: CurveRecipe, *, run_id: str = "synthetic") -> pl.DataFrame:
    """Return the points of a run made by ``recipe``: train and test accuracy at every evaluation.

    >>> synthetic_run(CurveRecipe(evaluations=7)).shape
    (14, 4)
    """
    rng = np.random.default_rng(recipe.seed)
    steps = evaluation_steps(recipe)
    curves = {"train/accuracy": _train(recipe, steps), "test/accuracy": _test(recipe, steps, rng)}
    frames = [
        pl.DataFrame(
            {
                "run_id": [run_id] * len(steps),
                "metric": [metric] * len(steps),
                "step": steps,
                "value": np.clip(values + _noise(recipe, len(steps), rng), 0.0, 1.0),
            }
        )
        for metric, values in curves.items()
    ]
    return pl.concat(frames)


def evaluation_steps(recipe: CurveRecipe) -> Integers:
    """Return the steps of the evaluations, strictly increasing from 0; fewer where rounding makes them equal.

    >>> evaluation_steps(CurveRecipe(evaluations=4, spacing=Spacing.LINEAR, last_step=300)).tolist()
    [0, 100, 200, 300]
    """
    count, last = recipe.evaluations, recipe.last_step
    even = np.linspace(0, last, count)
    spread: Floats = np.concatenate(([0.0], np.geomspace(1.0, float(last), count - 1)))
    half = count // 2
    mixed = np.concatenate((spread[:half], np.linspace(float(spread[half]), last, count - half)))
    chosen = {Spacing.LINEAR: even, Spacing.LOG: spread, Spacing.MIXED: mixed}[recipe.spacing]
    return np.unique(np.round(chosen).astype(np.int64))


def _pattern(recipe: CurveRecipe) -> Pattern:
    if recipe.memorized_at is None:
        return Pattern.CONFUSION
    if recipe.midpoint is None:
        return Pattern.MEMORIZATION
    if recipe.lost_at is not None:
        return Pattern.COLLAPSE
    return Pattern.GROKKING if recipe.midpoint > 2 * recipe.memorized_at else Pattern.COMPREHENSION


def _scaled(recipe: CurveRecipe, share: float) -> float:
    """Return ln(step / midpoint) at which ``share`` of the rise is done."""
    quantile = QUANTILES[recipe.shape]
    per_unit = recipe.width * np.log(10) / (quantile(0.9) - quantile(0.1))
    return float(per_unit * (quantile(share) - quantile(0.5)))


def _train(recipe: CurveRecipe, steps: Integers) -> Floats:
    if recipe.memorized_at is None:
        return np.full(len(steps), recipe.chance)
    # A logistic that passes 99 % at ``memorized_at`` and takes 0.4 decades from 10 % to 90 %.
    scale = 0.4 * np.log(10) / (2 * np.log(9))
    middle = np.log(recipe.memorized_at) - scale * np.log(99)
    axis = np.log(np.maximum(steps, 1e-9))
    return recipe.chance + (1 - recipe.chance) / (1 + np.exp(-np.clip((axis - middle) / scale, -500, 500)))


def _test(recipe: CurveRecipe, steps: Integers, rng: np.random.Generator) -> Floats:
    fitted = 0.0 if recipe.memorized_at is None else 0.5 * recipe.memorized_at
    values = np.where(steps >= fitted, recipe.plateau, recipe.chance).astype(np.float64)
    if recipe.midpoint is not None:
        values += (recipe.top - recipe.plateau) * _risen(recipe, steps)
        after = np.flatnonzero(values > recipe.plateau + 0.99 * (recipe.top - recipe.plateau))
        if recipe.dips and len(after):
            values[rng.choice(after, size=min(recipe.dips, len(after)), replace=False)] = recipe.chance
    if recipe.lost_at is not None:
        values[steps >= recipe.lost_at] = recipe.chance
    return values


def _risen(recipe: CurveRecipe, steps: Integers) -> Floats:
    """Return the share of the rise that is done at each of ``steps``, shape (n,); none at step 0."""
    if recipe.midpoint is None:
        return np.zeros(len(steps))
    quantile = QUANTILES[recipe.shape]
    unit = recipe.width * np.log(10) / (quantile(0.9) - quantile(0.1))
    z = np.log(np.maximum(steps, 1) / recipe.midpoint) / unit + quantile(0.5)
    return np.where(steps > 0, DISTRIBUTIONS[recipe.shape](z), 0.0)


def _noise(recipe: CurveRecipe, count: int, rng: np.random.Generator) -> Floats:
    """Return stationary AR(1) noise, shape (count,)."""
    fresh = rng.normal(0.0, recipe.noise, size=count)
    return autoregressive(fresh, persistence=recipe.autocorrelation)
