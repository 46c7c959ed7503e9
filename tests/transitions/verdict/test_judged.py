"""Which curves are dated with a score."""

from types import SimpleNamespace

import pytest

from grokscope.transitions.verdict.detection import _judged_with as judged_with

CURVES = dict.fromkeys(
    ["train/accuracy", "train/loss", "test/accuracy", "test/loss", "val/loss", "norm/total"]
)


@pytest.mark.parametrize(
    ("task", "is_loss", "judged"),
    [
        ("", False, {"train/accuracy", "train/loss", "test/accuracy", "test/loss"}),
        ("sum", False, {"train/accuracy", "train/loss", "test/accuracy"}),
        ("", True, set()),
    ],
)
def test_a_score_dates_the_curves_of_training_and_of_its_own_split(task, is_loss, judged):
    score = SimpleNamespace(split="test", task=task, is_loss=is_loss)
    score.test = SimpleNamespace(metric="test/accuracy")
    assert judged_with([score], CURVES) == judged
