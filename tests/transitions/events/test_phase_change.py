"""Abrupt changes of curves that no train accuracy goes with, and the ordinary learning that is none."""

import numpy as np
import polars as pl
import pytest

from grokscope.schemas import Date, Kind, Pattern
from grokscope.transitions import detect
from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.phase_change import PhaseChange, is_turn_of_epoch
from grokscope.transitions.events.phase_change import _level_since as level_since

CHECKPOINTS = np.array(
    [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 3000, *range(13_000, 143_001, 10_000)]
)
DENSE = np.unique(np.round(np.geomspace(1, 50_000, 400)).astype(int))


def test_emergence_on_a_benchmark_is_dated_where_it_leaves_its_plateau():
    values = 0.6 / (1 + (2500 / np.maximum(CHECKPOINTS, 0.5)) ** 2.5)
    verdict = detect(curve("lambada/acc", CHECKPOINTS, values))[0]
    (event,) = verdict.transitions
    assert verdict.pattern is Pattern.OTHER
    assert (event.kind, event.metric) == (Kind.PHASE_CHANGE, "lambada/acc")
    assert event.step == pytest.approx(2500 * 9 ** (-1 / 2.5), rel=0.1)  # 10 % of the rise
    assert event.low <= 1000
    assert event.high == 3000


def test_a_loss_that_rests_on_a_plateau_and_drops_is_a_phase_change():
    rng = np.random.default_rng(0)
    loss = 2.0 + 3.0 * np.exp(-DENSE / 50) - 1.2 / (1 + (4000 / DENSE) ** 9) + rng.normal(0, 0.02, len(DENSE))
    (event,) = detect(curve("train/loss", DENSE, loss))[0].transitions
    truth = 4000 * 9 ** (-1 / 9)  # 10 % of the drop
    assert event.kind is Kind.PHASE_CHANGE
    assert event.step == pytest.approx(truth, rel=0.1)
    assert event.low <= truth <= event.high
    assert event.before is not None
    assert event.after is not None
    assert event.before == pytest.approx(2.0, abs=0.05)
    assert event.after == pytest.approx(0.8, abs=0.15)


def test_every_drop_of_a_staircase_is_an_event():
    rng = np.random.default_rng(3)
    first, second = (0.8 / (1 + (middle / DENSE) ** 20) for middle in (1500, 15_000))
    loss = 2.0 + 2.5 * np.exp(-DENSE / 50) - first - second + rng.normal(0, 0.02, len(DENSE))
    events = detect(curve("train/loss", DENSE, loss))[0].transitions
    truths = [middle * 9 ** (-1 / 20) for middle in (1500, 15_000)]
    assert [event.step for event in events] == pytest.approx(truths, rel=0.05)


@pytest.mark.parametrize("name", ["power law", "warm-up knee", "one-step spikes", "cool-down", "noise"])
def test_ordinary_pretraining_is_silent(name: str):
    rng = np.random.default_rng(1)
    power = 2.5 + 8.5 * (1 + DENSE / 100) ** -0.45 + rng.normal(0, 0.02, len(DENSE))
    shapes = {
        "power law": power,
        "warm-up knee": np.where(DENSE < 20, 11.0 - DENSE / 40, power),
        "one-step spikes": power + 3.0 * (rng.random(len(DENSE)) < 0.02),
        "cool-down": power - 0.15 * np.clip((DENSE - 40_000) / 10_000, 0, 1),
        "noise": 0.5 + rng.normal(0, 0.05, len(DENSE)),
    }
    assert detect(curve("val/loss", DENSE, shapes[name]))[0].transitions == ()


def test_curves_that_change_together_are_one_event_on_the_clearest_of_them():
    rng = np.random.default_rng(2)
    clean = 0.6 / (1 + (2500 / np.maximum(CHECKPOINTS, 0.5)) ** 2.5)
    noisy = 0.25 + clean + rng.normal(0, 0.01, len(CHECKPOINTS))
    frame = pl.concat([curve("b/acc", CHECKPOINTS, noisy), curve("a/acc", CHECKPOINTS, clean)])
    assert [event.metric for event in detect(frame)[0].transitions] == ["a/acc"]


