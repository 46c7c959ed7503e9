"""Every pattern, told from curves whose truth is known."""

import numpy as np
import polars as pl
import pytest

from grokscope.schemas import Check, Kind, Pattern
from grokscope.transitions import detect
from grokscope.transitions.evaluation.synthetic import CurveRecipe, Spacing, synthetic_run

GROKKING = CurveRecipe(noise=0.01)
RECIPES = {
    "grokking": (GROKKING, Pattern.GROKKING),
    "grokking from a plateau far above chance": (CurveRecipe(plateau=0.4, noise=0.01), Pattern.GROKKING),
    "grokking where chance is a half": (CurveRecipe(chance=0.5, plateau=0.5, noise=0.01), Pattern.GROKKING),
    "grokking with dips that recover": (CurveRecipe(dips=2, noise=0.01), Pattern.GROKKING),
    "grokking under heavy noise": (CurveRecipe(noise=0.1, autocorrelation=0.3), Pattern.GROKKING),
    "grokking on real data that tops out below 95 %": (CurveRecipe(plateau=0.3, top=0.93), Pattern.GROKKING),
    "grokking in a log of seven evaluations": (
        CurveRecipe(evaluations=7, spacing=Spacing.LINEAR, last_step=600, midpoint=350.0, memorized_at=80.0),
        Pattern.GROKKING,
    ),
    "comprehension": (CurveRecipe(midpoint=100.0, noise=0.01), Pattern.COMPREHENSION),
    "memorization": (CurveRecipe(midpoint=None, noise=0.01), Pattern.MEMORIZATION),
    "memorization of two classes": (
        CurveRecipe(midpoint=None, chance=0.5, plateau=0.5, noise=0.02),
        Pattern.MEMORIZATION,
    ),
    "a rise with the fit to a low level": (
        CurveRecipe(midpoint=None, plateau=0.4, noise=0.02),
        Pattern.COMPREHENSION,
    ),
    "confusion": (CurveRecipe(memorized_at=None, midpoint=None, noise=0.01), Pattern.CONFUSION),
    "permanent collapse": (CurveRecipe(lost_at=12_000.0, noise=0.01), Pattern.COLLAPSE),
}


@pytest.mark.parametrize("name", RECIPES)
def test_each_pattern_is_told_from_its_curves(name: str):
    recipe, pattern = RECIPES[name]
    verdict = detect(synthetic_run(recipe))[0]
    assert verdict.pattern is pattern
    assert not verdict.in_progress


def test_a_verdict_names_its_program_its_rule_and_its_run():
    verdict = detect(synthetic_run(GROKKING, run_id="a"))[0]
    assert (verdict.run, verdict.definition, verdict.detector) == ("a", "s-curve", "grokscope 0.1.0")


def test_verdicts_are_sorted_by_run_and_there_is_one_a_run():
    frame = pl.concat([synthetic_run(GROKKING, run_id=name) for name in ("b", "a", "c")])
    assert [verdict.run for verdict in detect(frame)] == ["a", "b", "c"]


def test_events_come_in_order_of_step_with_memorization_before_generalization():
    kinds = [event.kind for event in detect(synthetic_run(GROKKING))[0].transitions]
    assert kinds == [Kind.MEMORIZATION, Kind.GENERALIZATION]


def test_the_collapse_is_dated_where_accuracy_is_lost_for_good():
    verdict = detect(synthetic_run(CurveRecipe(lost_at=12_000.0, dips=1)))[0]
    collapse = verdict.transitions[-1]
    assert collapse.kind is Kind.COLLAPSE
    assert collapse.low <= 12_000 <= collapse.high
    assert collapse.evidence == (Check(name="permanent", text="ends at 0.01 after 1.00"),)


def test_deep_dips_again_and_again_are_a_chronic_collapse():
    points = synthetic_run(CurveRecipe(evaluations=400, spacing=Spacing.LINEAR, dips=50))
    collapse = detect(points)[0].transitions[-1]
    assert collapse.kind is Kind.COLLAPSE
    assert [check.name for check in collapse.evidence] == ["chronic"]


def test_noise_around_the_top_is_no_chronic_collapse():
    assert detect(synthetic_run(CurveRecipe(noise=0.2, seed=3)))[0].pattern is Pattern.GROKKING


def test_train_accuracy_that_dies_is_a_collapse_without_generalization():
    steps = np.arange(0, 2000, 10)
    frame = accuracies(steps, np.where((steps > 200) & (steps < 900), 1.0, 0.1), np.full(len(steps), 0.02))
    verdict = detect(frame)[0]
    assert verdict.pattern is Pattern.COLLAPSE
    assert [event.kind for event in verdict.transitions] == [Kind.MEMORIZATION, Kind.COLLAPSE]
    assert verdict.transitions[1].metric == "train/accuracy"


def test_a_grokked_run_that_is_ungrokked_from_its_first_evaluation_is_a_collapse():
    steps = np.arange(1000, 3000, 20)
    verdict = detect(accuracies(steps, np.ones(len(steps)), np.where(steps < 2000, 0.99, 0.2)))[0]
    assert verdict.pattern is Pattern.COLLAPSE
    assert verdict.onset is None


def test_a_partial_rise_that_reverts_is_a_collapse_and_no_generalization():
    steps = np.arange(0, 4000, 20)
    bump = 0.6 * np.exp(-(((steps - 2000) / 500) ** 2))
    verdict = detect(accuracies(steps, np.where(steps > 100, 1.0, 0.1), bump))[0]
    assert verdict.pattern is Pattern.COLLAPSE
    assert [event.kind for event in verdict.transitions] == [Kind.MEMORIZATION, Kind.COLLAPSE]
    assert any("fell back" in reason for reason in verdict.missing)


def test_the_validation_curve_serves_where_there_is_no_test_curve():
    frame = synthetic_run(GROKKING).with_columns(pl.col("metric").replace({"test/accuracy": "val_acc"}))
    verdict = detect(frame)[0]
    assert verdict.pattern is Pattern.GROKKING
    assert verdict.transitions[-1].metric == "val/accuracy"


def accuracies(steps: np.ndarray, train: np.ndarray, test: np.ndarray) -> pl.DataFrame:
    frames = [
        pl.DataFrame({"metric": name, "step": steps, "value": values})
        for name, values in (("train/accuracy", train), ("test/accuracy", test))
    ]
    return pl.concat(frames)
