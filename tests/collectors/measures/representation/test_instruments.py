"""The instruments of the representation against the same by hand."""

import pytest
import torch
from torch import nn

from grokscope.collectors.evaluating.forward_pass import Pass, forward_pass
from grokscope.collectors.measures import (
    active_units,
    alignment,
    neural_collapse,
)
from grokscope.collectors.measures.instrument import StepContext
from grokscope.collectors.measures.representation.simplex import class_means, nc3, nc4


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def found(features, targets, classes=4):
    logits = torch.randn(len(features), classes, generator=seeded())
    return Pass(logits=logits, targets=targets, features=features)


def test_collapse_takes_the_classifier_and_decides_by_the_training_means():
    labels = torch.arange(20) % 4
    train = found(torch.randn(20, 3, generator=seeded(1)), labels)
    test = found(torch.randn(20, 3, generator=seeded(2)), labels)
    model = nn.Sequential(nn.Linear(3, 4, bias=False), nn.ReLU(), nn.Linear(4, 4))
    values = neural_collapse()(StepContext(step=0, model=model, passes={"train": train, "test": test}))
    means = [class_means(p.features, labels, classes=4) for p in (train, test)]
    assert torch.equal(values["representation/nc4/test"], nc4(test.features, test.logits, means[0]))
    assert torch.equal(values["representation/nc3/test"], nc3(means[1], model[0].weight))


def test_a_representation_is_compared_with_the_first_reading_and_the_one_before():
    watch, labels = alignment(), torch.zeros(30).long()
    features = [torch.randn(30, 4, generator=seeded(s)) for s in range(2)]
    sequence = [features[0], features[1], 2 * features[1]]
    read = [watch(StepContext(step=0, model=nn.ReLU(), passes={"test": found(f, labels)})) for f in sequence]
    assert read[0] == {}
    assert read[2]["representation/cka_previous/test"].item() == pytest.approx(1)
    assert read[2]["representation/cka_init/test"].item() == pytest.approx(
        read[1]["representation/cka_init/test"].item()
    )


def test_units_are_read_at_the_layers_asked_for():
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU())
    model[0].weight.data.zero_()
    model[0].bias.data = torch.tensor([1.0, -1.0, -1.0, -1.0])
    split = {"train": (torch.zeros(3, 2), torch.zeros(3).long())}
    values = active_units(layers=["1"])(StepContext(step=0, model=model, splits=split))
    assert values["representation/dead_units/1"].item() == 0.75
    with pytest.raises(ValueError, match="'2' is no submodule of Sequential"):
        active_units(layers=["2"])(StepContext(step=0, model=model, splits=split))


def test_a_forward_pass_of_the_tracker_is_enough_for_the_default_instruments():
    model, x, y = nn.Linear(5, 3), torch.randn(32, 5, generator=seeded(3)), torch.arange(32) % 3
    passes = {"test": forward_pass(model, (x, y))}
    assert "representation/nc3/test" in neural_collapse()(StepContext(step=0, model=model, passes=passes))