def test_a_loss_that_drops_at_the_turn_of_an_epoch_has_only_seen_its_examples_before():
    steps = np.arange(10, 4001, 10)
    stairs = 1.4 - 0.3 * np.floor((steps - 1) / 1000) + np.random.default_rng(0).normal(0, 0.005, len(steps))
    epochs = curve("epoch", steps, steps / 1000)
    train, held_out = (pl.concat([curve(name, steps, stairs), epochs]) for name in ("train/loss", "val/loss"))
    assert detect(train)[0].transitions == ()
    assert [event.kind for event in detect(held_out)[0].transitions] == [Kind.PHASE_CHANGE] * 3


@pytest.mark.parametrize(("metric", "low", "high"), [("x/acc", 0.0, 0.03), ("val/loss", 3.85, 3.83)])
def test_a_change_too_small_to_matter_is_none_however_abrupt(metric: str, low: float, high: float):
    values = np.where(DENSE < 3000, low, high)
    assert detect(curve(metric, DENSE, values))[0].transitions == ()


def test_losses_beside_scores_that_date_the_rise_tell_nothing_of_their_own():
    rise = 1 / (1 + (2500 / DENSE) ** 9.0)
    names = ("train/accuracy", "test/accuracy", "train/loss", "test/loss")
    frame = pl.concat([curve(name, DENSE, rise if "acc" in name else 4 - 4 * rise) for name in names])
    verdict = detect(frame)[0]
    assert verdict.pattern is Pattern.COMPREHENSION
    assert {(event.kind, event.metric) for event in verdict.transitions} == {
        (Kind.MEMORIZATION, "train/accuracy"),
        (Kind.GENERALIZATION, "test/accuracy"),
    }


def test_a_metric_whose_better_side_is_unknown_has_no_phase_change():
    values = 0.6 / (1 + (2500 / np.maximum(CHECKPOINTS, 0.5)) ** 2.5)
    assert detect(curve("weights/norm", CHECKPOINTS, values))[0].transitions == ()


def curve(metric: str, steps: np.ndarray, values: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame({"metric": metric, "step": steps, "value": values})


@pytest.mark.parametrize(("width", "count"), [(0.8, 1), (1.0, 0)])
def test_a_rise_that_takes_over_a_third_of_its_plateau_is_none(width: float, count: int):
    steps = np.unique(np.geomspace(1, 1e6, 240).astype(int))
    rise = 0.8 / (1 + np.exp(-2 * (np.log10(steps) - 4) / width))
    assert len(detect(curve("lambada/acc", steps, rise))[0].transitions) == count


def test_levels_are_level_since_the_last_that_was_outside_the_band():
    assert level_since(np.array([0.0, 0.0, 1.0, 0.0, 1.0, 1.0]), 0.1) == 4
    assert level_since(np.ones(4), 0.1) == 0


def test_the_level_after_a_change_is_that_of_the_first_evaluations_that_have_it():
    steps = np.array([0, *2 ** np.arange(10), *2 ** np.arange(10, 15)])
    values = np.array([0.0] * 11 + [0.38, 0.4, 0.42, 0.44, 0.44])
    (event,) = detect(curve("lambada/acc", steps, values))[0].transitions
    assert (event.before, event.after) == (0.0, pytest.approx(0.38))


@pytest.mark.parametrize("points", [0, 1])
def test_without_epochs_that_pass_no_change_is_the_stair_of_one(points: int):
    at = Date(step=1000, low=995, high=1005)
    stair = PhaseChange(metric="train/loss", onset=at, midpoint=at, before=2.0, after=1.5, clarity=9.0)
    epochs = Curve(metric="progress/epochs", steps=np.arange(points), values=np.full(points, 0.5))
    assert not is_turn_of_epoch(stair, epochs)


def test_the_ground_is_what_lies_near_its_last_level():
    assert level_since(np.array([0.0, 5.0, 2.0, 0.0]), 1.0) == 3
