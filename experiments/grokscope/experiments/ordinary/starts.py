"""Trainings that do not start like others: from learned weights, from bad ones, or again with every task."""

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD, Adam, AdamW

from grokscope.experiments.ordinary.data import Split, digits
from grokscope.experiments.ordinary.loops import (
    Row,
    accuracy_of,
    batches,
    endless,
    epoch_of,
    evaluated,
    learn,
    mlp,
    tracked,
)


def digits_fine_tuned() -> Iterator[Row]:
    """A network that knows clean digits goes on with dim, noisy ones, through our own tracker."""
    torch.manual_seed(11)
    train, held_out = digits()
    model = mlp(64, 128, 10)
    pretraining = Adam(model.parameters(), lr=1e-3)
    for _ in range(15):
        epoch_of(model, pretraining, train, 50)
    train, test = _dim(train), _dim(held_out)
    optimizer = AdamW(model.parameters(), lr=1e-3)
    with tracked(model, optimizer) as tracker:
        for step, (inputs, targets) in zip(range(501), endless(train, 50), strict=False):
            if tracker.due(step):
                splits = {"train": train, "test": test, "shift:clean": held_out}
                yield step, tracker.evaluate(step, splits)
            learn(optimizer, cross_entropy(model(inputs), targets))


def digits_transferred() -> Iterator[Row]:
    """Features learned on 0 to 4 are frozen; a new linear head learns 5 to 9."""
    torch.manual_seed(12)
    train, held_out = digits()
    body = mlp(64, 64, 64)
    source = nn.Sequential(body, nn.ReLU(), nn.Linear(64, 10))
    pretraining = Adam(source.parameters(), lr=1e-3)
    for _ in range(20):
        epoch_of(source, pretraining, _of(train, range(5)), 50)
    body.requires_grad_(False)
    model = nn.Sequential(body, nn.ReLU(), nn.Linear(64, 10))
    head = Adam(model[2].parameters(), lr=5e-3)
    train, held_out = _of(train, range(5, 10)), _of(held_out, range(5, 10))
    for epoch in range(60):
        tr_loss, tr_acc = epoch_of(model, head, train, 50)
        te_loss, te_acc = evaluated(model, held_out)
        yield epoch, {"tr_loss": tr_loss, "tr_acc": tr_acc, "te_loss": te_loss, "te_acc": te_acc}


def digits_incremental() -> Iterator[Row]:
    """Two digits after the other two, five times, with names as Avalanche's loggers have them."""
    torch.manual_seed(13)
    train, held_out = digits()
    model = mlp(64, 128, 10)
    optimizer = SGD(model.parameters(), lr=0.1)
    step, accuracy = 0, 0.0
    for experience in range(5):
        for _ in range(12):
            for inputs, targets in batches(_of(train, _pair(experience)), 32):
                logits = model(inputs)
                accuracy = accuracy_of(logits, targets)
                learn(optimizer, cross_entropy(logits, targets))
                step += 1
            seen = {
                f"Top1_Acc_Exp/eval_phase/test_stream/Task000/Exp{k:03}": evaluated(
                    model, _of(held_out, _pair(k))
                )[1]
                for k in range(5)
            }
            whole = {"Top1_Acc_Stream/eval_phase/test_stream/Task000": evaluated(model, held_out)[1]}
            yield step, {"Top1_Acc_MB/train_phase/train_stream/Task000": accuracy} | seen | whole


def digits_bad_start() -> Iterator[Row]:
    """Six layers from weights that are far too small, through our own tracker."""
    torch.manual_seed(14)
    train, held_out = digits()
    model = mlp(64, 64, 64, 64, 64, 64, 10)
    for parameter in model.parameters():
        parameter.data *= 0.6
    optimizer = SGD(model.parameters(), lr=0.05, momentum=0.9)
    with tracked(model, optimizer) as tracker:
        for step, (inputs, targets) in zip(range(2001), endless(train, 50), strict=False):
            if step % 20 == 0:
                yield step, tracker.evaluate(step, train=train, val=held_out)
            learn(optimizer, cross_entropy(model(inputs), targets))


def _dim(data: Split) -> Split:
    images, targets = data
    return 0.3 * images + 0.4 * torch.rand_like(images), targets


def _of(data: Split, classes: range) -> Split:
    inputs, targets = data
    chosen = torch.isin(targets, torch.tensor(classes))
    return inputs[chosen], targets[chosen]


def _pair(experience: int) -> range:
    return range(2 * experience, 2 * experience + 2)
