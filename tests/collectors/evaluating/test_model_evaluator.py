"""The observer changes nothing: a run with every collector there is ends, bit for bit, as one with none."""

import contextlib
import random
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors import Measuring, Tracker, every
from grokscope.collectors.detecting.checkpoints import Checkpoints, saved
from grokscope.collectors.measures import (
    INSTRUMENTS,
    Subset,
    active_units,
    attention_heads,
    dropout,
    early_loss,
    everything,
    expert_routing,
    in_context,
    learning_coefficient,
    modular_addition,
    slices,
    sparse_parity,
)
from grokscope.collectors.measures.curvature.learning_coefficient import Sampling
from grokscope.collectors.testing import MemorySink
from grokscope.schemas import Kind, Status, Tier, Transition

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
BATCH, LENGTH, TOKENS, BITS = 8, 10, 9, 6
STEPS = 4


class Experts(nn.Module):
    """Dropout, batch statistics, attention, routed experts, a rewriting embedding and a weight used twice."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, 8, max_norm=2.0)
        self.attention = nn.MultiheadAttention(8, 2, dropout=0.2, batch_first=True)
        self.routers = nn.ModuleList([nn.Linear(8, 4, bias=False) for _ in range(2)])
        self.experts = nn.Parameter(torch.randn(2, 4, 8, 8) / 3)
        self.dropout, self.norm = nn.Dropout(0.5), nn.BatchNorm1d(LENGTH)
        self.output = nn.Linear(8, TOKENS)
        self.output.weight = self.embedding.weight
        self.frozen = nn.Linear(8, 8).requires_grad_(requires_grad=False)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = self.norm(x + self.attention(x, x, x, need_weights=False)[0])
        for router, experts in zip(self.routers, self.experts, strict=True):
            x = x + torch.einsum("btd,bte,edf->btf", x, router(x).softmax(-1), experts).relu()
        return self.output(self.dropout(self.frozen(x)))


class Parity(nn.Sequential):
    """Draws from every source of chance, also when evaluated; one module is kept in evaluation mode."""

    def __init__(self):
        super().__init__(nn.Linear(BITS, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Dropout(0.3), nn.Linear(9, 2))
        self[1].eval()

    def forward(self, bits):
        noise = random.random() + np.random.rand() + torch.rand((), device=bits.device)  # noqa: NPY002
        return super().forward(bits + 1e-3 * noise)


def tokens_of(count):
    drawn = torch.randint(0, TOKENS, (count, LENGTH + 1), generator=torch.Generator().manual_seed(0))
    return drawn[:, :-1], drawn[:, 1:]


def bits_of(count):
    drawn = torch.randint(0, 2, (count, BITS), generator=torch.Generator().manual_seed(0)) * 2.0 - 1
    return drawn, (drawn[:, 0] * drawn[:, 1] < 0).long()


def as_sequence(pairs):
    return pairs.repeat(1, LENGTH // 2)


def general():
    quick = learning_coefficient(how=Sampling(chains=2, draws=4, burn_in=1))
    held = [one for one in everything() if one.name != quick.name]
    return [*held, quick, dropout(subset=Subset(split="train"))]


def of_language():
    told = [
        attention_heads(samples=4),
        expert_routing(["routers.0", "routers.1"]),
        slices({"test": torch.arange(2 * BATCH * LENGTH) % 3}),
        modular_addition(p=TOKENS, inputs=as_sequence),
        early_loss(steps=4),
    ]
    quicker = {"in_context": in_context(early=2, late=10), "active_units": active_units(layers=["output"])}
    return [*(quicker.get(one.name, one) for one in general()), *told]


def of_parity():
    return [*general(), sparse_parity(bits=BITS, relevant=[0, 1], samples=64)]


MODELS = {"language": (Experts, tokens_of, of_language), "parity": (Parity, bits_of, of_parity)}


class Suspicious:
    """Suspects an event from the second evaluation on."""

    def __init__(self):
        self.status = None

    def update(self, step, values):
        if step < 1:
            return ()
        self.status = Status.SUSPECTED
        about = {"run_id": "r", "metric": "test/accuracy", "kind": Kind.GENERALIZATION}
        return (Transition(**about, status=self.status, step=step, low=step, high=step),)


@contextlib.contextmanager
def tracked(model, optimizer, measures, folder):
    """Everything that a tracker can be given."""
    sink = MemorySink()
    with Tracker(
        model,
        optimizer,
        experiment="e",
        run_id="r",
        measures=measures,
        measuring=Measuring(budget=1e9, defaults=False, examples_per_step=BATCH),
        schedule=every(2),
        dense=every(1),
        detector=Suspicious(),
        checkpoints=Checkpoints(folder),
        sink=sink,
    ) as tracker:
        yield tracker, sink


def backward(way, scaler, model, data):
    """One batch forward and backward, in the precision of ``way``; return the loss."""
    inputs, targets = data
    kind = {"bfloat16": torch.bfloat16, "float16 scaled": torch.float16}.get(way, torch.float32)
    with torch.autocast(inputs.device.type, dtype=kind, enabled=kind is not torch.float32):
        loss = cross_entropy(model(inputs).flatten(0, -2).float(), targets.flatten())
    scaler.scale(loss).backward()
    return loss


def train(name, way, device, folder=None):
    """Train for a few steps; return all that an observer could have changed, and what it logged."""
    torch.manual_seed(3)
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002 - the state others draw from
    kind, data_of, measures = MODELS[name]
    model = kind().to(device)
    called = torch.compile(model, backend="aot_eager") if way == "compiled" else model
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.01)
    scaler = torch.amp.GradScaler(device, enabled=way == "float16 scaled", init_scale=16.0)
    train_set, test_set = (tuple(p.to(device) for p in data_of(n)) for n in (BATCH, 2 * BATCH))
    draws = torch.Generator().manual_seed(1)
    loader = DataLoader(TensorDataset(*train_set), batch_size=BATCH // 2, shuffle=True, generator=draws)
    batches_a_step = 2 if way == "accumulated" else 1
    held, losses, tracker, sink = measures(), [], None, None
    with contextlib.ExitStack() as stack:
        if folder is not None:
            tracker, sink = stack.enter_context(tracked(called, optimizer, held, folder))
        for step in range(STEPS):
            for count, batch in enumerate(loader):
                if count % batches_a_step == 0:
                    optimizer.zero_grad()
                losses.append(backward(way, scaler, called, batch))
                if tracker is not None:
                    log(tracker, step, losses[-1], held)
                if (count + 1) % batches_a_step == 0:
                    scaler.step(optimizer)
                    scaler.update()
            if tracker is not None and tracker.due(step):
                tracker.evaluate(step, train=loader if step % 2 else train_set, test=test_set)
        ended = everything_of(model, optimizer, scaler, device)
    return {"losses": losses, "generator of the loader": draws.get_state(), **ended}, sink


def log(tracker, step, loss, held):
    """What a loop does after each batch."""
    tracker.log(step, {"train/batch_loss": loss})
    for one in held:
        if one.name == "early_loss":
            one.see(loss)


def everything_of(model, optimizer, scaler, device):
    """All that an observer could disturb."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return {
        "tensors": {name: tensor.detach().clone() for name, tensor in tensors},
        "gradients": {n: None if p.grad is None else p.grad.clone() for n, p in model.named_parameters()},
        "requires_grad": {name: (tensor.requires_grad, tensor.is_leaf) for name, tensor in tensors},
        "optimizer": [value for state in optimizer.state.values() for value in state.values()],
        "scaler": scaler.state_dict(),
        "modes": {name: module.training for name, module in model.named_modules()},
        "hooks": [len(getattr(module, hook)) for module in model.modules() for hook in hooks],
        "python": random.getstate(),
        "numpy": np.random.get_state(),  # noqa: NPY002 - as above
        "torch": torch.get_rng_state(),
        "accelerator": torch.cuda.get_rng_state() if device == "cuda" else None,
        "settings": (
            torch.is_grad_enabled(),
            torch.is_autocast_enabled(device),
            torch.get_default_dtype(),
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            torch.backends.mha.get_fastpath_enabled(),
            torch.backends.cuda.flash_sdp_enabled(),
            len(warnings.filters),
        ),
    }


