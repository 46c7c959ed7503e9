"""Which curve is the held-out one: one order, whatever the names are."""

import pytest

from grokscope.schemas import held_out, held_out_curves


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (["val/accuracy", "test/accuracy", "train/accuracy"], ["test/accuracy", "val/accuracy"]),
        (["eval_accuracy", "heldout_acc"], ["heldout_acc", "eval_accuracy"]),
        (
            ["shift:b/accuracy", "shift:a/accuracy", "val/accuracy"],
            ["val/accuracy", "shift:a/accuracy", "shift:b/accuracy"],
        ),
        (["piqa/acc", "arc/acc", "train/accuracy"], ["arc/acc", "piqa/acc"]),
        (["train/accuracy", "weights/norm", "my/own", "test/loss"], []),
    ],
)
def test_test_comes_first_then_validation_then_shifted_sets_and_tasks_by_name(names, ordered):
    assert held_out_curves(names, "accuracy") == ordered


def test_the_quantity_is_the_one_that_is_asked_for():
    assert held_out_curves(["val/loss", "test/accuracy", "test/loss"], "loss") == ["test/loss", "val/loss"]


@pytest.mark.parametrize(
    ("evaluations", "chosen"),
    [
        ({"test/accuracy": 9, "val/accuracy": 900}, "test/accuracy"),
        ({"test/accuracy": 1, "val/accuracy": 2}, "val/accuracy"),
        ({"test/accuracy": 0, "val/accuracy": 1}, "val/accuracy"),
        ({"test/accuracy": 0, "val/accuracy": 0}, "test/accuracy"),
        ({"test/accuracy": 1, "shift:far/accuracy": 5, "train/accuracy": 5}, "shift:far/accuracy"),
        ({"arc/acc": 5, "piqa/acc": 5, "train_acc": 5}, "arc/acc"),
        ({"test/accuracy": 1, "shift:far/accuracy": 5}, "test/accuracy"),
        ({"arc/acc": 5, "train/loss": 5}, None),
        ({"train/accuracy": 9, "test/loss": 9}, None),
    ],
)
def test_a_curve_of_two_evaluations_goes_first_and_a_task_only_beside_a_training_curve(evaluations, chosen):
    assert held_out(evaluations, "accuracy") == chosen
