"""One batch as people hold it: a pair, a longer tuple, a dict; tensors, arrays or lists of numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from operator import itemgetter
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from grokscope.collectors.evaluating.splits.reading.signature import TARGET_NAMES, PositionalInputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One batch.

    Attributes:
        inputs: A tensor, a tuple of tensors for ``model(*inputs)``, or a mapping of named inputs.
        targets: Their first dimension counts examples, as that of the inputs.
        is_named: The batch was a dict as libraries of language models make them, targets among the inputs.
        left_out: Tensors that follow the targets of a longer tuple.
        rivals: So many of these, the first, are the targets instead if the model takes what is before them.
    """

    inputs: Any
    targets: Tensor
    is_named: bool = False
    left_out: tuple[Tensor, ...] = ()
    rivals: int = 0


def item_of(given: object, takes: PositionalInputs) -> Item | None:
    """Return what is given as a batch if it is one.

    Of a sequence, the first are the inputs, a tensor or a tuple or dict of them, and the second are the
    targets. Where more than two tensors stand side by side, as many are inputs as the model must get, and a
    mask of padding, and the next are the targets; what follows (indices, weights) is left out. Of a dict,
    the first of ``labels``, ``label``, ``targets``, ``target`` and ``y`` are the targets, and what is a
    tensor is kept of the rest.

    Args:
        given: Anything.
        takes: What the model takes by position.

    Raises:
        ValueError: If a dict holds no targets, or no inputs, or the model takes all tensors of a tuple.

    >>> one, two = (PositionalInputs(required=tuple(names)) for names in ("x", "ab"))
    >>> item_of((torch.zeros(2, 3), torch.tensor([0, 1]), "names"), one).targets
    tensor([0, 1])
    >>> len(item_of((torch.zeros(2, 3), torch.zeros(2, 3), torch.tensor([0, 1])), two).inputs)
    2
    >>> sorted(item_of({"tokens": torch.zeros(2, 3), "labels": [0, 1]}, one).inputs)
    ['tokens']
    >>> item_of([torch.zeros(2, 3)], one) is None
    True
    """
    if isinstance(given, Mapping):
        return _of_mapping(cast("Mapping[str, object]", given))
    if not isinstance(given, tuple | list) or len(cast("Sequence[object]", given)) < 2:  # noqa: PLR2004
        return None
    held = cast("Sequence[object]", given)
    tensors = _leading_tensors(held)
    if len(tensors) > 1:
        return _of_flat(tensors, takes)
    if tensors:
        return None
    targets, inputs = as_tensor(held[1]), _inputs_of(held[0])
    if targets is None or not targets.ndim or inputs is None:
        return None
    return Item(inputs=inputs, targets=targets)


def as_tensor(given: object) -> Tensor | None:
    """Return a tensor, an array or a list of numbers as a tensor; ``None`` of anything else.

    Arrays of double precision, which NumPy makes unless told otherwise, become torch's default precision.

    >>> as_tensor(np.zeros(1)).dtype, as_tensor([[1, 2], [3]]), as_tensor(["a"])
    (torch.float32, None, None)
    """
    if isinstance(given, Tensor):
        return given
    if isinstance(given, list | tuple) and _is_numeric(cast("Sequence[object]", given)):
        try:
            return torch.tensor(given)
        except (TypeError, ValueError):  # rows that differ in length, or hold more than numbers
            return None
    return _of_array(cast("Any", given)) if isinstance(given, np.ndarray) else None


def tensors_of(inputs: object) -> Iterator[Tensor]:
    """Yield the tensors that inputs hold, however deep.

    >>> [part.shape for part in tensors_of({"a": {"b": torch.zeros(2)}})]
    [torch.Size([2])]
    """
    if isinstance(inputs, Tensor):
        yield inputs
        return
    held: Any = inputs
    for part in held.values() if isinstance(inputs, Mapping) else held:
        yield from tensors_of(part)


def changed(inputs: Any, change: Any) -> Any:
    """Return inputs of the same form, each tensor of them changed.

    >>> changed({"a": (torch.zeros(2),)}, lambda part: part + 1)
    {'a': (tensor([1., 1.]),)}
    """
    if isinstance(inputs, Tensor):
        return change(inputs)
    if isinstance(inputs, Mapping):
        named = cast("Mapping[str, object]", inputs)
        return {name: changed(part, change) for name, part in named.items()}
    return tuple(changed(part, change) for part in inputs)


