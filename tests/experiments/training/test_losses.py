"""Losses are their closed forms, and StableMax keeps a gradient where cross-entropy rounds to 0."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy, multi_margin_loss

from grokscope.experiments.training.losses import hinge, loss_by_name, one_hot_mse, stablemax_cross_entropy


def test_stablemax_is_the_mean_of_the_papers_formula():
    logits = torch.tensor([[1.0, -1.0, 0.0], [0.0, 3.0, -3.0]])
    expected = (-math.log(2 / (2 + 1 / 2 + 1)) - math.log((1 / 4) / (1 + 4 + 1 / 4))) / 2
    assert stablemax_cross_entropy(logits, torch.tensor([0, 2])).item() == pytest.approx(expected)


def test_the_gradient_of_stablemax_is_that_of_its_values():
    torch.manual_seed(0)
    logits = (3 * torch.randn(5, 4, dtype=torch.float64)).requires_grad_()
    targets = torch.tensor([0, 1, 2, 3, 0])
    assert torch.autograd.gradcheck(lambda z: stablemax_cross_entropy(z, targets), logits)


def test_stablemax_has_a_gradient_where_softmax_has_collapsed():
    logits, targets = torch.tensor([[40.0, 0.0]], requires_grad=True), torch.tensor([0])
    collapsed = cross_entropy(logits, targets)
    (nothing,) = torch.autograd.grad(collapsed, logits)
    assert (collapsed.item(), nothing[0, 0].item()) == (0.0, 0.0)
    stable = stablemax_cross_entropy(logits, targets)
    (gradient,) = torch.autograd.grad(stable, logits)
    assert stable.item() == pytest.approx(math.log(42 / 41), rel=1e-5)
    assert gradient[0].tolist() == pytest.approx([1 / 42 - 1 / 41, 1 / 42], rel=1e-4)


def test_the_squared_error_is_the_mean_over_rows_and_classes():
    logits, targets = torch.tensor([[1.0, 0.5], [0.0, 3.0]], requires_grad=True), torch.tensor([0, 1])
    loss = one_hot_mse(logits, targets)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert loss.item() == (0.0 + 0.25 + 0.0 + 4.0) / 4
    assert gradient.tolist() == [[0.0, 0.25], [0.0, 1.0]]


def test_losses_go_by_their_names_and_others_are_refused():
    named = [loss_by_name(name) for name in ("cross_entropy", "stablemax", "mse", "hinge")]
    assert named == [cross_entropy, stablemax_cross_entropy, one_hot_mse, hinge]
    with pytest.raises(ValueError, match=r"loss is .*hinge.*, got 'l2'"):
        loss_by_name("l2")


def test_the_hinge_loss_of_two_logits_is_that_of_their_difference():
    torch.manual_seed(0)
    logits, classes = torch.randn(50, 2), torch.randint(2, (50,))
    signs = 2.0 * classes - 1
    expected = (1 - signs * (logits[:, 1] - logits[:, 0])).clamp(min=0).mean()
    assert torch.allclose(hinge(logits, classes), expected)
    assert torch.allclose(hinge(logits, classes), 2 * multi_margin_loss(logits, classes))


def test_the_hinge_loss_of_several_classes_counts_the_best_other_one():
    logits = torch.tensor([[3.0, 2.5, 9.0], [5.0, 0.0, 1.0]])
    assert hinge(logits, torch.tensor([0, 0])).item() == 3.5  # (1 - 3 + 9) / 2


def test_a_margin_of_one_costs_nothing_and_has_no_gradient():
    logits = torch.tensor([[2.0, 0.5]], requires_grad=True)
    loss = hinge(logits, torch.tensor([0]))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros(1, 2))
