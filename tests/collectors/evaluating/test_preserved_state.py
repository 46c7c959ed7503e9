"""The observer changes nothing: not the model, not its gradients, not chance, not the training after it."""

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors.evaluating.forward_pass import forward_pass
from grokscope.collectors.evaluating.preserved_state import preserved_state
from grokscope.collectors.evaluating.weights import snapshot, weight_measures
from grokscope.collectors.measures.progress import forward_flops

X = torch.randn(32, 6, generator=torch.Generator().manual_seed(0))
Y = torch.arange(32) % 4


class Noisy(nn.Module):
    """Draws from every source of chance and writes into its own buffers and embedding while it reads."""

    def __init__(self):
        super().__init__()
        self.norm, self.drop, self.head = nn.BatchNorm1d(6), nn.Dropout(), nn.Linear(7, 4)
        self.codes = nn.Embedding(4, 1, max_norm=0.1)
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("last", torch.zeros(1))
        self.frozen = nn.Linear(2, 2).requires_grad_(requires_grad=False)

    def forward(self, x):
        self.calls += 1
        self.last = x[:1, 0].detach().clone()  # another tensor under the same name
        noise = 1e-3 * (random.random() + np.random.rand() + torch.rand(()))  # noqa: NPY002
        code = self.codes(torch.arange(len(x)) % 4)
        return self.head(self.drop(torch.cat([self.norm(x), code], 1))) + noise


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = Noisy()
    made.norm.eval()  # a submodule that someone froze on purpose
    cross_entropy(made(X), Y).backward()
    with torch.no_grad():
        made.codes.weight.fill_(0.5)  # as an optimizer step would leave it: beyond max_norm
    return made


def everything(model):
    """All that an observer could disturb, in a form that compares bit by bit."""
    named = [*model.named_parameters(), *model.named_buffers()]
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {
        "tensors": {n: t.detach().numpy().tobytes() for n, t in named},
        "identities": {n: (id(t), t.data_ptr()) for n, t in named},
        "gradients": {n: None if t.grad is None else t.grad.numpy().tobytes() for n, t in named},
        "requires_grad": {n: t.requires_grad for n, t in named},
        "modes": [m.training for m in model.modules()],
        "hooks": [len(getattr(m, name)) for m in model.modules() for name in hooks],
        "grad_mode": torch.is_grad_enabled(),
        "torch": torch.get_rng_state().numpy().tobytes(),
        "python": random.getstate(),
        "numpy": str(np.random.get_state(legacy=False)),  # noqa: NPY002 - the state others draw from
    }


def loader(**options):
    return DataLoader(TensorDataset(X, Y), batch_size=8, shuffle=True, **options)


OBSERVERS = {
    "pair": lambda m: forward_pass(m, (X, Y)),
    "batches": lambda m: forward_pass(m, (X, Y), batch_size=5),
    "loader": lambda m: forward_pass(m, loader()),
    "features": lambda m: forward_pass(m, (X, Y), features="drop"),
    "weights": lambda m: weight_measures(m, init=snapshot(m)),
    "flops": lambda m: forward_flops(m, X),
}


@pytest.mark.parametrize("name", OBSERVERS)
def test_an_observer_leaves_every_bit_as_it_was(model, name):
    before = everything(model)
    assert OBSERVERS[name](model)
    assert everything(model) == before


class Faulty(nn.Module):
    """Fails in the middle of a forward pass, after having drawn."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        self.inner(x)
        raise RuntimeError("in the middle")


@pytest.mark.parametrize("observe", [lambda m: forward_pass(m, (X, Y)), lambda m: forward_flops(m, X)])
def test_a_failing_forward_pass_leaves_every_bit_as_it_was(model, observe):
    faulty = Faulty(model)
    before = everything(faulty)
    with pytest.raises(RuntimeError, match="in the middle"):
        observe(faulty)
    assert everything(faulty) == before


def train(*, observed, **options):
    """Train a noisy model for 30 steps on a loader of its own generator; return all that came of it."""
    torch.manual_seed(3)
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002 - the state others draw from
    model = Noisy()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    batches = loader(generator=torch.Generator().manual_seed(1), **options)
    for step in range(30):
        if observed and step % 7 == 0:
            forward_pass(model, batches)
            forward_pass(model, (X, Y))
            weight_measures(model, optimizer=optimizer)
        for x, y in batches:
            optimizer.zero_grad()
            cross_entropy(model(x), y).backward()
            if observed and step % 11 == 0:
                forward_pass(model, (X, Y))  # between backward and step
            optimizer.step()
    state = {name: tensor.detach().numpy().tobytes() for name, tensor in model.state_dict().items()}
    return state, everything(model)["torch"], random.getstate()


def test_a_training_run_is_the_same_to_the_bit_with_and_without_observation():
    assert train(observed=True) == train(observed=False)


def test_a_graph_that_waits_for_its_backward_pass_survives_an_evaluation(model):
    expected = torch.autograd.grad(cross_entropy(model.head(torch.ones(32, 7)), Y), model.head.weight)
    waiting = cross_entropy(model.head(torch.ones(32, 7)), Y)
    forward_pass(model, (X, Y))
    assert torch.equal(*torch.autograd.grad(waiting, model.head.weight), *expected)


def test_training_inside_autocast_keeps_its_gradients_after_an_evaluation_inside_it():
    model = nn.Sequential(nn.Linear(6, 4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        forward_pass(model, (X, Y))
        cross_entropy(model(X), Y).backward()
    assert model[0].weight.grad.abs().sum() > 0


def test_inside_the_block_nothing_trains_and_outside_everything_does():
    model = nn.Sequential(nn.Dropout(), nn.Linear(6, 4))
    with preserved_state(model):
        assert not any(m.training for m in model.modules())
        assert torch.equal(model(X), model(X))
        assert not model(X).requires_grad
    assert all(m.training for m in model.modules())
    assert model(X).requires_grad
