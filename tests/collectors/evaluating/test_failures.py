"""Splits, measures and weights stand alone: what fails costs itself, is said at once, and is counted."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.evaluating.model_evaluator import ModelEvaluator
from grokscope.collectors.failures import Failures
from grokscope.collectors.testing import MemorySink

X = torch.randn(10, 4, generator=torch.Generator().manual_seed(0))
Y = torch.arange(10) % 3


def broken(context):
    raise ValueError("a measure of the user's")


def test_what_fails_costs_only_itself_and_is_counted():
    model, said = nn.Linear(4, 3), []
    how = Measuring(defaults=False, budget=1e9)
    failures = Failures(said.append)
    options = {"how": how, "warn": said.append, "failures": failures}
    held = ModelEvaluator(model, None, is_due=lambda: True, measures=[broken, good], **options)
    for step in (0, 5):
        splits = {"train": (X, Y), "valid": (1, 2, 3), "test_ood": (X, Y), "a/b": (X, Y)}
        values = held.measure(step, splits)
        loss = cross_entropy(model(X), Y).item()
        assert {key: v for key, v in values.items() if key.endswith("/loss")} == pytest.approx(
            {"train/loss": loss, "shift:test_ood/loss": loss}, rel=1e-5
        )
        assert values["mine/step"] == step
        assert "weights/norm" in values
    parts = {part: count for part, (count, _) in failures.counted.items()}
    assert parts == {"the split 'a/b'": 2, "the split 'val'": 2, "broken": 2}
    assert failures.counted["broken"][1] == (
        'broken could not be measured (ValueError("a measure of the user\'s"))'
    )
    told = ["the split 'a/b'", "the split 'val'", "broken"]
    assert [sentence.split(" could")[0] for sentence in said] == 2 * told


def good(context):
    return {"mine/step": float(context.step)}


def test_the_distance_of_a_layer_that_is_added_later_counts_from_there_and_that_is_said(capsys):
    model = nn.Sequential(nn.Linear(4, 4))
    tracker = Tracker(model, experiment="e", sink=MemorySink(), measuring=Measuring(defaults=False))
    model.append(nn.Linear(4, 3))
    with torch.no_grad():
        model[0].bias += 1
    for step in range(2):
        values = tracker.evaluate(step, train=(X, Y))
        assert values["weights/distance_from_init"] == pytest.approx(2.0)
        every = torch.cat([parameter.flatten() for parameter in model.parameters()])
        assert values["weights/norm"] == pytest.approx(every.norm().item())
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "distances from the start are counted from step 0 for 1.weight, 1.bias: new there, or of" in error


def test_all_names_that_people_give_their_splits_are_measured_together():
    data, names = (X, Y), ("train", "valid", "holdout", "val1", "test_ood", "train_eval")
    tracker = Tracker(nn.Linear(4, 3), experiment="e", sink=MemorySink())
    values = tracker.evaluate(0, **dict.fromkeys(names, data))
    splits = [key.removesuffix("/accuracy") for key in values if key.endswith("/accuracy")]
    assert splits == ["train", "val", "test", "shift:val1", "shift:test_ood", "train_eval"]
