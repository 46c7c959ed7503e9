"""Whole models piece by piece, so that what is made of them never takes another model's memory."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

# 8 MB in single precision: small beside a model, large beside the cost of a call.
_MOST = 2**21
# Below it a call for each tensor costs more than copying all of them into one.
_SMALL = 2**16


def in_pieces(
    first: Sequence[Tensor], second: Sequence[Tensor], *, most: int = _MOST
) -> Iterator[tuple[list[Tensor], list[Tensor], list[int]]]:
    """Yield two sets of tensors in aligned pieces, with the index of the tensor that each is of.

    Args:
        first: Tensors of any shape.
        second: The same shapes in the same order.
        most: Elements that a yielded set holds, unless a single tensor that cannot be cut holds more: one
            that is sharded, or not contiguous.

    Source: definition. Cost: views.

    >>> import torch
    >>> sets = in_pieces([torch.zeros(3), torch.zeros(2)], [torch.ones(3), torch.ones(2)], most=2)
    >>> [(list(map(len, pieces)), indices) for pieces, _, indices in sets]
    [([2], [0]), ([1], [0]), ([2], [1])]
    """
    held, count = _nothing(), 0
    for index, pair in enumerate(zip(first, second, strict=True)):
        for one, other in _cut(*pair, most):
            if count and count + one.numel() > most:
                yield held
                held, count = _nothing(), 0
            held[0].append(one)
            held[1].append(other)
            held[2].append(index)
            count += one.numel()
    if held[0]:
        yield held


def small_as_one(first: Sequence[Tensor], second: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Return two sets of tensors as one vector each if they are small, else as they are.

    Args:
        first: Tensors of any shape.
        second: The same shapes in the same order.

    Source: definition. Cost: a copy of at most 65,536 elements each.

    >>> small_as_one([torch.zeros(2, 2), torch.ones(1)], [torch.ones(2, 2), torch.ones(1)])[0]
    [tensor([0., 0., 0., 0., 1.])]
    """
    for tensors in (first, second):
        if len({(t.dtype, t.device) for t in tensors}) != 1 or sum(t.numel() for t in tensors) > _SMALL:
            return [*first], [*second]
    if len(first) == 1 or any(isinstance(t, DTensor) for t in (*first, *second)):
        return [*first], [*second]
    one, other = (torch.cat([t.reshape(-1) for t in tensors]) for tensors in (first, second))
    return [one], [other]


def _nothing() -> tuple[list[Tensor], list[Tensor], list[int]]:
    return [], [], []


def _cut(one: Tensor, other: Tensor, most: int) -> Iterator[tuple[Tensor, Tensor]]:
    is_whole = isinstance(one, DTensor) or not (one.is_contiguous() and other.is_contiguous())
    if is_whole or one.numel() <= most:
        yield one, other
        return
    flat = one.detach().view(-1), other.detach().view(-1)
    for start in range(0, one.numel(), most):
        yield flat[0][start : start + most], flat[1][start : start + most]
