"""All instruments of tiers 0 and 1: documented, within their bounds, without a trace, the same twice."""

import functools
import importlib
import inspect
import itertools
import pkgutil
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from grokscope.collectors import Measuring, Tracker, measures
from grokscope.collectors.evaluating.forward_pass import forward_pass
from grokscope.collectors.evaluating.preserved_state import preserved_state
from grokscope.collectors.evaluating.splits.scores import scores_of
from grokscope.collectors.evaluating.update_recorder import UpdateRecorder
from grokscope.collectors.evaluating.weights import snapshot, weight_measures
from grokscope.collectors.measures import (
    active_units,
    alignment,
    attention_heads,
    cheap,
    default,
    early_loss,
    everything,
    expert_routing,
    in_context,
    repeated_tokens,
    slices,
    update_window,
)
from grokscope.collectors.measures.instrument import StepContext, tier_of
from grokscope.collectors.measures.table import GIVERS
from grokscope.collectors.testing import MemorySink
from grokscope.schemas import Tier, find_metric

MODULES = [
    importlib.import_module(m.name) for m in pkgutil.walk_packages(measures.__path__, f"{measures.__name__}.")
]
CONSTRUCTORS = {make.name: make for make in measures.INSTRUMENTS}
BATCH, LENGTH, TOKENS = 12, 16, 9


