"""A split as batches: a pair of tensors cut up, or any iterable of such pairs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeGuard

from torch import Tensor

Inputs = Tensor | tuple[Tensor, ...]
"""What goes into the model: one tensor, or several for ``model(*inputs)``."""

Batch = tuple[Inputs, Tensor]
"""Inputs and targets; their first dimension counts examples."""


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
            brings its own batch size. Lists of tensors, as loaders collate them, count as tuples.
        batch_size: Examples per batch when ``data`` is one pair; ``None`` takes it whole.

    Raises:
        ValueError: If an item is not a pair of inputs and targets with a batch dimension, the two differ in
            length, there is no item, or ``batch_size`` is not positive.

    Source: definition. Cost: views of a pair; whatever the iterable costs.

    >>> import torch
    >>> [targets.tolist() for _, targets in batches((torch.zeros(3, 2), torch.arange(3)), batch_size=2)]
    [[0, 1], [2]]
    """
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}; None takes the split whole")
    whole = _pair(data)
    if whole is not None:
        yield from _cut(*whole, batch_size)
        return
    if not hasattr(data, "__iter__"):
        raise ValueError(_unusable(data))
    empty = True
    for item in data:
        pair, empty = _pair(item), False
        if pair is None:
            raise ValueError(_unusable(item))
        yield from _cut(*pair, None)
    if empty:
        raise ValueError(
            "the split held no batches; an iterator reads only once, so pass a list or a DataLoader"
        )


def _pair(item: object) -> Batch | None:
    """Return ``item`` as a batch if it is one: two things, the second a tensor, the first one or several."""
    if not _is_sequence(item) or len(item) != 2:  # noqa: PLR2004 - inputs and targets
        return None
    inputs, targets = item
    if not isinstance(targets, Tensor) or not targets.ndim:
        return None
    if isinstance(inputs, Tensor):
        return inputs, targets
    several = tuple(part for part in inputs if isinstance(part, Tensor)) if _is_sequence(inputs) else ()
    return (several, targets) if several and _is_sequence(inputs) and len(several) == len(inputs) else None


def _is_sequence(item: object) -> TypeGuard[Sequence[object]]:
    return isinstance(item, tuple | list)


def _cut(inputs: Inputs, targets: Tensor, size: int | None) -> Iterator[Batch]:
    parts = parts_of(inputs)
    lengths = [len(part) if part.ndim else 0 for part in (*parts, targets)]
    if len(set(lengths)) != 1 or not lengths[0]:
        raise ValueError(
            f"inputs and targets must hold the same number of examples, at least one, got {lengths}; "
            "check how the split was cut"
        )
    size = size or lengths[0]
    for start in range(0, lengths[0], size):
        cut = tuple(part[start : start + size] for part in parts)
        yield cut if isinstance(inputs, tuple) else cut[0], targets[start : start + size]


def _unusable(item: object) -> str:
    shape = f"[{', '.join(type(part).__name__ for part in item)}]" if _is_sequence(item) else ""
    return (
        f"a split must be a pair (inputs, targets) of batched tensors or an iterable of such pairs, got "
        f"{type(item).__name__}{shape}; wrap a Dataset in a DataLoader"
    )
