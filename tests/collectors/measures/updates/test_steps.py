"""What the recorder reads besides norm and ratio: alignment, layers, the part of decay, the learning rate."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from grokscope.collectors.evaluating.update_recorder import UpdateRecorder

X = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))
Y = X.sum(1, keepdim=True)


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))


def flat(tensors):
    return torch.cat([t.detach().double().reshape(-1) for t in tensors])


def cosine(first, second):
    return torch.dot(first, second) / (first.norm() * second.norm())


def test_the_alignment_is_the_cosine_of_descent_and_parameters(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: True)
    mse_loss(model(X), Y).backward()
    expected = cosine(-flat(p.grad for p in model.parameters()), flat(model.parameters())).item()
    optimizer.step()
    assert recorder.pop()["gradients/alignment"].item() == pytest.approx(expected, abs=1e-6)


def test_the_gradient_norm_comes_by_layer_too(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: True)
    mse_loss(model(X), Y).backward()
    expected = {
        f"gradients/norm/{i}": flat(p.grad for p in model[i].parameters()).norm().item() for i in (0, 2)
    }
    optimizer.step()
    reading = recorder.pop()
    assert {key: reading[key].item() for key in expected} == pytest.approx(expected, rel=1e-5)


DECAYING = {
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.5),
    "two groups": lambda p: torch.optim.AdamW(
        [{"params": p[:1], "weight_decay": 0.7, "lr": 0.02}, {"params": p[1:], "weight_decay": 0.0}], lr=0.01
    ),
    "plain sgd": lambda p: torch.optim.SGD(p, lr=0.01, weight_decay=0.5),
}


@pytest.mark.parametrize("name", DECAYING)
def test_the_update_is_split_into_what_the_gradient_did_and_what_decay_did(model, name):
    twin = copy.deepcopy(model)
    optimizer, undecayed = (DECAYING[name](list(m.parameters())) for m in (model, twin))
    for group in undecayed.param_groups:
        group["weight_decay"] = 0.0
    start = flat(model.parameters())
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: True)
    for one, its_optimizer in ((model, optimizer), (twin, undecayed)):
        mse_loss(one(X), Y).backward()
        its_optimizer.step()
    gradient = flat(twin.parameters()) - start
    decay = flat(model.parameters()) - start - gradient
    expected = gradient.norm() ** 2 / (gradient.norm() ** 2 + decay.norm() ** 2)
    reading = recorder.pop()
    assert reading["updates/gradient_share"].item() == pytest.approx(expected.item(), abs=1e-5)
    assert reading["updates/decay_cosine"].item() == pytest.approx(cosine(gradient, decay).item(), abs=1e-4)


@pytest.mark.parametrize(
    "build",
    [
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1),
        lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.1),
        lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.0),
    ],
)
def test_decay_that_cannot_be_told_from_the_gradient_is_not_split(model, build):
    optimizer = build(model.parameters())
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: True)
    mse_loss(model(X), Y).backward()
    optimizer.step()
    assert not {"updates/gradient_share", "updates/decay_cosine"} & recorder.pop().keys()


@pytest.mark.parametrize("make", [float, torch.tensor])
def test_the_learning_rate_is_the_one_that_the_step_was_made_with(model, make):
    groups = [{"params": list(model[0].parameters()), "lr": make(0.2), "name": "first"}]
    optimizer = torch.optim.SGD([*groups, {"params": list(model[2].parameters()), "lr": make(0.4)}])
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: True)
    mse_loss(model(X), Y).backward()
    optimizer.step()
    scheduler.step()
    rates = {key: value.item() for key, value in recorder.pop().items() if "learning_rate" in key}
    assert rates == pytest.approx(
        {
            "updates/learning_rate": 0.2,
            "updates/learning_rate/group:first": 0.2,
            "updates/learning_rate/group:group_1": 0.4,
        }
    )


def test_sparse_gradients_are_read_and_left_out_of_the_alignment():
    embedding = nn.Embedding(5, 2, sparse=True)
    optimizer = torch.optim.SGD(embedding.parameters(), lr=0.1)
    recorder = UpdateRecorder(embedding, optimizer, is_due=lambda: True)
    embedding(torch.tensor([1, 1, 2])).sum().backward()
    optimizer.step()
    reading = recorder.pop()
    assert reading["gradients/norm"].item() == pytest.approx(math.sqrt(2 * 4 + 2 * 1))
    assert "gradients/alignment" not in reading