def same(one, other):
    """Whether two things are equal, tensors to the bit."""
    if isinstance(one, torch.Tensor | np.ndarray):
        return type(one) is type(other) and torch.equal(torch.as_tensor(one), torch.as_tensor(other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return one == other


WAYS = ["plain", "compiled", "bfloat16", "float16 scaled", "accumulated"]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("name", "way"), [*(("language", way) for way in WAYS), ("parity", "plain")])
def test_training_is_the_same_to_the_bit_with_every_collector_and_with_none(
    name, way, device, tmp_path, capsys
):
    without, _ = train(name, way, device)
    observed, sink = train(name, way, device, tmp_path)
    assert [what for what in without if not same(without[what], observed[what])] == []
    assert capsys.readouterr().err == ""
    read = {key.removeprefix("collector/seconds/") for _, key, _ in sink.rows()}
    assert {one.name for one in MODELS[name][2]()} <= read
    assert [c.step for c in saved(tmp_path / "r")] == [0, 2, 3]
    assert (2, "detector/generalization", 1.0) in sink.rows()


def test_every_instrument_there_is_takes_part():
    held = [one for _, _, measures in MODELS.values() for one in measures()]
    assert {one.name for one in held} == {make.name for make in INSTRUMENTS}
    assert {one.tier for one in held} == set(Tier)
