"""Tables of binary operations, whole and split at random."""

import itertools
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from grokscope.experiments.training.batches import Split
from grokscope.experiments.training.splits import random_split


def _inverse(residues: Tensor, p: int) -> Tensor:
    return torch.tensor([pow(int(one), -1, p) for one in residues])


def _prime_after(number: int) -> int:
    return next(n for n in itertools.count(number + 1) if all(n % factor for factor in range(2, n)))


OPERATIONS: Mapping[str, Callable[[Tensor, Tensor, int], Tensor]] = MappingProxyType(
    {
        "x+y": lambda x, y, p: (x + y) % p,
        "x-y": lambda x, y, p: (x - y) % p,
        "x*y": lambda x, y, p: (x * y) % p,
        "x/y": lambda x, y, p: (x * _inverse(y, p)) % p,
        "x^2+y^2": lambda x, y, p: (x * x + y * y) % p,
    }
)
"""Name -> the result for residues x, y modulo p; x/y has no y of 0."""


def operation_table(operation: str, p: int, fraction: float, seed: int) -> tuple[Split, Split]:
    """Return the table of an operation modulo p as (train, test), split at random.

    All pairs of 0 <= x < p and 0 <= y < p, or 0 < y < p for x/y, as Power et al. 2022 (arXiv:2201.02177,
    appendix A.1.1) have it.

    Args:
        operation: One of ``OPERATIONS``.
        p: At least 2, and a prime for x/y.
        fraction: Share of the pairs that is trained on.
        seed: Of the split.

    Raises:
        ValueError: If there is no such operation, if not every y has an inverse for x/y, or if ``fraction``
            leaves one side empty.

    >>> train, test = operation_table("x/y", 5, 0.6, seed=0)
    >>> train[0].shape, test[1].shape
    (torch.Size([12, 2]), torch.Size([8]))
    """
    if operation not in OPERATIONS:
        raise ValueError(f"operation is one of {', '.join(OPERATIONS)}, got {operation!r}")
    if operation == "x/y" and any(p % factor == 0 for factor in range(2, p)):
        raise ValueError(f"p is a prime where operation is x/y, got {p}; the next is {_prime_after(p)}")
    residues = torch.arange(p)
    pairs = torch.cartesian_prod(residues, residues[1:] if operation == "x/y" else residues)
    return divided((pairs, OPERATIONS[operation](pairs[:, 0], pairs[:, 1], p)), fraction, seed)


def divided(table: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """Return a table as (train, test), split at random.

    Raises:
        ValueError: If ``fraction`` leaves one side empty.
    """
    total = len(table[1])
    count = int(fraction * total)
    if not 0 < count < total:
        raise ValueError(f"train_fraction must leave examples on both sides, got {fraction}")
    return random_split(table, count, seed=seed)
