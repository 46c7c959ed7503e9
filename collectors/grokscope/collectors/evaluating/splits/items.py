"""One batch as people hold it: a pair, a longer tuple, a dict; tensors, arrays or lists of numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

TARGET_NAMES = ("labels", "label", "targets", "target", "y")
"""Keys of a dict, and arguments of a model, that hold targets; the first that is there counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One batch.

    Attributes:
        inputs: A tensor, a tuple of tensors for ``model(*inputs)``, or a mapping of named inputs.
        targets: Their first dimension counts examples, as that of the inputs.
        is_named: The batch was a dict as libraries of language models make them, targets among the inputs.
    """

    inputs: Any
    targets: Tensor
    is_named: bool = False


def item_of(given: object) -> Item | None:
    """Return what is given as a batch if it is one.

    A sequence of two or more is one where the second can be the targets: what follows (indices, weights) is
    left out. Where the second is the attention mask of tokens, the third are the targets. Of a dict, the
    first of ``labels``, ``label``, ``targets``, ``target`` and ``y`` are the targets, and what is a tensor is
    kept of the rest.

    Raises:
        ValueError: If a dict holds no targets, or no inputs.

    >>> item_of((torch.zeros(2, 3), torch.tensor([0, 1]), "names")).targets
    tensor([0, 1])
    >>> sorted(item_of({"input_ids": torch.zeros(2, 3), "labels": [0, 1]}).inputs)
    ['input_ids']
    >>> item_of([torch.zeros(2, 3)]) is None
    True
    """
    if isinstance(given, Mapping):
        return _of_mapping(cast("Mapping[str, object]", given))
    if not isinstance(given, tuple | list) or len(cast("Sequence[object]", given)) < 2:  # noqa: PLR2004
        return None
    inputs, second, *more = cast("Sequence[object]", given)
    if more and _is_mask(second, inputs) and isinstance(more[0], Tensor):
        inputs, second = (inputs, second), more[0]
    targets = second if isinstance(second, Tensor) else as_tensor(second)
    if targets is None or not targets.ndim:
        return None
    found = inputs if isinstance(inputs, Tensor) else _inputs_of(inputs)
    return None if found is None else Item(inputs=found, targets=targets)


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
        inputs = changed(item.inputs, itemgetter(span))
        yield Item(inputs=inputs, targets=item.targets[span], is_named=item.is_named)


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


def _is_mask(given: object, tokens: object) -> bool:
    """Say whether ``given`` masks padding: 1 where there are tokens, from one end of each row on, else 0."""
    if not isinstance(given, Tensor) or not isinstance(tokens, Tensor) or given.shape != tokens.shape:
        return False
    if given.ndim != 2 or tokens.is_floating_point() or given.is_complex() or not given.numel():  # noqa: PLR2004
        return False
    wide = given.float()
    steps = wide.diff(dim=1)
    is_padded = ((steps <= 0).all(1) & (wide[:, 0] == 1)) | ((steps >= 0).all(1) & (wide[:, -1] == 1))
    return bool((((wide == 0) | (wide == 1)).all(1) & is_padded).all())


def _is_numeric(given: Sequence[object]) -> bool:
    first: object = given
    while isinstance(first, list | tuple):
        held = cast("Sequence[object]", first)
        first = held[0] if held else None
    return isinstance(first, int | float)
