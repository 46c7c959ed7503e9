"""Logs that begin late, or are so sparse that little lies between train fit and completion."""

import numpy as np
import polars as pl
import pytest

from grokscope.schemas import Kind, Pattern, Verdict
from grokscope.transitions import detect

EPOCHS = np.arange(1, 13)
FIT = np.ones(12)


def judged(train: np.ndarray, test: np.ndarray, steps: np.ndarray = EPOCHS * 100) -> Verdict:
    frames = [
        pl.DataFrame({"metric": name, "step": steps, "value": values})
        for name, values in (("train/accuracy", train), ("test/accuracy", test))
    ]
    return detect(pl.concat(frames))[0]


def test_a_log_that_begins_at_the_foot_of_a_rise_dates_its_onset_from_step_0_on():
    verdict = judged(FIT, np.array([0.15, 0.6, 0.9, 0.97, 0.98, 0.99, *np.ones(6)]))
    assert verdict.pattern is Pattern.GROKKING
    assert verdict.onset is not None
    assert verdict.onset.low == 0
    assert verdict.onset.step <= 200


def test_a_rise_that_ends_at_three_times_the_first_step_is_delayed_however_early_the_fit_was():
    verdict = judged(FIT, np.array([0.52, 0.63, 0.82, 0.93, 0.97, 0.98, 0.99, *np.ones(5)]))
    assert (verdict.pattern, verdict.onset) == (Pattern.GROKKING, None)
    assert any("no onset is given" in reason for reason in verdict.missing)


def test_a_rise_that_the_log_only_sees_the_end_of_tells_no_phase():
    late = EPOCHS * 10 + 1000
    verdict = judged(FIT, np.array([0.52, 0.63, 0.82, 0.93, 0.97, 0.98, 0.99, *np.ones(5)]), late)
    assert (verdict.pattern, verdict.onset) == (Pattern.OTHER, None)


@pytest.mark.parametrize(
    ("first_step", "pattern"), [(1, Pattern.COMPREHENSION), (0, Pattern.OTHER)], ids=["epoch 1", "pretrained"]
)
def test_what_generalizes_from_the_first_epoch_on_was_learned_with_the_fit(first_step: int, pattern: Pattern):
    train = np.array([0.9, 0.93, 0.96, 0.98, *np.ones(8)])
    assert judged(train, np.full(12, 0.97), EPOCHS - 1 + first_step).pattern is pattern


def test_three_times_the_fit_is_a_wait_of_its_own_however_few_evaluations_saw_it():
    steps = np.array([0, 50, 100, 200, 400, 800, 1600, 3200, 6400])
    train = np.array([0.01, 0.4, 0.97, *np.ones(6)])
    verdict = judged(train, np.array([0.01, 0.2, 0.33, 0.34, 0.36, 0.98, *np.ones(3)]), steps)
    (rise,) = (event for event in verdict.transitions if event.kind is Kind.GENERALIZATION)
    assert verdict.pattern is Pattern.GROKKING
    assert rise.before == pytest.approx(0.34, abs=0.02)
    assert verdict.onset is not None
    assert 400 <= verdict.onset.step <= 800


def test_a_sparse_log_counts_the_level_at_the_fit_and_not_the_next_one():
    steps = np.array([0, 10, 20, 40, 400, 800, 1200, 1600, 2000])
    train = np.array([0.5, 0.7, 0.9, *np.ones(6)])
    assert judged(train, np.array([0.5, 0.5, 0.55, 0.6, *np.ones(5)]), steps).pattern is Pattern.GROKKING


def test_a_fast_rise_with_a_long_creep_begins_where_the_log_does():
    steps = np.arange(0, 20_000, 100)
    test = np.where(steps == 0, 0.1, 0.97 - 0.05 * np.exp(-steps / 3000))
    verdict = judged(np.where(steps == 0, 0.1, 1.0), test, steps)
    assert verdict.pattern is Pattern.COMPREHENSION
    assert verdict.onset is not None
    assert (verdict.onset.low, verdict.onset.high) == (0, 100)


def test_one_evaluation_of_the_test_set_leaves_the_verdict_to_the_validation_set():
    last = pl.DataFrame({"metric": ["test_acc"], "step": [1200], "value": [0.99]})
    curves = [
        pl.DataFrame({"metric": name, "step": EPOCHS * 100, "value": values})
        for name, values in (("train_acc", FIT), ("val_acc", np.array([*np.full(8, 0.02), *np.ones(4)])))
    ]
    verdict = detect(pl.concat([*curves, last]))[0]
    assert verdict.pattern is Pattern.GROKKING
    assert verdict.transitions[-1].metric == "val/accuracy"


@pytest.mark.parametrize(("first_step", "pattern"), [(1, Pattern.GROKKING), (0, Pattern.COMPREHENSION)])
def test_a_late_log_that_begins_at_a_ceiling_begins_fit_and_one_from_step_0_does_not(first_step, pattern):
    steps = EPOCHS - 1 + first_step
    train = 0.91 + 0.002 * np.cos(np.arange(12))
    test = np.array([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4, 0.8, 0.9, 0.9, 0.9, 0.9])
    assert judged(train, test, steps).pattern is pattern


@pytest.mark.parametrize("first", [0, 1], ids=["from the start", "without the first evaluation"])
def test_losses_that_come_back_to_where_they_began_and_below_are_a_delayed_generalization(first: int):
    steps = np.concatenate(([0], np.unique(np.geomspace(3000, 400_000, 60).astype(int))))
    up, down = (1 / (1 + np.exp(-4 * np.log(np.maximum(steps, 1) / at))) for at in (3000, 70_000))
    held_out = 3.0 + 5.0 * up - 7.8 * down
    train = np.where(steps < 3000, 3.0, 0.001)
    frames = [
        pl.DataFrame({"metric": name, "step": steps[first:], "value": values[first:]})
        for name, values in (("train/loss", train), ("test/loss", held_out))
    ]
    assert detect(pl.concat(frames))[0].pattern is Pattern.GROKKING


@pytest.mark.parametrize(("done", "pattern"), [(299, Pattern.COMPREHENSION), (300, Pattern.GROKKING)])
def test_a_rise_that_is_done_at_three_times_the_fit_is_late_and_one_just_before_is_not(done: int, pattern):
    steps = np.array([1, 50, 100, 150, done, *range(350, 850, 100)])
    train, test = np.array([0.1, 0.5, *np.ones(8)]), np.array([*np.full(4, 0.1), *np.ones(6)])
    assert judged(train, test, steps).pattern is pattern
