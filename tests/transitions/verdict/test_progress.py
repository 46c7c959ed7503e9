"""Any score is judged by what was possible: the same run, told by other scores, is the same run."""

import numpy as np
import polars as pl
import pytest

from grokscope.schemas import Kind, Pattern, Verdict, verdict_from_json
from grokscope.transitions import detect

STEPS = np.unique(np.round(np.geomspace(1, 50_000, 200)).astype(int))
Told = dict[str, np.ndarray]


def risen(middle: float) -> np.ndarray:
    return 1 / (1 + (middle / STEPS) ** 6.0)


TRAIN, TEST = 0.01 + 0.98 * risen(150), 0.01 + 0.98 * risen(5000)
SCORES = {
    "error": (lambda p: 1 - p, ("train/error", "val/error")),
    "per cent": (lambda p: 100 * p, ("train_acc", "val_acc")),
    "F1": (lambda p: p, ("train/f1", "test/f1")),
    "exact match": (lambda p: p, ("train/exact_match", "eval/exact_match")),
    "success rate": (lambda p: p, ("train/success_rate", "eval/success_rate")),
    "R2": (lambda p: p, ("train_r2", "test_r2")),
    "squared error": (lambda p: 7 * (1 - p), ("train/mse", "test/mse")),
    "reward": (lambda p: 40 * p - 20, ("train/reward", "eval/reward")),
    "loss": (lambda p: 4 * (1 - p), ("train/loss", "val/loss")),
}


def frame(curves: Told) -> pl.DataFrame:
    parts = (pl.DataFrame({"metric": name, "step": STEPS, "value": v}) for name, v in curves.items())
    return pl.concat(parts)


def verdict_of(curves: Told) -> Verdict:
    return detect(frame(curves))[0]


@pytest.mark.parametrize("name", SCORES)
def test_grokking_is_grokking_by_any_score(name: str):
    told, (train, test) = SCORES[name]
    verdict = verdict_of({train: told(TRAIN), test: told(TEST)})
    assert verdict.pattern is Pattern.GROKKING
    assert verdict.onset is not None
    assert verdict.onset.low <= 5000 * 9 ** (-1 / 6) <= verdict.onset.high


@pytest.mark.parametrize("name", [name for name in SCORES if name != "loss"])
@pytest.mark.parametrize("top", [0.35, 0.6, 0.89])
def test_what_rises_together_is_comprehension_at_any_level(name: str, top: float):
    told, (train, test) = SCORES[name]
    verdict = verdict_of({train: told(TRAIN), test: told(0.01 + top * risen(170))})
    assert verdict.pattern is Pattern.COMPREHENSION
    assert verdict.delay is None


def test_losses_that_fall_together_are_not_judged_and_the_reason_says_so():
    verdict = verdict_of({"train/loss": 4 - 3 * risen(300), "val/loss": 4 - 2.6 * risen(300)})
    assert verdict.pattern is Pattern.OTHER
    assert verdict.missing[0].startswith("Only losses tell of this run")


def test_a_training_set_that_is_fit_at_its_own_ceiling_can_wait_for_generalization():
    verdict = verdict_of({"train/accuracy": 0.01 + 0.87 * risen(150), "test/accuracy": TEST})
    assert verdict.pattern is Pattern.GROKKING
    assert verdict.memorized is not None
    assert verdict.memorized.step < 400


def test_a_train_curve_that_rises_without_a_fit_beside_a_flat_one_is_other_with_that_reason():
    verdict = verdict_of({"train/accuracy": 0.01 + 0.5 * risen(5000), "test/accuracy": 0.01 + 0 * TEST})
    assert verdict.pattern is Pattern.OTHER
    assert "without being fit" in verdict.missing[-1]


def test_the_training_loss_stands_in_for_a_training_score_that_nobody_logged():
    verdict = verdict_of({"train/loss": 4 * (1 - TRAIN), "val/accuracy": TEST})
    assert verdict.pattern is Pattern.GROKKING


@pytest.mark.parametrize("depth", [0.9, 0.35])
def test_a_large_dip_that_recovers_is_an_event_and_a_small_one_is_none(depth: float):
    test = TEST.copy()
    test[-20:-17] -= depth
    found = [e for e in verdict_of({"train/acc": TRAIN, "test/acc": test}).transitions if e.kind is Kind.DIP]
    assert [e.step for e in found] == ([STEPS[-20]] if depth > 0.5 else [])


def test_a_held_out_curve_that_worsens_while_training_goes_on_is_overfit_at_its_best():
    best = 400
    loss = np.where(best > STEPS, 4 - 2 * STEPS / best, 2 + np.log10(np.maximum(STEPS / best, 1)))
    verdict = verdict_of({"train/loss": 4 * (1 - TRAIN), "val/loss": loss})
    (event,) = [e for e in verdict.transitions if e.kind is Kind.OVERFITTING]
    assert event.low <= best <= event.high


@pytest.mark.parametrize("names", [("{}/train_acc", "{}/test_acc"), ("train/acc_{}", "test/acc_{}")])
def test_every_task_has_its_own_outcome_beside_its_own_training_curve(names: tuple[str, str]):
    curves = {
        names[0].format("add"): TRAIN,
        names[1].format("add"): TEST,
        names[0].format("mul"): TRAIN,
        names[1].format("mul"): 0.01 + 0 * TEST,
    }
    outcomes = {outcome.task: outcome for outcome in verdict_of(curves).outcomes}
    assert {task: outcome.pattern for task, outcome in outcomes.items()} == {
        "add": Pattern.GROKKING,
        "mul": Pattern.MEMORIZATION,
    }


