"""Advice on stopping a run: overfitting told from a generalization that may still come."""

import math

import numpy as np
import polars as pl
import pytest

from grokscope.interventions.stopping.advice import OneRunError, advice_on
from grokscope.interventions.stopping.outlook import Outlook
from grokscope.interventions.stopping.synthetic import draw_run
from grokscope.schemas import Date, Kind, Pattern, Transition, Verdict

COUNT = 40
AT = np.linspace(0, 1, COUNT)


def curves(**values):
    """Curves by name, evaluated every 50 steps from 0 on; ``__`` stands for ``/``."""
    frames = [
        pl.DataFrame({"step": 50 * np.arange(len(y)), "value": y}).with_columns(
            metric=pl.lit(name.replace("__", "/"))
        )
        for name, y in values.items()
    ]
    return pl.concat(frames)


def between(*points):
    """Straight lines through (part of the log, value)."""
    return np.interp(AT, *zip(*points, strict=True))


FIT = between((0, 0.01), (0.1, 1.0))
FIT_LOSS = between((0, 4.6), (0.1, 0.05), (1, 1e-4))
AT_CHANCE = np.full(COUNT, 0.01)
RISES = between((0, 4.6), (0.2, 9.0), (1, 9.5))
U_SHAPE = between((0, 4.6), (0.1, 1.5), (0.6, 5.0), (1, 5.5))


def outlook(**values):
    return advice_on(curves(**values)).outlook


def test_accuracy_at_chance_behind_a_fit_training_set_may_still_rise_though_its_loss_rose():
    advice = advice_on(
        curves(train__accuracy=FIT, test__accuracy=AT_CHANCE, train__loss=FIT_LOSS, test__loss=RISES)
    )
    assert advice.outlook is Outlook.MAY_STILL_GENERALIZE
    assert not advice.may_stop
    assert advice.naive.would_stop
    assert "test/loss rose from its first evaluation on (4.6), with no lowest of its own." in advice.evidence


def test_a_plateau_above_chance_is_no_overfitting_while_the_loss_never_fell_with_training():
    plateau = between((0, 0.01), (0.1, 0.35), (1, 0.35))
    shallow = between((0, 4.6), (0.05, 4.4), (0.3, 7.0), (1, 7.0))
    found = outlook(train__accuracy=FIT, test__accuracy=plateau, train__loss=FIT_LOSS, test__loss=shallow)
    assert found is Outlook.MAY_STILL_GENERALIZE


def test_a_loss_that_fell_with_training_and_rose_while_the_accuracy_rests_is_overfitting():
    rests = between((0, 0.01), (0.1, 0.6), (1, 0.6))
    advice = advice_on(
        curves(train__accuracy=FIT, test__accuracy=rests, train__loss=FIT_LOSS, test__loss=U_SHAPE)
    )
    assert advice.outlook is Outlook.OVERFITTING
    assert (advice.metric, advice.because) == (
        "test/loss",
        "test/loss rose from 1.7 at step 200 to 5.45 and stayed there.",
    )
    assert "0 were called so just before" in advice.error_rate


def test_an_accuracy_that_had_learned_and_fell_for_good_is_overfitting():
    falls = between((0, 0.1), (0.15, 0.62), (0.6, 0.5), (1, 0.5))
    advice = advice_on(curves(train_acc=between((0, 0.1), (0.3, 1.0)), val_acc=falls))
    assert advice.because == "val_acc fell from 0.612 at step 300 to 0.5 and stayed there."
    assert advice.may_stop


def test_what_training_loses_too_is_no_overfitting():
    falls = between((0, 0.1), (0.3, 0.9), (0.6, 0.2), (1, 0.2))
    advice = advice_on(curves(train_acc=falls + 0.05, val_acc=falls))
    assert advice.outlook is Outlook.CANNOT_TELL
    assert advice.because.startswith("train_acc lost what it had: 0.872 at best, 0.25 at the end.")


def test_a_rising_loss_is_no_overfitting_while_the_accuracy_still_rises():
    rises = between((0, 0.01), (0.1, 0.5), (1, 0.8))
    found = outlook(train__accuracy=FIT, test__accuracy=rises, train__loss=FIT_LOSS, test__loss=U_SHAPE)
    assert found is Outlook.IMPROVING


def test_a_curve_that_won_back_what_it_had_lost_is_no_overfitting():
    valley = between((0, 0.1), (0.1, 0.62), (0.4, 0.45), (1, 0.61))
    assert outlook(train_acc=between((0, 0.1), (0.3, 1.0)), val_acc=valley) is Outlook.IMPROVING


