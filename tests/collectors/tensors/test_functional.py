"""Gradients and Hessian products against torch.func's dense ones, with the model untouched."""

import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev
from torch.nn.functional import cross_entropy, scaled_dot_product_attention

from grokscope.collectors.tensors.functional import (
    flat,
    hessian_product,
    loss_of,
    predictor,
    trained,
    unflat,
    value_and_gradient,
)


class Attention(nn.Module):
    """One head, whose fused kernel has no second derivative."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(4, 12)
        self.output = nn.Linear(4, 3)

    def forward(self, x):
        q, k, v = self.mix(x).chunk(3, dim=-1)
        return self.output(scaled_dot_product_attention(q, k, v, is_causal=True))


class Tied(nn.Module):
    """A language model's habit: one matrix reads and writes."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5, 3)
        self.output = nn.Linear(3, 5, bias=False)
        self.output.weight = self.embedding.weight

    def forward(self, tokens):
        return self.output(torch.tanh(self.embedding(tokens)))


def cases():
    torch.manual_seed(0)
    mlp = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.BatchNorm1d(4), nn.Linear(4, 3)).eval()
    frozen = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3))
    frozen[0].weight.requires_grad_(False)
    return {
        "mlp": (mlp, torch.randn(6, 3), torch.arange(6) % 3),
        "frozen": (frozen, torch.randn(6, 3), torch.arange(6) % 3),
        "attention": (Attention(), torch.randn(2, 5, 4), torch.arange(10).view(2, 5) % 3),
        "tied": (Tied(), torch.arange(5), (torch.arange(5) + 1) % 5),
    }


def dense(model, inputs, targets):
    """The Hessian by torch.func, over the trained parameters in one vector."""
    parameters = trained(model)

    def loss(vector):
        values = dict(zip(parameters, unflat(vector, list(parameters.values())), strict=True))
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            return cross_entropy(functional_call(model, values, (inputs,)).flatten(0, -2), targets.flatten())

    return jacrev(jacrev(loss))(flat(list(parameters.values())))


@pytest.mark.parametrize("name", ["mlp", "frozen", "attention", "tied"])
def test_products_are_those_of_the_dense_hessian(name):
    model, inputs, targets = cases()[name]
    loss = loss_of(predictor(model, inputs), targets)
    product = hessian_product(loss, list(trained(model).values()))
    whole = dense(model, inputs, targets)
    columns = torch.stack([product(unit) for unit in torch.eye(len(whole))])
    torch.testing.assert_close(columns, whole, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["mlp", "frozen", "attention", "tied"])
def test_the_gradient_is_that_of_backward_and_none_is_written(name):
    model, inputs, targets = cases()[name]
    loss = loss_of(predictor(model, inputs), targets)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with torch.no_grad():
        value, gradient = value_and_gradient(loss, list(trained(model).values()))
        hessian_product(loss, list(trained(model).values()))(gradient)
    assert all(p.grad is None for p in model.parameters())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    direct = cross_entropy(model(inputs).flatten(0, -2), targets.flatten())
    direct.backward()
    torch.testing.assert_close(value, direct.detach())
    mine = [p.grad for p in model.parameters() if p.requires_grad]
    torch.testing.assert_close(gradient, flat(mine))


def test_what_the_loss_does_not_use_or_uses_linearly_has_no_curvature():
    parameters = [torch.ones(2), torch.ones(1), torch.ones(2)]
    product = hessian_product(lambda p: p[0].square().sum() + p[1].sum(), parameters)
    assert product(torch.ones(5)).tolist() == [2, 2, 0, 0, 0]
    assert hessian_product(lambda p: p[1].sum(), parameters)(torch.ones(5)).tolist() == [0] * 5


def test_a_model_without_logits_is_refused():
    class Pair(nn.Linear):
        def forward(self, x):
            return x, x

    with pytest.raises(TypeError, match=r"must return logits as a tensor or as \.logits, got tuple; wrap"):
        predictor(Pair(1, 1), torch.zeros(1, 1))([torch.zeros(1, 1), torch.zeros(1)])
