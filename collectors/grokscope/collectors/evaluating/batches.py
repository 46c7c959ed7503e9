"""A split as batches: a pair of tensors cut up, or any iterable of such pairs."""

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from torch import Tensor

from grokscope.collectors.evaluating.splits.reading.items import Item, check_size, cut, item_of, shape_of
from grokscope.collectors.evaluating.splits.reading.signature import PositionalInputs

Inputs = Tensor | tuple[Tensor, ...]
"""What goes into the model: one tensor, or several for ``model(*inputs)``."""

Batch = tuple[Inputs, Tensor]
"""Inputs and targets; their first dimension counts examples."""

_TAKES = PositionalInputs(required=("inputs",))


def parts_of(inputs: Inputs) -> tuple[Tensor, ...]:
    """Return inputs as the arguments of the model.

    Source: definition. Cost: none.

    >>> import torch
    >>> parts_of(torch.zeros(1))
    (tensor([0.]),)
    """
    return inputs if isinstance(inputs, tuple) else (inputs,)


def batches(data: Batch | Iterable[Batch], *, batch_size: int | None = None) -> Iterator[Batch]:
    """Yield the batches of a split.

    Args:
        data: ``(inputs, targets)`` as tensors, or an iterable of such pairs (a ``DataLoader``, a list), which
            brings its own batch size. Lists of tensors, as loaders collate them, count as tuples, and
            lists of numbers as tensors.
        batch_size: Examples per batch when ``data`` is one pair; ``None`` takes it whole.

    Raises:
        ValueError: If an item is not a pair of inputs and targets with a batch dimension, the two differ in
            length, there is no item, or ``batch_size`` is not positive.

    Source: definition. Cost: views of a pair; whatever the iterable costs.

    >>> import torch
    >>> [targets.tolist() for _, targets in batches((torch.zeros(3, 2), torch.arange(3)), batch_size=2)]
    [[0, 1], [2]]
    """
    check_size(batch_size)
    whole = _pair(data)
    if whole is not None:
        yield from _cut(whole, batch_size)
        return
    if not hasattr(data, "__iter__"):
        raise ValueError(_unusable(data))
    empty = True
    for given in data:
        item, empty = _pair(given), False
        if item is None:
            raise ValueError(_unusable(given))
        yield from _cut(item, None)
    if empty:
        raise ValueError(
            "the split held no batches; an iterator reads only once, so pass a list or a DataLoader"
        )


def _pair(given: object) -> Item | None:
    """Return ``given`` as a batch if it is a pair: inputs, one tensor or a tuple of them, and targets."""
    item = None if isinstance(given, Mapping) else item_of(given, _TAKES)
    if item is None or item.left_out:
        return None
    parts = cast("tuple[object, ...]", parts_of(item.inputs))
    return item if all(isinstance(part, Tensor) for part in parts) else None


def _cut(item: Item, size: int | None) -> Iterator[Batch]:
    yield from ((part.inputs, part.targets) for part in cut(item, size))


def _unusable(given: object) -> str:
    return (
        "a split must be a pair (inputs, targets) of batched tensors or an iterable of such pairs, got "
        f"{shape_of(given)}; wrap a Dataset in a DataLoader"
    )
