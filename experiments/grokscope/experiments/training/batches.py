"""Batches of a training set: all of it at each step, or so many drawn anew."""

from collections.abc import Callable

import torch
from torch import Tensor

Split = tuple[Tensor, Tensor]


def examples_a_step(batch: int, count: int) -> int:
    """Return how many of ``count`` examples a step takes: ``batch``, or all where that is 0 or more.

    >>> [examples_a_step(batch, 100) for batch in (0, 32, 500)]
    [100, 32, 100]
    """
    return min(batch, count) or count


def batch_source(data: Split, size: int, *, seed: int) -> Callable[[], Split]:
    """Return a function that gives the next batch: ``size`` examples of an epoch in random order.

    Args:
        data: Inputs and targets, examples first.
        size: Examples a batch; 0, or as many as there are, gives all of ``data`` each time.
        seed: Of the order; the global random state is left alone.

    >>> draw = batch_source((torch.arange(4), torch.arange(4)), 2, seed=0)
    >>> sorted(torch.cat([draw()[0], draw()[0]]).tolist())
    [0, 1, 2, 3]
    """
    inputs, targets = data
    count = len(targets)
    size = examples_a_step(size, count)
    if size == count:
        return lambda: data
    generator = torch.Generator().manual_seed(seed)
    order = torch.empty(0, dtype=torch.int64)

    def draw() -> Split:
        nonlocal order
        if len(order) < size:
            order = torch.cat([order, torch.randperm(count, generator=generator)])
        chosen, order = order[:size], order[size:]
        return inputs[chosen], targets[chosen]

    return draw