def test_of_losses_alone_the_one_that_fell_first_overfits_and_the_one_that_only_rose_may_still_fall():
    assert outlook(train_loss=FIT_LOSS, val_loss=U_SHAPE) is Outlook.OVERFITTING
    assert outlook(train_loss=FIT_LOSS, val_loss=RISES) is Outlook.MAY_STILL_GENERALIZE


def test_a_falling_loss_behind_a_fit_training_set_is_no_improvement_while_the_accuracy_rests():
    shrinks = between((0, 4.6), (0.2, 9.0), (1, 5.0))
    values = {"train/accuracy": FIT, "test/accuracy": AT_CHANCE, "train/loss": FIT_LOSS, "test/loss": shrinks}
    advice = advice_on(curves(**values))
    assert advice.outlook is Outlook.MAY_STILL_GENERALIZE
    assert "test/loss fell again from 8.85 at its highest to 5.19." in advice.evidence


def test_pretraining_that_still_improves_goes_on():
    falls = 3 + 8 * np.exp(-8 * AT) + 0.2 * (1 - AT)
    assert outlook(train_loss=falls - 0.05, val_loss=falls) is Outlook.IMPROVING


def test_a_curve_that_follows_training_generalizes():
    follows = between((0, 0.1), (0.3, 0.95), (1, 0.95))
    assert outlook(train_acc=between((0, 0.1), (0.3, 1.0)), val_acc=follows) is Outlook.GENERALIZES


@pytest.mark.parametrize(
    ("values", "because"),
    [
        (
            {"train_acc": FIT[:7], "val_acc": AT_CHANCE[:7]},
            "val_acc has 7 evaluations; below 8 neither can be told",
        ),
        ({"train_acc": FIT, "lr": FIT}, "No held-out curve was found"),
        ({"val_acc": AT_CHANCE}, "No training curve was found"),
        ({"train_acc": AT_CHANCE, "val_acc": AT_CHANCE}, "train_acc has not left its start (0.01)"),
        (
            {"train_loss": FIT_LOSS, "val_loss": [*U_SHAPE, math.inf]},
            "val_loss is no number at the end: it diverged",
        ),
    ],
)
def test_what_cannot_be_told_says_why(values, because):
    advice = advice_on(curves(**values))
    assert advice.outlook is Outlook.CANNOT_TELL
    assert advice.because.startswith(because)


def test_two_held_out_sets_that_disagree_stop_nothing():
    falls = between((0, 0.1), (0.15, 0.62), (0.6, 0.5), (1, 0.5))
    values = {
        "train/accuracy": FIT,
        "test/accuracy": falls,
        "shift:far/accuracy": between((0, 0.01), (1, 0.6)),
    }
    advice = advice_on(curves(**values))
    assert advice.outlook is Outlook.CANNOT_TELL
    assert advice.because.endswith("but shift:far/accuracy gets better: two held-out sets disagree.")


def test_params_the_norm_and_the_verdict_are_evidence():
    norm = between((0, 30.0), (0.5, 50.0), (1, 40.0))
    values = {"train/accuracy": FIT, "test/accuracy": AT_CHANCE, "weights/norm": norm}
    event = Transition(run_id="r", metric="test/loss", kind=Kind.OVERFITTING, step=60, low=50, high=70)
    verdict = Verdict(
        run="r", pattern=Pattern.MEMORIZATION, memorized=Date(step=1, low=1, high=1), transitions=(event,)
    )
    found = advice_on(curves(**values), params={"optimizer.wd": "0.1"}, verdict=verdict)
    assert found.outlook is Outlook.MAY_STILL_GENERALIZE
    assert found.evidence[-4:] == (
        "The weight norm shrank by 13.3% in its last third.",
        "Weight decay is 0.1: it can bring a late generalization.",
        "The detector calls the run memorization.",
        "The detector dates overfitting of test/loss at step 60 (50 to 70).",
    )
    assert str(found).startswith(
        "It may still generalize: what it shows is no ground to stop it. The training set is fit"
    )


def test_advice_is_on_one_run():
    frame = curves(val_acc=FIT).with_columns(run_id=pl.Series(["a", "b"] * (COUNT // 2)))
    with pytest.raises(OneRunError, match="advice is on one run, got 2: a, b"):
        advice_on(frame)


def test_the_unit_of_the_steps_the_order_of_the_rows_and_per_cent_change_nothing():
    frame = draw_run("overfitting", 2)
    plain = advice_on(frame)
    is_share = pl.col("metric").str.to_lowercase().str.contains("acc")
    per_cent = pl.when(is_share).then(100 * pl.col("value")).otherwise("value")
    other = advice_on(frame.with_columns(pl.col("step") * 1000, value=per_cent).reverse())
    assert (
        (plain.outlook, plain.metric) == (other.outlook, other.metric) == (Outlook.OVERFITTING, plain.metric)
    )