def cut(item: Item, size: int | None) -> Iterator[Item]:
    """Yield a batch in parts of at most ``size`` examples.

    Raises:
        ValueError: If inputs and targets hold different numbers of examples, or none.

    >>> item = Item(inputs=torch.zeros(3, 1), targets=torch.arange(3))
    >>> [part.targets.tolist() for part in cut(item, 2)]
    [[0, 1], [2]]
    """
    parts = (item.inputs,) if isinstance(item.inputs, Tensor) else tensors_of(item.inputs)
    lengths = [len(part) if part.ndim else 0 for part in (*parts, item.targets)]
    if len(set(lengths)) != 1 or not lengths[0]:
        raise ValueError(
            f"inputs and targets must hold the same number of examples, at least one, got {lengths}; "
            "check how the split was cut"
        )
    if size is None or size >= lengths[0]:
        yield item
        return
    for start in range(0, lengths[0], size):
        span = slice(start, start + size)
        inputs, left_out = changed((item.inputs, item.left_out), itemgetter(span))
        yield replace(item, inputs=inputs, targets=item.targets[span], left_out=left_out)


def is_empty(item: Item) -> bool:
    """Say whether a batch holds no example.

    >>> is_empty(Item(inputs=torch.zeros(0, 3), targets=torch.zeros(0)))
    True
    """
    return not any(len(part) if part.ndim else 1 for part in (*tensors_of(item.inputs), item.targets))


def check_size(batch_size: int | None) -> None:
    """Refuse a size of batches that cannot be.

    Raises:
        ValueError: If it is below 1.

    >>> check_size(None)
    """
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}; None takes the split whole")


def shape_of(given: object) -> str:
    """Return what something is, and of what, for a sentence.

    >>> shape_of((1, torch.zeros(1))), shape_of({"x": 1})
    ('tuple[int, Tensor]', "dict of 'x'")
    """
    name = type(given).__name__
    if isinstance(given, Mapping):
        return (
            f"{name} of {', '.join(map(repr, list(cast('Mapping[object, object]', given))[:6])) or 'nothing'}"
        )
    if not isinstance(given, tuple | list):
        return name
    held = cast("Sequence[object]", given)
    return f"{name}[{', '.join(type(part).__name__ for part in held[:6])}{', ...' if len(held) > 6 else ''}]"  # noqa: PLR2004


def _of_array(array: Any) -> Tensor | None:
    if array.dtype.kind not in "fiub":
        return None
    if array.dtype == np.float64:
        return torch.from_numpy(array.astype(np.float32))
    if array.dtype.kind in "iu" and array.dtype != np.uint8:
        return torch.from_numpy(array.astype(np.int64))
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def _of_mapping(given: Mapping[str, object]) -> Item:
    name = next((name for name in TARGET_NAMES if name in given), None)
    if name is None:
        raise ValueError(
            f"a batch that is a dict must hold its targets as one of {', '.join(TARGET_NAMES)}, got "
            f"{shape_of(given)}; name them, or pass pairs (inputs, targets)"
        )
    targets = as_tensor(given[name])
    if targets is None or not targets.ndim:
        raise ValueError(
            f"the targets {name!r} of a batch must be a tensor with one entry an example or more, got "
            f"{type(given[name]).__name__}; pad rows of different length, in the loader's collate_fn"
        )
    inputs = _inputs_of({key: value for key, value in given.items() if key != name})
    if not inputs:
        raise ValueError(
            f"a batch that is a dict must hold tensors beside its targets, got {shape_of(given)}; name them "
            "as the model's forward does"
        )
    return Item(inputs=inputs, targets=targets, is_named=True)


def _inputs_of(given: object) -> Any:
    """Return inputs with every array a tensor; of a mapping only what is one; ``None`` if that fails."""
    if isinstance(given, Mapping):
        named = {key: _inputs_of(value) for key, value in cast("Mapping[str, object]", given).items()}
        return {key: value for key, value in named.items() if value is not None} or None
    if (tensor := as_tensor(given)) is not None:
        return tensor
    if not isinstance(given, tuple | list) or not given:
        return None
    parts = tuple(_inputs_of(part) for part in cast("Sequence[object]", given))
    return None if any(part is None for part in parts) else parts


def _of_flat(tensors: list[Tensor], takes: PositionalInputs) -> Item:
    counts = takes.counts(tensors)
    count = counts[0]
    targets, rest = tensors[count], tensors[count + 1 :]
    left_out = tuple(takewhile(lambda part: len(part) == len(targets), rest))
    return Item(
        inputs=tensors[0] if count == 1 else tuple(tensors[:count]),
        targets=targets,
        left_out=left_out,
        rivals=min(len(counts) - 1, len(left_out)),
    )


def _leading_tensors(given: Sequence[object]) -> list[Tensor]:
    """Return the tensors that stand at the front, arrays and lists of numbers among them."""
    found: list[Tensor] = []
    for part in given:
        tensor = as_tensor(part)
        if tensor is None or (found and not tensor.ndim):
            break
        found.append(tensor)
    return found


def _is_numeric(given: Sequence[object]) -> bool:
    first: object = given
    while isinstance(first, list | tuple):
        held = cast("Sequence[object]", first)
        first = held[0] if held else None
    return isinstance(first, int | float)
