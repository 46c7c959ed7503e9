"""Examples divided at random and joined."""

import torch
from torch import Tensor

from grokscope.experiments.training.batches import Split


def random_split(data: Split, count: int, *, seed: int) -> tuple[Split, Split]:
    """Return ``count`` examples, drawn at random, and the others.

    Args:
        data: Inputs and targets, examples first.
        count: Examples of the first part.
        seed: Of the draw; the global random state is left alone.

    >>> first, rest = random_split((torch.arange(5), torch.arange(5)), 3, seed=0)
    >>> len(first[0]), sorted(torch.cat([first[1], rest[1]]).tolist())
    (3, [0, 1, 2, 3, 4])
    """
    inputs, targets = data
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(seed))
    first, rest = order[:count], order[count:]
    return (inputs[first], targets[first]), (inputs[rest], targets[rest])


def joined(*parts: Split) -> Split:
    """Return the examples of all parts, in their order."""
    inputs, targets = zip(*parts, strict=True)
    return torch.cat(list[Tensor](inputs)), torch.cat(list[Tensor](targets))
