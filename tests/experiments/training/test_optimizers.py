"""Optimizers make their first step as their formulas say, each parameter in one of them."""

import pytest
import torch
from torch import Tensor, nn

from grokscope.experiments.models.mlp import MLP
from grokscope.experiments.models.transformer import Transformer
from grokscope.experiments.recipe import Recipe
from grokscope.experiments.training.optimizers import optimizers_of

WEIGHTS, GRADIENT = [2.0, -1.0], [0.5, 4.0]


def first_step(**settings: object) -> list[float]:
    model = nn.Module()
    model.weight = nn.Parameter(torch.tensor(WEIGHTS))
    model.weight.grad = torch.tensor(GRADIENT)
    for optimizer in optimizers_of(model, Recipe(lr=0.1, **settings)):
        optimizer.step()
    return model.weight.tolist()


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        ("sgd", [2 - 0.1 * (0.5 + 0.2 * 2), -1 - 0.1 * (4 - 0.2 * 1)]),
        ("adamw", [2 * (1 - 0.1 * 0.2) - 0.1, -1 * (1 - 0.1 * 0.2) - 0.1]),
        ("adam", [2 - 0.1, -1 - 0.1]),  # its decay is part of a gradient whose size it divides away
    ],
)
def test_the_first_step_is_that_of_the_formula(optimizer, expected):
    assert first_step(optimizer=optimizer, weight_decay=0.2) == pytest.approx(expected, rel=1e-6)


def test_epsilon_shortens_adams_step_where_gradients_are_as_small():
    expected = [w - 0.1 * g / (abs(g) + 0.5) for w, g in zip(WEIGHTS, GRADIENT, strict=True)]
    assert first_step(optimizer="adam", eps=0.5) == pytest.approx(expected, rel=1e-6)


def moved_by_muon(model: nn.Module) -> dict[str, Tensor]:
    torch.manual_seed(0)
    before = {name: one.detach().clone() for name, one in model.named_parameters()}
    for one in model.parameters():
        one.grad = torch.randn_like(one)
    for optimizer in optimizers_of(model, Recipe(optimizer="muon", lr=0.1)):
        optimizer.step()
    return {name: (before[name] - one.detach()) / 0.1 for name, one in model.named_parameters()}


def test_muon_makes_hidden_matrices_orthogonal_steps_and_the_rest_adams():
    moved = moved_by_muon(MLP(6, 8, 8, 3))
    for name in ("hidden.0.weight", "hidden.1.weight"):
        tall = max(1.0, moved[name].shape[0] / moved[name].shape[1]) ** 0.5
        # Five turns of Newton-Schulz bring singular values near 1, not to it.
        values = torch.linalg.svdvals(moved[name] / tall)
        assert 0.5 < values.min().item() < values.max().item() < 1.3
    for name in ("hidden.0.bias", "hidden.1.bias", "output.weight", "output.bias"):
        assert torch.allclose(moved[name].abs(), torch.ones(()), atol=1e-4)


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd", "muon"])
def test_each_parameter_is_in_exactly_one_optimizer(optimizer):
    model = Transformer(tokens=5, context=3, width=8, heads=2, mlp=8, has_norm=True)
    made = optimizers_of(model, Recipe(optimizer=optimizer))
    held = [id(one) for part in made for group in part.param_groups for one in group["params"]]
    assert sorted(held) == sorted(id(one) for one in model.parameters())


def test_muon_without_hidden_matrices_says_what_to_take():
    with pytest.raises(
        ValueError, match="muon moves hidden matrices and this model has none; take optimizer=adamw"
    ):
        optimizers_of(MLP(4, 3), Recipe(optimizer="muon"))
