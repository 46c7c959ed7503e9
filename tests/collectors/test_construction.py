"""Whatever a correct training holds, a tracker can be made of it and measures what can be measured."""

import gc
import weakref

import pytest
import torch
from accelerate import Accelerator, cpu_offload
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrizations

from grokscope.collectors import Measuring, Tracker, every
from grokscope.collectors.testing import MemorySink

X, Y = torch.randn(12, 4, generator=torch.Generator().manual_seed(0)), torch.arange(12) % 3
TIER_0 = Measuring(defaults=False)


class Bare(torch.optim.Optimizer):
    """A wrapper as several libraries write them: ``super().__init__`` is not called."""

    def __init__(self, inner):
        self.wrapped = inner

    @property
    def param_groups(self):
        return self.wrapped.param_groups

    def step(self, closure=None):
        return self.wrapped.step(closure)

    def zero_grad(self):
        self.wrapped.zero_grad()


class Duck:
    """As LARC is: no optimizer of torch, and one inside; it also holds a list that holds itself."""

    def __init__(self, inner):
        self.optim, self.param_groups, self.parts = inner, inner.param_groups, []
        self.parts.append(self.parts)

    def step(self, *_):
        self.optim.step()

    def zero_grad(self):
        self.optim.zero_grad()


class Sharpness(torch.optim.Optimizer):
    """As SAM is: two steps of its own, the second made by another optimizer on the same groups."""

    def __init__(self, parameters):
        super().__init__(parameters, {"lr": 0.1})
        self.base = torch.optim.SGD(self.param_groups, lr=0.1)

    def step(self, closure=None):
        self.base.step()


class Sharper(Sharpness):
    """The same, stepped from outside without ``step``."""

    def step(self, closure=None):
        raise AssertionError


def parts(model):
    weights = [p for p in model.parameters() if p.ndim > 1]
    biases = [p for p in model.parameters() if p.ndim == 1]
    return torch.optim.SGD(weights, lr=0.1), torch.optim.AdamW(biases, lr=0.1)


def made(model, optimizer, step=None, **options):
    """Train two steps with a tracker; give what it measured at the second, and what was said by hand."""
    tracker = Tracker(
        model, optimizer, experiment="e", sink=MemorySink(), schedule=every(1), measuring=TIER_0
    )
    for number in range(2):
        model.zero_grad()
        cross_entropy(model(X), Y).backward()
        gradient = torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()
        before = torch.cat([p.detach().flatten() for p in model.parameters()]).clone()
        (step or optimizer.step)()
        after = torch.cat([p.detach().flatten() for p in model.parameters()])
        values = tracker.evaluate(number, train=(X, Y))
    ratio = ((after - before).norm() / before.norm()).item()
    tracker.close()
    return values, {"gradients/norm": gradient, "updates/ratio": ratio}


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


WRAPPERS = {
    "without super().__init__": lambda one: (Bare(torch.optim.SGD(one.parameters(), lr=0.1)), None),
    "in layers": lambda one: (Bare(Duck(Bare(torch.optim.SGD(one.parameters(), lr=0.1)))), None),
    "a duck type": lambda one: (Duck(torch.optim.AdamW(one.parameters(), lr=0.1)), None),
    "that steps as a whole": lambda one: (Sharpness(one.parameters()), None),
    "whose inner one steps": lambda one: ((outer := Sharper(one.parameters())), outer.base.step),
    "of Accelerate": lambda one: (
        Accelerator(cpu=True).prepare(torch.optim.AdamW(one.parameters(), lr=0.1)),
        None,
    ),
    "a list": lambda one: (list(pair := parts(one)), lambda: [each.step() for each in pair]),
    "a mapping of wrappers": lambda one: (
        {"a": Bare((pair := parts(one))[0]), "b": pair[1]},
        lambda: [each.step() for each in pair],
    ),
}


@pytest.mark.parametrize("kind", WRAPPERS)
def test_of_an_optimizer_in_whatever_wrapper_the_step_is_measured_as_by_hand(kind):
    one = model()
    values, by_hand = made(one, *WRAPPERS[kind](one))
    assert {key: values[key] for key in by_hand} == pytest.approx(by_hand, rel=1e-4)


def test_optimizers_of_one_step_are_read_as_one():
    one, twin = model(), model()
    split = {"a": torch.optim.AdamW(one[0].parameters(), lr=0.1)}
    split["b"] = torch.optim.AdamW(one[2].parameters(), lr=0.1)
    values, _ = made(one, split, lambda: [each.step() for each in split.values()])
    whole, _ = made(twin, torch.optim.AdamW(twin.parameters(), lr=0.1))
    keys = [key for key in whole if key.startswith(("gradients/", "updates/"))]
    assert {"gradients/alignment", "updates/gradient_share", "updates/decay_cosine"} <= {*keys}
    assert {key: values[key] for key in keys} == pytest.approx({key: whole[key] for key in keys}, rel=1e-4)
    assert values["updates/learning_rate/group:group_1"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("optimizer", "said"),
    [
        (lambda: torch.optim.SGD(nn.Linear(1, 1).parameters()), "SGD holds no parameter of Sequential"),
        (
            lambda: Duck(type("Own", (), {"param_groups": [], "step": print})()),
            "torch calls no hooks of Duck",
        ),
    ],
)
def test_what_cannot_be_measured_of_an_optimizer_is_said_and_the_rest_is(capsys, optimizer, said):
    values, _ = made(model(), optimizer(), lambda: None)
    assert {"train/loss", "weights/norm"} <= values.keys()
    assert not any(key.startswith(("gradients/", "updates/")) for key in values)
    assert capsys.readouterr().err.count(said) == 1