def test_the_headline_is_what_was_drawn_like_the_training_set():
    curves = {"train/acc": TRAIN, "val/acc": 0.01 + 0.95 * risen(160), "test_ood/acc": TEST}
    verdict = verdict_of(curves)
    assert [(o.task, o.pattern) for o in verdict.outcomes] == [
        ("", Pattern.COMPREHENSION),
        ("ood", Pattern.GROKKING),
    ]
    assert verdict.pattern is Pattern.COMPREHENSION


def test_a_loss_for_good_is_dated_where_it_begins_and_not_by_the_last_evaluations():
    rng = np.random.default_rng(0)
    test = TEST.copy()
    late = STEPS > 20_000
    test[late] = np.where(rng.random(late.sum()) < 0.8, 0.2, 1.0)
    begin = STEPS[np.flatnonzero(late & (test < 0.5))[0]]
    for cut in (1, 2, 3, 5):
        cropped = frame({"train/acc": TRAIN, "test/acc": test}).filter(pl.col("step") <= STEPS[-cut])
        (event,) = [e for e in detect(cropped)[0].transitions if e.kind is Kind.COLLAPSE]
        assert event.step == begin


@pytest.mark.parametrize("first", [60.0, 4.0])
def test_an_outlying_first_loss_does_not_make_ordinary_training_late(first: float):
    loss, together = 4 * (1 - TRAIN), 0.01 + 0.9 * risen(200)
    loss[0] = first
    verdict = verdict_of({"train/loss": loss, "val/accuracy": together})
    assert verdict.pattern is Pattern.COMPREHENSION


def test_a_training_loss_that_levels_off_is_no_fit_of_the_training_set():
    verdict = verdict_of({"train/loss": 10 - 7.5 * risen(150), "val/accuracy": 0.25 + 0.25 * risen(5000)})
    assert verdict.memorized is None
    assert verdict.pattern is Pattern.COMPREHENSION


def test_a_held_out_log_that_begins_after_the_fit_and_high_up_tells_no_phase():
    late = frame({"test/acc": 0.6 + 0.2 * np.log10(STEPS) / 5}).filter(pl.col("step") > 1000)
    verdict = detect(pl.concat([frame({"train/acc": TRAIN}), late]))[0]
    assert (verdict.pattern, verdict.onset) == (Pattern.OTHER, None)


def test_word_error_rates_above_one_are_no_per_cent():
    verdict = verdict_of({"train/wer": 1.6 - 1.5 * TRAIN, "val/wer": 1.6 - 1.4 * TEST})
    (outcome,) = verdict.outcomes
    assert outcome.level == pytest.approx(0.2, abs=0.05)
    assert verdict.pattern is Pattern.GROKKING


def test_levels_far_below_what_a_model_without_skill_has_are_told_as_they_are():
    lost = np.where(STEPS < 400, 0.9 * risen(200), -3.0)
    (outcome,) = verdict_of({"train_r2": TRAIN, "test_r2": lost}).outcomes
    assert outcome.level == pytest.approx(-3.0)


def test_what_is_said_of_an_error_rate_says_above_where_that_is_worse():
    error = 1 - TEST
    error[-20:-17] = 0.9
    verdict = verdict_of({"train/error": 1 - TRAIN, "val/error": error})
    texts = " ".join(check.text for event in verdict.transitions for check in event.evidence)
    assert "at 0.90 at worst, above 0.5" in texts
    assert "below 0.20 since" not in texts


def test_the_verdict_of_the_version_before_is_read_as_one_of_schema_1():
    assert verdict_from_json('{"run": "a", "pattern": "grokking"}').schema == 1


def test_the_fit_at_a_ceiling_says_at_which_level_it_was():
    verdict = verdict_of({"train/accuracy": 0.01 + 0.79 * risen(150), "test/accuracy": TEST})
    (event,) = [e for e in verdict.transitions if e.kind is Kind.MEMORIZATION]
    assert event.after == pytest.approx(0.99 * 0.8, abs=0.01)
    assert any("levels off at 0.80" in reason for reason in verdict.missing)


def test_a_score_without_known_ends_goes_after_one_that_has_them():
    flat = 0.01 + 0 * TEST
    curves = {"train/r2": TRAIN, "test/r2": TEST, "train/reward": TRAIN, "test/reward": flat}
    assert verdict_of(curves).outcomes[0].metric == "test/r2"
    curves = {"train/mse": 1 - TRAIN, "test/mse": 1 - TEST, "train/auc": TRAIN, "test/auc": TEST}
    assert verdict_of(curves).outcomes[0].metric == "test/auc"


@pytest.mark.parametrize(("top", "low", "unit"), [(0.9, 0.1, 0.1), (0.9, 0.6, 0.006), (0.4, 0.1, 0.001)])
def test_an_error_beside_per_cent_is_a_share_if_it_starts_high_and_halves(
    top: float, low: float, unit: float
):
    falling = top - (top - low) * risen(5000)
    (outcome,) = verdict_of({"train/error": 100 * (1 - TRAIN), "val/error": falling}).outcomes
    assert outcome.level == pytest.approx(unit, rel=0.05)


def test_a_divergence_says_the_last_level_before_it():
    loss = 4 - 3 * risen(300)
    loss[-20:] = np.nan
    verdict = verdict_of({"train/loss": loss, "val/loss": 4 - 3 * risen(300)})
    (event,) = [e for e in verdict.transitions if e.kind is Kind.DIVERGENCE]
    assert event.before == pytest.approx(loss[-21])


def test_a_score_whose_start_and_best_are_known_goes_before_one_of_which_only_the_best_is():
    curves = {"train/mse": 7 * (1 - TRAIN), "test/mse": 7 * (1 - TEST), "train/r2": TRAIN, "test/r2": TEST}
    assert {event.metric for event in verdict_of(curves).transitions} == {"test/r2"}
