"""The instruments of a split's logits and losses against the same by hand."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from grokscope.collectors.evaluating.forward_pass import Pass
from grokscope.collectors.measures import (
    early_loss,
    in_context,
    layer_margins,
    slices,
)
from grokscope.collectors.measures.instrument import StepContext


def test_early_losses_speak_once_and_are_kept_as_they_were():
    watch, loss, context = early_loss(steps=4), torch.zeros(()), StepContext(step=0, model=nn.ReLU())
    for value in (1.0, 3.0, 1.0, 3.0, 100.0):
        watch.see(loss.fill_(value))
    assert watch(context)["train/early_activity"].item() == 1
    watch.see(5.0)
    assert watch(context) == {}


def test_a_context_is_scored_where_every_target_is_there():
    targets = torch.arange(12).view(2, 6) % 4
    logits = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
    passes = {"test": Pass(logits=logits, targets=targets.flatten(), features=None)}
    split = {"test": (torch.zeros(2, 6), targets)}
    losses = cross_entropy(passes["test"].logits, targets.flatten(), reduction="none").view(2, 6)
    values = in_context(early=2, late=6)(StepContext(step=0, model=nn.ReLU(), splits=split, passes=passes))
    expected = (losses[:, 5] - losses[:, 1]).mean().item()
    assert values["test/in_context_score"].item() == pytest.approx(expected)
    fewer = {"test": Pass(logits=logits[1:], targets=targets.flatten()[1:], features=None)}
    assert in_context(early=2, late=6)(StepContext(step=0, model=nn.ReLU(), splits=split, passes=fewer)) == {}


def test_slices_are_named_all_or_none_and_the_worst_is_told():
    with pytest.raises(ValueError, match="name all 3 groups, got 2"):
        slices({"test": torch.tensor([0, 2])}, names=["a", "b"])
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    passes = {"test": Pass(logits=logits, targets=torch.tensor([0, 0]), features=None)}
    values = slices({"test": torch.tensor([0, 2])})(StepContext(step=0, model=nn.ReLU(), passes=passes))
    assert values["groups/worst_accuracy/test"].item() == 0
    assert math.isnan(values["groups/accuracy/test/1"].item())


def test_a_signature_of_too_few_losses_is_refused():
    with pytest.raises(ValueError, match="steps must be at least 4"):
        early_loss(steps=3)


def test_codes_of_quantised_weights_and_empty_parameters_are_no_layer():
    logits, targets = torch.tensor([[6.0, 0.0]]), torch.tensor([0])
    codes = nn.Parameter(torch.ones(4, 4, dtype=torch.int8), requires_grad=False)
    model = nn.ParameterList([nn.Parameter(torch.ones(2, 2)), codes, nn.Parameter(torch.zeros(0, 3))])
    passes = {"test": Pass(logits=logits, targets=targets, features=None)}
    values = layer_margins()(StepContext(step=0, model=model, passes=passes))
    assert values["test/layer_margin"].item() == pytest.approx(3.0)
