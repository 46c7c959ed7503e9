"""Filters of gradients do what their papers say, and nothing where they are off."""

import pytest
import torch
from torch import nn

from grokscope.experiments.recipe import Recipe
from grokscope.experiments.training.gradients import GradientFilter, orthogonal


def model_with(gradient: list[float], weights: list[float]) -> nn.Module:
    model = nn.Module()
    model.weight = nn.Parameter(torch.tensor(weights))
    model.weight.grad = torch.tensor(gradient)
    return model


def test_grokfast_adds_a_share_of_the_exponential_mean_that_begins_at_the_first_gradient():
    model = model_with([1.0, 2.0], [0.0, 0.0])
    chosen = GradientFilter(model, Recipe(grokfast=2.0, grokfast_memory=0.75))
    chosen.apply()
    assert model.weight.grad.tolist() == [1.0 + 2 * 1.0, 2.0 + 2 * 2.0]
    model.weight.grad = torch.tensor([5.0, -2.0])
    chosen.apply()
    slow = [0.75 * 1.0 + 0.25 * 5.0, 0.75 * 2.0 - 0.25 * 2.0]
    assert model.weight.grad.tolist() == [5.0 + 2 * slow[0], -2.0 + 2 * slow[1]]


def test_grokfast_waits_for_parameters_that_have_no_gradient_yet():
    model = model_with([1.0], [0.0])
    model.other = nn.Parameter(torch.zeros(1))
    chosen = GradientFilter(model, Recipe(grokfast=1.0, grokfast_memory=0.5))
    chosen.apply()
    model.weight.grad, model.other.grad = torch.tensor([3.0]), torch.tensor([4.0])
    chosen.apply()
    assert [model.weight.grad.item(), model.other.grad.item()] == [3.0 + 2.0, 4.0 + 4.0]


def test_a_filter_that_is_off_leaves_gradients_as_they_are():
    model = model_with([0.1, 0.2], [1.0, 2.0])
    GradientFilter(model, Recipe()).apply()
    assert torch.equal(model.weight.grad, torch.tensor([0.1, 0.2]))


@pytest.mark.parametrize("shape", [(3,), (4, 5), (2, 3, 4)])
def test_the_orthogonal_gradient_is_at_a_right_angle_and_as_long_as_before(shape):
    torch.manual_seed(0)
    gradient, weights = torch.randn(shape), torch.randn(shape)
    rest = orthogonal(gradient, weights)
    assert (rest * weights).sum().item() == pytest.approx(0.0, abs=1e-5)
    assert rest.norm().item() == pytest.approx(gradient.norm().item(), rel=1e-5)
    in_plane = gradient - (gradient * weights).sum() / weights.square().sum() * weights
    assert torch.allclose(rest / rest.norm(), in_plane / in_plane.norm(), atol=1e-6)


def test_a_step_along_the_orthogonal_gradient_changes_the_norm_in_second_order_only():
    torch.manual_seed(0)
    gradient, weights = torch.randn(6, dtype=torch.float64), torch.randn(6, dtype=torch.float64)
    moved = weights - 0.1 * orthogonal(gradient, weights)
    expected = weights.square().sum() + 0.01 * gradient.square().sum()
    assert moved.square().sum().item() == pytest.approx(expected.item())


def test_a_gradient_along_the_weights_leaves_nothing_and_one_beside_zeros_stays():
    weights = torch.tensor([0.1, 0.2, 0.7])
    assert orthogonal(3.3 * weights, weights).tolist() == [0.0, 0.0, 0.0]
    assert orthogonal(weights, torch.zeros(3)).tolist() == weights.tolist()
    assert orthogonal(torch.zeros(3), weights).tolist() == [0.0, 0.0, 0.0]


def test_each_parameter_is_filtered_by_itself_after_the_slow_part_is_added():
    model = model_with([3.0, 4.0], [1.0, 0.0])
    model.other = nn.Parameter(torch.tensor([0.0, 2.0]))
    model.other.grad = torch.tensor([3.0, 4.0])
    GradientFilter(model, Recipe(grokfast=1.0, orthogonal_gradient=True)).apply()
    assert [model.weight.grad.tolist(), model.other.grad.tolist()] == [[0.0, 10.0], [10.0, 0.0]]
