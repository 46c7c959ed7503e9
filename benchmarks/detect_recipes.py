"""The synthetic runs that ``detect.py`` judges by, whose truth is known in closed form."""

from dataclasses import replace

import numpy as np
import polars as pl

from grokscope.schemas import Pattern
from grokscope.transitions.evaluation.scoring import Label
from grokscope.transitions.evaluation.synthetic import CurveRecipe, Shape, Spacing, synthetic_run, truth_of

NOISES = {
    "little noise": (0.005, 0.0),
    "noise 0.02": (0.02, 0.0),
    "noise 0.02, autocorrelation 0.9": (0.02, 0.9),
    "noise 0.05, autocorrelation 0.3": (0.05, 0.3),
    "noise 0.05, autocorrelation 0.6": (0.05, 0.6),
    "noise 0.05, autocorrelation 0.9": (0.05, 0.9),
}
"""Family -> size and autocorrelation of the noise."""


def rising(count: int, *, seed: int = 7) -> list[tuple[str, CurveRecipe]]:
    """Return (family, recipe) of runs that grok, on all axes, shapes and plateaus."""
    rng = np.random.default_rng(seed)
    families = [list(NOISES)[i % len(NOISES)] for i in range(count)]
    return [(family, _rising(rng, i, *NOISES[family])) for i, family in enumerate(families)]


def _rising(rng: np.random.Generator, i: int, noise: float, autocorrelation: float) -> CurveRecipe:
    return CurveRecipe(
        evaluations=int(rng.integers(60, 500)),
        spacing=list(Spacing)[i // 6 % 3],
        last_step=40_000,
        midpoint=float(rng.uniform(1500, 6000)),
        width=float(rng.uniform(0.15, 0.6)),
        shape=list(Shape)[i // 18 % 3],
        plateau=float(rng.choice([0.01, 0.1, 0.3, 0.5])),
        noise=noise,
        autocorrelation=autocorrelation,
        seed=i,
    )


def nulls(count: int) -> dict[str, list[CurveRecipe]]:
    """Return family -> ``count`` runs that memorize and never generalize."""
    rng = np.random.default_rng(11)
    noises = (0.002, 0.01, 0.03, 0.05)
    return {
        "memorization": [_null(rng, i, noises, (0.0, 0.3, 0.6), 0.5) for i in range(count)],
        "near chance": [_null(rng, i, noises, (0.0, 0.6), 0.1) for i in range(count)],
        "autocorrelation 0.9": [_null(rng, i, noises, (0.9,), 0.5) for i in range(count)],
        "wandering far": [_null(rng, i, (0.05,), (0.95, 0.99), 0.5) for i in range(count)],
    }


def _null(
    rng: np.random.Generator,
    i: int,
    noises: tuple[float, ...],
    autocorrelations: tuple[float, ...],
    highest: float,
) -> CurveRecipe:
    return CurveRecipe(
        midpoint=None,
        evaluations=int(rng.integers(50, 500)),
        spacing=list(Spacing)[i % 3],
        plateau=float(rng.choice([p for p in (0.01, 0.1, 0.3, 0.5) if p <= highest])),
        noise=float(rng.choice(noises)),
        autocorrelation=float(rng.choice(autocorrelations)),
        seed=i,
    )


def labelled(count: int) -> tuple[pl.DataFrame, list[Label]]:
    """Return points and labels of runs of every pattern."""
    recipes = [_of_some_pattern(i, recipe) for i, (_, recipe) in enumerate(rising(count))]
    return points_of(recipes), [_label(f"{i:05d}", recipe) for i, recipe in enumerate(recipes)]


def _of_some_pattern(i: int, recipe: CurveRecipe) -> CurveRecipe:
    recipe = replace(recipe, noise=min(recipe.noise, 0.02))
    return (
        recipe,
        replace(recipe, midpoint=None),
        replace(recipe, lost_at=25_000.0),
        replace(recipe, midpoint=70.0, plateau=0.01, width=0.3),
        replace(recipe, midpoint=None, memorized_at=None, plateau=0.01),
    )[i // 2 % 5]


def points_of(recipes: list[CurveRecipe]) -> pl.DataFrame:
    return pl.concat([synthetic_run(recipe, run_id=f"{i:05d}") for i, recipe in enumerate(recipes)])


def _label(run: str, recipe: CurveRecipe) -> Label:
    truth = truth_of(recipe)
    onset = None if truth.onset is None else (truth.onset * 0.95, truth.onset * 1.05)
    quiet = truth.pattern in (Pattern.MEMORIZATION, Pattern.CONFUSION)
    return Label(run=run, pattern=truth.pattern, onset=onset, is_negative=quiet)