class Experts(nn.Module):
    """A language model of one attention layer and two routed ones."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.routers = nn.ModuleList([nn.Linear(8, 4, bias=False) for _ in range(2)])
        self.experts = nn.Parameter(torch.randn(2, 4, 8, 8) / 3)
        self.dropout, self.norm = nn.Dropout(0.5), nn.BatchNorm1d(LENGTH)
        self.output = nn.Linear(8, TOKENS)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = self.norm(x + self.attention(x, x, x, need_weights=False)[0])
        for router, experts in zip(self.routers, self.experts, strict=True):
            x = x + torch.einsum("btd,bte,edf->btf", x, router(x).softmax(-1), experts).relu()
        return self.output(self.dropout(x))


class Run:
    """A few steps of training, and readings of it as a tracker makes them."""

    def __init__(self):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.model = Experts()
            tokens = torch.randint(0, TOKENS, (3 * BATCH, LENGTH + 1))
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-2)
        self.updates = UpdateRecorder(self.model, self.optimizer, is_due=lambda: True)
        self.init = snapshot(self.model)
        parts = {"train": tokens[:BATCH], "test": tokens[BATCH:]}
        self.splits = {name: (part[:, :-1], part[:, 1:]) for name, part in parts.items()}

    def step(self):
        with torch.random.fork_rng():
            torch.manual_seed(1)
            inputs, targets = self.splits["train"]
            self.optimizer.zero_grad()
            loss = cross_entropy(self.model(inputs).flatten(0, 1), targets.flatten())
            loss.backward()
            self.optimizer.step()
        return loss

    def read(self, instrument, step=0):
        passes = {name: forward_pass(self.model, data) for name, data in self.splits.items()}
        context = StepContext(
            step=step,
            model=self.model,
            optimizer=self.optimizer,
            init=self.init,
            splits=self.splits,
            passes=passes,
        )
        with preserved_state(self.model):
            return instrument(context)


@pytest.fixture
def run():
    run = Run()
    run.step()
    return run


def told():
    """Instruments of tiers 0 and 1 that are told what they need to know."""
    groups = {"test": torch.arange(2 * BATCH * LENGTH) % 3}
    other = torch.randn(2 * BATCH * LENGTH, 3, generator=torch.Generator().manual_seed(0))
    return [
        slices(groups, names=["a", "b", "c/d"]),
        attention_heads(tokens=repeated_tokens(TOKENS, sequences=4, length=LENGTH)),
        expert_routing(["routers.0", "routers.1"], top_k=2),
        in_context(early=2, late=10),
        active_units(layers=["output"], threshold=0.01),
        update_window(window=3, width=64),
        alignment(reference={"test": other}),
    ]


# The costly ones are walked in test_costly.py.
WALKED = {f"{i}: {one.name}": i for i, one in enumerate([*cheap(), *told()])}


def instrument(name):
    return [*cheap(), *told()][WALKED[name]]


@functools.cache
def measured():
    """What each instrument of tiers 0 and 1 gives over a few steps, by its name."""
    run, held = Run(), [*cheap(), *told(), early_loss(steps=4)]
    values = {one.name: {} for one in held}
    for step in range(5):
        held[-1].see(run.step())
        for one in held:
            values[one.name] |= run.read(one, step)
    x, bits = torch.randn(8, 4), torch.eye(2).repeat(4, 1).roll(1, 1) + torch.eye(8)[:, :2]
    splits = {
        "test": forward_pass(run.model, run.splits["test"]),
        "val": forward_pass(nn.Linear(4, 2), (x, bits.clamp(max=1))),
        "shift:values": forward_pass(nn.Linear(4, 1), (x, x.sum(1))),
    }
    part = scores_of(forward_pass(run.model, run.splits["train"]), sampled=BATCH, is_part=True)
    curves = {f"{split}/{q}": v for split, seen in splits.items() for q, v in scores_of(seen).items()}
    curves |= {f"train/{q}": torch.as_tensor(v) for q, v in part.items()}
    own = curves | weight_measures(run.model, init=run.init, matrices=False) | run.updates.pop()
    return values | {"Tracker.evaluate": own}


def test_every_instrument_gives_what_its_constructor_says_within_bounds_and_nothing_else():
    values = measured()
    for name, seen in values.items():
        said = CONSTRUCTORS[name].measures if name in CONSTRUCTORS else GIVERS[0].measures
        assert {find_metric(key) for key in seen} == set(said), name
    for key, value in [item for seen in values.values() for item in seen.items()]:
        row, number = find_metric(key), float(value)
        assert torch.is_tensor(value), key
        assert (value.ndim, value.is_floating_point(), value.requires_grad) == (0, True, False), key
        assert np.isfinite(number), key
        assert row.low is None or number >= row.low - 1e-5, key
        assert row.high is None or number <= row.high + 1e-5, key


def test_every_constructor_of_a_cheap_instrument_is_walked():
    cheap_ones = {name for name, make in CONSTRUCTORS.items() if tier_of(make.measures) is not Tier.COSTLY}
    assert measured().keys() >= cheap_ones - {"modular_addition", "sparse_parity"}


def traces(run):
    """Whatever an instrument could have changed."""
    tensors = [*run.model.parameters(), *run.model.buffers(), *(p.grad for p in run.model.parameters())]
    adam = [v for s in run.optimizer.state.values() for v in s.values()]
    modules = list(run.model.modules())
    return {
        "tensors": [(t.detach().clone(), t.requires_grad) for t in tensors],
        "optimizer": [t.clone() for t in adam],
        "modes": [m.training for m in modules],
        "hooks": [
            (len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks)) for m in modules
        ],
        "random states": [torch.random.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()],  # noqa: NPY002 - the state others draw from
        "gradients": torch.is_grad_enabled(),
    }


def same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(itertools.starmap(same, zip(one, other, strict=True)))
    return one == other


@pytest.mark.parametrize("name", WALKED)
def test_an_instrument_leaves_no_trace(run, name):
    before = traces(run)
    run.read(instrument(name))
    after = traces(run)
    assert [what for what, held in before.items() if not same(after[what], held)] == []


@pytest.mark.parametrize("name", WALKED)
def test_the_same_reading_twice_gives_the_same_values(run, name):
    one, other = (run.read(instrument(name)) for _ in range(2))
    assert one.keys() == other.keys()
    assert {k: float(v) for k, v in one.items()} == pytest.approx(
        {k: float(v) for k, v in other.items()}, nan_ok=True
    )


@pytest.mark.parametrize(
    "name", [name for name in WALKED if "attention_heads" not in name]
)  # needs its tokens
def test_without_splits_passes_and_optimizer_an_instrument_does_not_fail(name):
    model = nn.Sequential(nn.ReLU())
    values = instrument(name)(StepContext(step=0, model=model))
    assert all(find_metric(key) is not None for key in values)


def test_an_instrument_is_as_costly_as_the_costliest_of_its_measures():
    assert {one.name: one.tier for one in everything()} == {
        one.name: tier_of(CONSTRUCTORS[one.name].measures) for one in everything()
    }


def test_names_are_unique_and_the_sets_are_nested():
    names = [[one.name for one in held()] for held in (default, cheap, everything)]
    assert [len(set(n)) for n in names] == [len(n) for n in names]
    assert set(names[0]) < set(names[1]) < set(names[2])
    assert {one.tier for one in cheap()} == {Tier.FREE, Tier.CHEAP}


def test_each_set_has_its_instruments():
    standard = {"second_moments", "weight_spectra", "neural_collapse"}
    more = {
        *("movement", "macro", "reliability", "layer_margins", "in_context", "representation_spectrum"),
        *("intrinsic_dimension", "linear_probe", "alignment", "active_units", "gradient_noise"),
        "update_window",
    }
    costly = {
        *("sharpness", "hessian_spread", "last_layer_flatness", "commutator", "tangent_alignment"),
        *("heavy_tails", "compression", "cut_weights", "synergy", "regions", "learning_coefficient"),
    }
    assert [{one.name for one in held()} for held in (default, cheap, everything)] == [
        standard,
        standard | more,
        standard | more | costly,
    ]


@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_a_constructor_is_imported_from_the_package_under_its_name_and_takes_options_by_keyword(name):
    options = inspect.signature(getattr(measures, name)).parameters.values()
    assert [p.name for p in options if p.default is not p.empty and p.kind is not p.KEYWORD_ONLY] == []


def test_every_constructor_of_the_modules_is_collected():
    made = {
        value.name
        for module in MODULES
        for value in vars(module).values()
        if isinstance(getattr(value, "use", None), measures.Use)
        if isinstance(getattr(value, "measures", None), tuple)
    }
    assert made == CONSTRUCTORS.keys()


def test_a_tracker_takes_a_whole_set_of_instruments():
    run, sink = Run(), MemorySink()
    measuring = Measuring(budget=1.0, defaults=False)
    options = {"experiment": "all", "measuring": measuring, "sink": sink}
    with Tracker(run.model, run.optimizer, measures=cheap(), **options) as tracker:
        tracker.evaluate(0, **run.splits)
    cost = {key.removeprefix("collector/seconds/") for _, key, _ in sink.rows()}
    assert cost >= {one.name for one in cheap()}
