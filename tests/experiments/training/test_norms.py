"""The clamp keeps the norm of all weights at a multiple of its start and changes nothing else."""

import pytest
import torch
from torch import nn

from grokscope.experiments.recipe import Recipe
from grokscope.experiments.training.norms import NormClamp


def two_weights() -> nn.Module:
    model = nn.Module()
    model.first, model.second = nn.Parameter(torch.tensor([3.0])), nn.Parameter(torch.tensor([[4.0]]))
    return model


def test_weights_are_scaled_together_to_the_multiple_of_their_first_norm():
    model = two_weights()
    clamp = NormClamp(model, Recipe(norm_clamp=2.0))
    with torch.no_grad():
        model.first.fill_(0.6)
        model.second.fill_(0.8)
    clamp.apply()
    assert [model.first.item(), model.second.item()] == pytest.approx([6.0, 8.0])


def test_without_a_clamp_weights_stay_as_they_are():
    model = two_weights()
    NormClamp(model, Recipe()).apply()
    assert [model.first.item(), model.second.item()] == [3.0, 4.0]


def test_weights_that_are_not_trained_do_not_count():
    model = two_weights()
    model.second.requires_grad_(False)
    clamp = NormClamp(model, Recipe(norm_clamp=1.0))
    with torch.no_grad():
        model.first.fill_(30.0)
    clamp.apply()
    assert model.first.item() == pytest.approx(3.0)
    assert model.second.item() == 4.0
