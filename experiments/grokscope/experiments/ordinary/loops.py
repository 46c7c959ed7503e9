"""What ordinary loops are made of: batches, an epoch, a look at the held-out set; and what a training is."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer

from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.testing import MemorySink
from grokscope.experiments.ordinary.data import Split

Row = tuple[int, dict[str, float]]


class Training(Protocol):
    """A training whose rows (step, metric -> value) come as they are logged; its name is the run's."""

    @property
    def __name__(self) -> str: ...

    def __call__(self) -> Iterator[Row]:
        """Train from the start with a seed of its own."""
        ...


def mlp(*widths: int) -> nn.Sequential:
    """Return layers of these widths with ReLU between them; images are flattened first.

    >>> mlp(64, 32, 10)(torch.zeros(5, 1, 8, 8)).shape
    torch.Size([5, 10])
    """
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def cnn(*, channels: int, dropout: float = 0.0, batch_norm: bool = False) -> nn.Sequential:
    """Return a small convolutional classifier of the digits.

    >>> cnn(channels=4)(torch.zeros(5, 1, 8, 8)).shape
    torch.Size([5, 10])
    """
    norms = [nn.BatchNorm2d(width) if batch_norm else nn.Identity() for width in (channels, 2 * channels)]
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1), norms[0], nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(channels, 2 * channels, 3, padding=1), norms[1], nn.ReLU(), nn.Flatten(),
        nn.Dropout(dropout), nn.Linear(2 * channels * 16, 10),
    )  # fmt: skip


def batches(data: Split, size: int) -> Iterator[Split]:
    """Yield every example once, shuffled; the last batch may be smaller.

    >>> [len(targets) for _, targets in batches((torch.zeros(5, 2), torch.zeros(5)), 2)]
    [2, 2, 1]
    """
    inputs, targets = data
    order = torch.randperm(len(targets))
    for start in range(0, len(targets), size):
        chosen = order[start : start + size]
        yield inputs[chosen], targets[chosen]


def endless(data: Split, size: int) -> Iterator[Split]:
    """Yield the batches of one epoch after the other."""
    while True:
        yield from batches(data, size)


def learn(optimizer: Optimizer, loss: Tensor) -> float:
    """Take one step down ``loss``; return what it was."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def accuracy_of(logits: Tensor, targets: Tensor) -> float:
    """Return the share of examples whose largest logit is the right one.

    >>> accuracy_of(torch.tensor([[0.0, 1.0], [0.0, 1.0]]), torch.tensor([1, 0]))
    0.5
    """
    return (logits.argmax(dim=-1) == targets).float().mean().item()


def epoch_of(
    model: nn.Module,
    optimizer: Optimizer,
    data: Split,
    size: int,
    altered: Callable[[Tensor], Tensor] | None = None,
) -> tuple[float, float]:
    """Train for an epoch; return loss and accuracy as progress bars show them: means over its batches."""
    losses: list[float] = []
    accuracies: list[float] = []
    for inputs, targets in batches(data, size):
        logits = model(inputs if altered is None else altered(inputs))
        accuracies.append(accuracy_of(logits, targets))
        losses.append(learn(optimizer, cross_entropy(logits, targets)))
    return mean_of(losses), mean_of(accuracies)


def evaluated(model: nn.Module, data: Split) -> tuple[float, float]:
    """Return a classifier's loss and accuracy in evaluation mode."""
    logits = predicted(model, data[0])
    return cross_entropy(logits, data[1]).item(), accuracy_of(logits, data[1])


@torch.no_grad()
def predicted(model: nn.Module, inputs: Tensor) -> Tensor:
    """Return what the model says in evaluation mode, without gradients."""
    was_training = model.training
    outputs = model.eval()(inputs)
    model.train(was_training)
    return outputs


def tracked(model: nn.Module, optimizer: Optimizer) -> Tracker:
    """Return our own tracker; what it measures shall not depend on how fast the machine is."""
    return Tracker(
        model, optimizer, experiment="ordinary", measuring=Measuring(budget=1e9), sink=MemorySink()
    )


def mean_of(values: Sequence[float]) -> float:
    """Return the mean.

    >>> mean_of([1.0, 2.0])
    1.5
    """
    return sum(values) / len(values)