def test_hooks_go_with_the_tracker_and_never_while_torch_walks_through_them():
    one = model()
    optimizer = torch.optim.SGD(one.parameters(), lr=0.1)
    hooks = optimizer._optimizer_step_pre_hooks
    held = [Tracker(one, optimizer, experiment="e", sink=MemorySink(), measuring=TIER_0)]
    gone = weakref.ref(held[0])
    optimizer.register_step_pre_hook(lambda *_: held.clear())
    assert len(hooks) == 2
    optimizer.step()
    assert gone() is None
    optimizer.step()
    tracker = Tracker(one, optimizer, experiment="e", sink=MemorySink(), measuring=TIER_0)
    count = len(hooks)
    del tracker
    gc.collect()
    assert len(hooks) == count - 1


def evaluated(one, *, before=lambda: None, steps=2):
    tracker = Tracker(one, experiment="e", sink=MemorySink(), measuring=TIER_0)
    before()
    return [tracker.evaluate(step, train=(X, Y)) for step in range(steps)], tracker


def test_a_lazy_model_is_left_to_training_to_make_and_measured_from_then_on(capsys):
    lazy = nn.Sequential(nn.LazyLinear(3))
    state = torch.get_rng_state()
    (nothing,), tracker = evaluated(lazy, steps=1)
    assert nothing == {}
    assert torch.equal(torch.get_rng_state(), state)
    assert all(map(is_lazy, lazy.parameters()))
    assert "0.weight, 0.bias are made by the model's first forward pass" in capsys.readouterr().err
    lazy(X)
    values = tracker.evaluate(5, train=(X, Y))
    assert values["weights/distance_from_init"] == 0.0
    tracker.close()
    said = capsys.readouterr().err
    assert "counted from step 5 for 0.weight, 0.bias: new there" in said
    assert "1 evaluation failed: the evaluation failed (" in said


def test_layers_that_come_and_parametrizations_are_measured_from_when_they_came(capsys):
    one = model()

    def change():
        parametrizations.weight_norm(one[0])
        one.append(nn.Linear(3, 3))

    (first, second), _ = evaluated(one, before=change)
    assert first["weights/distance_from_init"] == second["weights/distance_from_init"] == 0.0
    assert capsys.readouterr().err.count("distances from the start are counted from step 0 for ") == 1


def test_whole_numbers_and_complex_ones_among_the_parameters(capsys):
    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 3)
            self.phase = nn.Parameter(torch.tensor([3 + 4j]))
            self.codes = nn.Parameter(torch.ones(2, dtype=torch.int8), requires_grad=False)

        def forward(self, inputs):
            return self.layer(inputs) * self.phase.abs()

    one = Mixed()
    optimizer = torch.optim.SGD([p for p in one.parameters() if p.requires_grad], lr=0.1)
    tracker = Tracker(one, optimizer, experiment="e", sink=MemorySink(), measuring=TIER_0)
    cross_entropy(one(X), Y).backward()
    optimizer.step()
    values = tracker.evaluate(0, train=(X, Y))
    parameters = [p.detach().abs() for p in one.parameters() if p.requires_grad]
    norm = torch.cat([p.flatten() for p in parameters]).norm().item()
    assert values["weights/norm"] == pytest.approx(norm, rel=1e-5)
    gradient = torch.cat([p.grad.abs().flatten() for p in one.parameters() if p.requires_grad]).norm().item()
    assert values["gradients/norm"] == pytest.approx(gradient, rel=1e-5)
    assert capsys.readouterr().err.count("no norm counts codes: whole numbers") == 1


def test_offloaded_weights_are_said_and_the_splits_are_measured(capsys):
    (first, _), _ = evaluated(cpu_offload(model(), torch.device("cpu")))
    assert first["train/loss"] > 0
    assert "weights/norm" not in first
    said = capsys.readouterr().err
    assert "the weights could not be measured at step 0" in said
    assert "4 of 4 parameters are on the meta device" in said


def test_a_sparse_gradient_a_tied_weight_and_one_without_a_gradient():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(5, 3, sparse=True)
            self.head = nn.Linear(3, 3, bias=False)
            self.again = self.head
            self.unused = nn.Parameter(torch.ones(2))

        def forward(self, inputs):
            return self.again(self.head(self.embedding(inputs)))

    one, data = Tied(), (torch.arange(3), torch.arange(3))
    optimizer = torch.optim.SGD(one.parameters(), lr=0.1)
    tracker = Tracker(one, optimizer, experiment="e", sink=MemorySink(), measuring=TIER_0)
    cross_entropy(one(data[0]), data[1]).backward()
    optimizer.step()
    values = tracker.evaluate(0, train=data)
    norm = torch.cat([p.detach().flatten() for p in one.parameters()]).norm().item()
    assert values["weights/norm"] == pytest.approx(norm, rel=1e-5)
    assert values["gradients/norm"] > 0


def test_what_failed_is_said_at_once_at_the_end_with_a_count_and_stays_with_the_run(capsys):
    sink = MemorySink()
    tracker = Tracker(model(), experiment="e", sink=sink, measuring=TIER_0)
    for step in range(3):
        tracker.evaluate(step, train=(X, Y), test=(torch.zeros(5, 9), torch.zeros(5).long()))
    assert capsys.readouterr().err.count("'test' could not be measured at step 0") == 1
    tracker.close()
    assert sink.failed.startswith(
        "3 evaluations failed: the split 'test' could not be measured (RuntimeError("
    )
    assert capsys.readouterr().err == f"grokscope: {sink.failed}.\n"
