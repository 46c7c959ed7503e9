"""The generators keep what they promise."""

import numpy as np
import polars as pl
import pytest

from grokscope.transitions.evaluation.synthetic import (
    CurveRecipe,
    Shape,
    Spacing,
    evaluation_steps,
    synthetic_run,
    truth_of,
)


@pytest.mark.parametrize("shape", list(Shape))
def test_the_curve_passes_10_and_50_percent_of_its_rise_where_the_truth_says(shape: Shape):
    recipe = CurveRecipe(shape=shape, evaluations=4000, plateau=0.2)
    truth = truth_of(recipe)
    run = synthetic_run(recipe).filter(metric="test/accuracy")
    at = np.interp([truth.onset, truth.midpoint], run["step"], run["value"])
    assert at == pytest.approx([0.2 + 0.1 * 0.8, 0.2 + 0.5 * 0.8], abs=0.005)


@pytest.mark.parametrize("spacing", list(Spacing))
def test_evaluations_increase_from_0_to_the_last_step(spacing: Spacing):
    steps = evaluation_steps(CurveRecipe(spacing=spacing, evaluations=50, last_step=5000))
    assert (steps[0], steps[-1]) == (0, 5000)
    assert np.all(np.diff(steps) > 0)


def test_noise_has_the_deviation_and_the_autocorrelation_asked_for():
    recipe = CurveRecipe(
        evaluations=20_000,
        spacing=Spacing.LINEAR,
        last_step=10**6,
        midpoint=None,
        plateau=0.5,
        chance=0.5,
        noise=0.05,
        autocorrelation=0.6,
    )
    noise = synthetic_run(recipe).filter(metric="test/accuracy")["value"].to_numpy() - 0.5
    assert np.std(noise) == pytest.approx(0.05, rel=0.05)
    assert np.corrcoef(noise[1:], noise[:-1])[0, 1] == pytest.approx(0.6, abs=0.05)


def test_the_same_seed_gives_the_same_run_and_another_one_does_not():
    one, two, other = (synthetic_run(CurveRecipe(noise=0.1, seed=seed)) for seed in (1, 1, 2))
    assert one.equals(two)
    assert not one.equals(other)


def test_training_passes_99_percent_where_the_recipe_says_and_takes_0_4_decades_from_10_to_90_percent():
    recipe = CurveRecipe(evaluations=4000, memorized_at=500.0, chance=0.0)
    run = synthetic_run(recipe).filter(pl.col("step") > 0, metric="train/accuracy")
    ten, ninety, memorized = np.interp([0.1, 0.9, 0.99], run["value"], np.log10(run["step"]))
    assert ninety - ten == pytest.approx(0.4, abs=0.01)
    assert memorized == pytest.approx(np.log10(500.0), abs=0.01)


def test_as_many_evaluations_dip_as_the_recipe_says():
    run = synthetic_run(CurveRecipe(evaluations=200, dips=20)).filter(metric="test/accuracy")
    risen = run.filter(pl.col("step") > 5_000)
    clear = synthetic_run(CurveRecipe(evaluations=200)).filter(metric="test/accuracy")
    assert (run["value"] != clear["value"]).sum() == 20
    assert risen["value"].min() == 0.01
