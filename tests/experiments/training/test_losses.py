"""Losses by name."""

import pytest
import torch
from torch.nn.functional import multi_margin_loss

from grokscope.experiments.training.losses import hinge, loss_by_name


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


def test_an_unknown_loss_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"loss is .*hinge.*, got 'l2'"):
        loss_by_name("l2")
    assert loss_by_name("hinge") is hinge
