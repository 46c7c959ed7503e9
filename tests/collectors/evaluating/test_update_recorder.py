"""Gradients and updates of due steps, whatever else happens around ``optimizer.step``."""

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


def by_hand(model, step):
    """Take one step and measure it from outside, in double precision."""
    before = flat(model.parameters())
    gradient = step()
    change = flat(model.parameters()) - before
    return {
        "gradients/norm": gradient.norm().item(),
        "updates/ratio": (change.norm() / before.norm()).item(),
    }


def values(reading):
    """What ``by_hand`` measures, too."""
    whole = ("gradients/norm", "updates/ratio")
    return {name: reading[name].item() for name in whole if name in reading}


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=1.0),
    "fused": lambda p: torch.optim.AdamW(p, lr=0.01, fused=True),
    "foreach": lambda p: torch.optim.Adam(p, lr=0.01, foreach=True),
    "maximize": lambda p: torch.optim.SGD(p, lr=0.1, maximize=True),
}


@pytest.mark.parametrize("zero_grad_first", [True, False])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_due_step_reads_what_one_measures_from_outside(model, name, zero_grad_first):
    optimizer = OPTIMIZERS[name](model.parameters())
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: True)

    def step():
        if zero_grad_first:
            optimizer.zero_grad()
        mse_loss(model(X), Y).backward()
        gradient = flat(p.grad for p in model.parameters())
        optimizer.step()
        if not zero_grad_first:
            optimizer.zero_grad()
        return gradient

    for _ in range(3):
        expected = by_hand(model, step)
        assert values(recorder.pop()) == pytest.approx(expected, rel=1e-5)


def test_only_due_steps_are_read_and_each_reading_is_taken_once(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    asked = iter([False, True, False, False])
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: next(asked))
    sizes = []
    for _ in range(4):
        mse_loss(model(X), Y).backward()
        optimizer.step()
        sizes.append(len(recorder.pop()))
    assert [size > 0 for size in sizes] == [False, True, False, False]


def test_the_last_due_step_is_the_one_that_is_read(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: True)
    for scale in (1.0, 3.0):
        optimizer.zero_grad()
        (scale * mse_loss(model(X), Y)).backward()
        expected = flat(p.grad for p in model.parameters()).norm().item()
        optimizer.step()
    assert values(recorder.pop())["gradients/norm"] == pytest.approx(expected, rel=1e-5)


def test_a_frozen_parameter_counts_in_what_was_there_and_not_in_the_change(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: True)
    model[0].requires_grad_(requires_grad=False)

    def step():
        mse_loss(model(X), Y).backward()
        gradient = flat(p.grad for p in model[2].parameters())
        optimizer.step()
        return gradient

    assert values(recorder.pop()) == {}
    expected = by_hand(model, step)
    assert values(recorder.pop()) == pytest.approx(expected, rel=1e-5)


def test_a_parameter_group_added_later_is_recorded_and_a_strange_one_is_not(model):
    stranger = nn.Parameter(torch.full((5,), 1e6))
    optimizer = torch.optim.SGD([*model[0].parameters(), stranger], lr=0.1)
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: True)
    optimizer.add_param_group({"params": list(model[2].parameters()), "lr": 0.2})

    def step():
        (mse_loss(model(X), Y) + stranger.sum()).backward()
        gradient = flat(p.grad for p in model.parameters())
        optimizer.step()
        return gradient

    expected = by_hand(model, step)
    assert values(recorder.pop()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["sgd", "fused"])
def test_scaled_gradients_are_read_after_unscaling(model, name):
    optimizer = OPTIMIZERS[name](model.parameters())
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: True)
    expected = flat(torch.autograd.grad(mse_loss(model(X), Y), list(model.parameters()))).norm().item()
    scaler.scale(mse_loss(model(X), Y)).backward()
    scaler.step(optimizer)
    scaler.update()
    assert values(recorder.pop())["gradients/norm"] == pytest.approx(expected, rel=1e-5)


def test_a_step_that_the_scaler_skips_is_not_read(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu")
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: True)
    scaler.scale(math.inf * mse_loss(model(X), Y)).backward()
    scaler.step(optimizer)
    assert recorder.pop() == {}


@pytest.mark.parametrize("as_keyword", [True, False])
def test_with_a_closure_the_gradients_are_those_it_made(model, as_keyword):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: True)

    def closure():
        optimizer.zero_grad()
        loss = mse_loss(model(X), Y)
        loss.backward()
        return loss

    def step():
        optimizer.step(closure=closure) if as_keyword else optimizer.step(closure)
        return flat(p.grad for p in model.parameters())

    expected = by_hand(model, step)
    assert values(recorder.pop()) == pytest.approx(expected, rel=1e-5)


def test_training_is_the_same_to_the_bit_with_and_without_a_recorder(model):
    results = []
    for is_recorded in (False, True):
        torch.manual_seed(1)
        twin = nn.Sequential(nn.Linear(3, 4), nn.Dropout(), nn.Linear(4, 1))
        optimizer = torch.optim.AdamW(twin.parameters(), lr=0.01)
        if is_recorded:
            recorder = UpdateRecorder(twin, optimizer, is_due=lambda: True)
        for _ in range(20):
            optimizer.zero_grad()
            mse_loss(twin(X), Y).backward()
            optimizer.step()
        if is_recorded:
            assert recorder.pop()
        results.append(flat([*twin.parameters(), *(p.grad for p in twin.parameters())]))
    assert torch.equal(*results)


def test_closing_takes_the_hooks_off_and_may_be_repeated(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hooks = (optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks)
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: True)
    assert [len(h) for h in hooks] == [1, 1]
    recorder.close()
    recorder.close()
    assert [len(h) for h in hooks] == [0, 0]
    optimizer.step()
    assert recorder.pop() == {}


def test_a_failure_ends_the_recording_without_stopping_the_step_and_is_raised_once(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    asked = []

    def is_due():
        asked.append(True)
        raise RuntimeError("no schedule")

    recorder = UpdateRecorder(model, optimizer, is_due=is_due)
    mse_loss(model(X), Y).backward()
    before = flat(model.parameters())
    optimizer.step()
    optimizer.step()
    assert not torch.equal(flat(model.parameters()), before)
    assert len(asked) == 1
    with pytest.raises(RuntimeError, match="no schedule"):
        recorder.pop()
    assert recorder.pop() == {}


def test_a_parameter_without_a_gradient_is_not_decayed(model):
    model[0].requires_grad_(requires_grad=False)
    twin = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.5)
    undecayed = torch.optim.AdamW(twin.parameters(), lr=0.01, weight_decay=0.0)
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: True)
    start = flat(model.parameters())
    for one, its_optimizer in ((model, optimizer), (twin, undecayed)):
        one(X).square().mean().backward()
        its_optimizer.step()
    gradient, both = (flat(one.parameters()) - start for one in (twin, model))
    share = gradient.norm() ** 2 / (gradient.norm() ** 2 + (both - gradient).norm() ** 2)
    assert recorder.pop()["updates/gradient_share"].item() == pytest.approx(share.item(), abs=1e-5)


def test_of_an_optimizer_of_another_model_nothing_is_read(model):
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    asked = []
    recorder = UpdateRecorder(model, optimizer, is_due=lambda: asked.append(1) or True)
    optimizer.step()
    assert recorder.pop() == {}
    assert asked == []
