"""How much of a split is read: endless and slow loaders end, and the same batches are read each time."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.recording.run_ids import TrackerError
from grokscope.collectors.testing import MemorySink

X = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
Y = torch.arange(40) % 3


def tracker(model, **options):
    how = Measuring(defaults=False, budget=1e9, **options)
    return Tracker(model, experiment="e", sink=MemorySink(), measuring=how)


def endless():
    for i in itertools.cycle(range(40)):
        yield X[i : i + 1], Y[i : i + 1]


class Endless(IterableDataset):
    def __iter__(self):
        return ((X[i], Y[i]) for i in itertools.cycle(range(40)))


def test_an_endless_generator_is_read_for_so_many_batches_and_that_is_said_once(capsys):
    model = nn.Linear(4, 3)
    held = tracker(model, max_batches=10)
    data = endless()
    first, second = held.evaluate(0, train=data), held.evaluate(1, train=data)
    logits = model(X).detach()
    assert first["train/loss"] == pytest.approx(cross_entropy(logits[:10], Y[:10]).item(), rel=1e-5)
    assert second["train/loss"] == pytest.approx(cross_entropy(logits[10:20], Y[10:20]).item(), rel=1e-5)
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "of the split 'train' the first 10 examples are read, and others each time" in error


def test_an_endless_loader_has_a_bound_by_default(capsys):
    values = tracker(nn.Linear(4, 3)).evaluate(0, train=DataLoader(Endless(), batch_size=2))
    assert "train/loss" in values
    assert "the first 2000 examples are read, the same each time" in capsys.readouterr().err


def test_where_the_time_was_up_no_more_is_read_later(capsys):
    held = tracker(nn.Linear(4, 3), max_seconds=1e-9)
    loader = DataLoader(TensorDataset(X, Y), batch_size=5)
    first = held.evaluate(0, train=loader)
    assert held.evaluate(1, train=loader)["train/loss"] == first["train/loss"]
    assert "the first 5 examples are read, the same each time" in capsys.readouterr().err


def test_a_loader_that_tells_its_length_is_read_whole(capsys):
    model = nn.Linear(4, 3)
    values = tracker(model).evaluate(0, train=[(X[i : i + 1], Y[i : i + 1]) for i in range(40)] * 30)
    assert values["train/loss"] == pytest.approx(cross_entropy(model(X), Y).item(), rel=1e-4)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("options", [{"max_batches": 8}, {"max_seconds": 1e-9, "batch_size": 40}])
def test_bounds_that_leave_nothing_out_are_not_said(capsys, options):
    loader = DataLoader(TensorDataset(X, Y), batch_size=5)
    data = (X, Y) if "batch_size" in options else loader
    assert "train/loss" in tracker(nn.Linear(4, 3), **options).evaluate(0, train=data)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("generator", [None, torch.Generator().manual_seed(5)])
def test_a_shuffled_loader_gives_the_same_batches_each_time_and_loses_no_state(generator):
    loader = DataLoader(TensorDataset(X, Y), batch_size=5, shuffle=True, generator=generator)
    held = tracker(nn.Linear(4, 3), max_batches=2)
    first = held.evaluate(0, train=loader)["train/loss"]
    state = torch.get_rng_state() if generator is None else generator.get_state()
    torch.rand(3)
    for step in (1, 2):
        assert held.evaluate(step, train=loader)["train/loss"] == first
    if generator is not None:
        assert torch.equal(generator.get_state(), state)


def test_a_loader_that_a_function_makes_on_the_trainings_generator_leaves_it(capsys):
    generator = torch.Generator().manual_seed(5)
    before = generator.get_state()

    def make():
        return DataLoader(TensorDataset(X, Y), batch_size=5, shuffle=True, generator=generator)

    assert "train/loss" in tracker(nn.Linear(4, 3)).evaluate(0, train=make)
    assert torch.equal(generator.get_state(), before)
    assert capsys.readouterr().err == ""


def test_a_generator_that_was_read_says_so(capsys):
    held, data = tracker(nn.Linear(4, 3)), iter([(X, Y)])
    assert "train/loss" in held.evaluate(0, train=data)
    assert "train/loss" not in held.evaluate(1, train=data)
    assert "a generator reads only once; pass a list or a function that makes it" in capsys.readouterr().err


@pytest.mark.parametrize("options", [{"max_batches": 0}, {"max_seconds": -1}, {"loss": "l2"}, {"output": 3}])
def test_options_that_cannot_be_are_refused(options):
    with pytest.raises(TrackerError, match=f"{next(iter(options))} is "):
        Measuring(**options)
