"""Dates against closed forms: onset at 10 %, midpoint at 50 %, and what their intervals promise."""

import numpy as np
import polars as pl
import pytest

from grokscope.schemas import Date, Delay
from grokscope.transitions import detect
from grokscope.transitions.evaluation.synthetic import CurveRecipe, Shape, Spacing, synthetic_run, truth_of


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("width", [0.1, 0.4, 0.8])
def test_onset_and_midpoint_of_a_clean_rise_are_its_closed_form(shape: Shape, width: float):
    recipe = CurveRecipe(evaluations=400, midpoint=4000.0, last_step=60_000, width=width, shape=shape)
    truth, verdict = truth_of(recipe), detect(synthetic_run(recipe))[0]
    assert verdict.onset is not None
    assert verdict.midpoint is not None
    assert verdict.onset.step == pytest.approx(truth.onset, rel=0.03)
    assert verdict.midpoint.step == pytest.approx(truth.midpoint, rel=0.03)


def test_the_onset_is_read_above_the_plateau_and_not_above_chance():
    recipe = CurveRecipe(evaluations=400, plateau=0.4)
    onset = detect(synthetic_run(recipe))[0].onset
    assert onset is not None
    assert onset.step == pytest.approx(truth_of(recipe).onset, rel=0.03)


@pytest.mark.parametrize("spacing", list(Spacing))
def test_intervals_are_never_narrower_than_the_evaluation_grid(spacing: Spacing):
    points = synthetic_run(CurveRecipe(evaluations=40, spacing=spacing, noise=0.01))
    verdict, grid = detect(points)[0], np.sort(points["step"].unique().to_numpy())
    for date in (verdict.memorized, verdict.onset, verdict.midpoint, verdict.generalized):
        assert date is not None
        before = grid[grid < date.step]
        assert date.low <= (before[-1] if len(before) else 0)
        assert date.high >= grid[grid >= date.step][0]


def test_memorization_lies_between_the_evaluation_before_and_the_first_that_stays_at_99_percent():
    steps = [0, 10, 20, 30, 40]
    frame = curves(steps, [0.1, 0.5, 0.985, 0.995, 1.0], [0.1, 0.11, 0.1, 0.12, 0.1])
    assert detect(frame)[0].memorized == Date(step=30, low=20, high=30)


def test_a_train_set_that_is_fit_at_the_first_evaluation_bounds_memorization_from_step_0():
    steps = [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]
    frame = curves(steps, [1.0] * 10, [0.01, 0.02, 0.01, 0.02, 0.01, 0.02, 0.1, 0.7, 0.99, 1.0])
    verdict = detect(frame)[0]
    assert verdict.pattern.value == "grokking"
    assert verdict.memorized == Date(step=100, low=0, high=100)
    assert verdict.missing == ("The training set is fit at the first evaluation: the delay is only bounded.",)


def test_noise_widens_the_interval():
    widths = []
    for noise in (0.0, 0.05, 0.15):
        onset = detect(synthetic_run(CurveRecipe(evaluations=300, width=0.6, noise=noise, seed=1)))[0].onset
        assert onset is not None
        widths.append(np.log(onset.high / onset.low))
    assert widths[0] < widths[1] < widths[2]


def test_intervals_of_synthetic_onsets_cover_the_truth_as_often_as_they_say():
    """200 runs: a true coverage of 95 % gives 181 hits or more with probability 99.8 %."""
    recipes = [
        CurveRecipe(
            evaluations=120 + seed,
            midpoint=2500.0 + 20 * seed,
            last_step=40_000,
            width=0.2 + seed / 500,
            noise=0.02,
            autocorrelation=0.3,
            shape=list(Shape)[seed % 3],
            seed=seed,
        )
        for seed in range(200)
    ]
    points = pl.concat([synthetic_run(r, run_id=f"{i:03d}") for i, r in enumerate(recipes)])
    hits = 0
    for recipe, verdict in zip(recipes, detect(points), strict=True):
        truth = truth_of(recipe).onset
        assert verdict.onset is not None
        assert truth is not None
        hits += verdict.onset.low <= truth <= verdict.onset.high
    assert hits >= 181


def test_intervals_hold_under_noise_that_lasts_from_one_evaluation_to_the_next():
    """150 runs: a true coverage of 90 % gives 123 hits or more with probability 99.8 %."""
    recipes = [
        CurveRecipe(
            evaluations=100 + 2 * seed,
            midpoint=2000.0 + 20 * seed,
            last_step=40_000,
            width=0.2 + seed / 500,
            plateau=0.1,
            noise=0.05,
            autocorrelation=0.9,
            spacing=list(Spacing)[seed % 3],
            seed=seed,
        )
        for seed in range(150)
    ]
    points = pl.concat([synthetic_run(r, run_id=f"{i:03d}") for i, r in enumerate(recipes)])
    pairs = zip(recipes, detect(points), strict=True)
    hits = sum(
        v.onset is not None and v.onset.low <= (truth_of(r).onset or 0) <= v.onset.high for r, v in pairs
    )
    assert hits >= 123


@pytest.mark.parametrize("width", [0.3, 0.5, 0.7])
def test_a_slow_rise_on_a_linear_axis_is_dated_from_its_short_plateau(width: float):
    recipe = CurveRecipe(evaluations=400, spacing=Spacing.LINEAR, last_step=40_000, width=width, plateau=0.3)
    onset = detect(synthetic_run(recipe))[0].onset
    assert onset is not None
    assert onset.step == pytest.approx(truth_of(recipe).onset, rel=0.1)


def test_a_creep_without_a_plateau_has_an_onset_as_wide_as_its_doubt():
    steps = list(range(0, 20_000, 50))
    creep = np.interp(np.log(np.maximum(steps, 1)), np.log([200, 4000, 9000]), [0.1, 0.5, 1.0])
    onset = detect(curves(steps, [float(s > 150) for s in steps], list(creep)))[0].onset
    assert onset is not None
    assert onset.low < 600
    assert onset.high > 4000


def test_the_delay_runs_from_memorization_to_midpoint_on_every_axis_that_was_logged():
    steps = list(range(0, 1000, 100))
    frame = curves(steps, [0.1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0, 1, 1, 1])
    tokens = pl.DataFrame(
        {"metric": "progress/tokens", "step": [0, 900], "value": [0.0, 9000.0]},
        schema_overrides={"step": pl.Int64},
    )
    verdict = detect(pl.concat([frame, tokens]))[0]
    assert verdict.memorized is not None
    assert verdict.midpoint is not None
    steps_apart = verdict.midpoint.step - verdict.memorized.step
    assert verdict.delay == Delay(
        steps=steps_apart,
        ratio=verdict.midpoint.step / verdict.memorized.step,
        tokens=pytest.approx(10.0 * steps_apart),
    )


def curves(steps: list[int], train: list[float], test: list[float]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "metric": ["train/accuracy"] * len(steps) + ["test/accuracy"] * len(steps),
            "step": steps + steps,
            "value": [float(v) for v in train + test],
        }
    )
