"""How much one training batch holds, by the shapes of its parts; no device is waited for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

_TARGETS = frozenset({"labels", "label", "targets", "target", "y"})
_TOKENS = ("input_ids", "tokens", "inputs")
_MASK = "attention_mask"
_PAIR = 2
_SEQUENCES = 2
"""Dimensions of a batch of token ids."""
# Token ids are whole numbers of these types; bytes are more often pixels.
_IDS = ("int64", "int32", "int16", "uint16", "uint32", "uint64")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSize:
    """What one batch holds.

    Attributes:
        examples: Its first dimension.
        positions: Places that tokens can stand at, padding too; ``None`` where inputs are no token ids.
        tokens: Those of them that are no padding: a number, or a scalar tensor where the mask is on an
            accelerator.
        inputs: The inputs, the first where there are several.
    """

    examples: int
    positions: int | None
    tokens: Any
    inputs: Any


def size_of(batch: object, *, ignore_index: int | None) -> BatchSize:
    """Return how many examples and tokens a batch holds.

    Inputs are token ids where they are integers (bytes apart) of two dimensions, or of one where the
    targets are integers of the same shape; of a dict only ``input_ids``, ``tokens`` and ``inputs`` may be.
    Padding is what ``attention_mask`` leaves out. In a tuple of inputs, or a batch of three and more, it is
    what the tensor after the ids leaves out, if that is 1 from one end of each row on, else 0; in a pair of
    inputs and targets, what has the target ``ignore_index``. A dict without a mask has no padding: models
    read all of it, what has no label too.

    Args:
        batch: Inputs; a pair (inputs, targets) or a longer tuple; or a dict of named inputs. Tensors or
            arrays, on any device.
        ignore_index: Target of what is not counted; ``None`` counts all.

    Raises:
        ValueError: If it is something else.

    Source: definition. Cost: none for shapes; with a mask or ignored targets one sum, which is not waited for
    on an accelerator.

    >>> import torch
    >>> ids, mask = torch.tensor([[5, 6, 7], [8, 0, 0]]), torch.tensor([[1, 1, 1], [1, 0, 0]])
    >>> padded = size_of({"input_ids": ids, "attention_mask": mask}, ignore_index=-100)
    >>> padded.examples, padded.positions, padded.tokens
    (2, 6, 4)
    >>> images = size_of((torch.zeros(8, 3, 4, 4), torch.arange(8)), ignore_index=-100)
    >>> images.examples, images.tokens
    (8, None)
    """
    inputs, targets, mask, may_be_ids = _parts(batch)
    second = _second(batch)
    shape = _shape(inputs)
    if len(shape) == 0:
        raise ValueError(
            f"a training batch is inputs, a pair (inputs, targets) or a dict of tensors, got "
            f"{_described(batch)}; write tracker.seen(examples=..., tokens=...)"
        )
    if not (may_be_ids and _holds_ids(inputs, targets)):
        return BatchSize(examples=shape[0], positions=None, tokens=None, inputs=inputs)
    positions = shape[0] * (shape[1] if len(shape) > 1 else 1)
    tokens: Any = positions
    if _shape(mask) == shape:
        tokens = _number((mask != 0).sum())
    elif ignore_index is not None and not isinstance(batch, Mapping) and _is_ids(targets, shape):
        tokens = _number((targets != ignore_index).sum())
    if _shape(second) == shape and len(shape) == _SEQUENCES and positions:
        tokens = _chosen(masks_padding(second), (second != 0).sum(), tokens)
    return BatchSize(examples=shape[0], positions=positions, tokens=tokens, inputs=inputs)


def masks_padding(given: Any) -> Any:
    """Say whether each row is 1 from one of its ends on, else 0.

    Args:
        given: ``[N, T]``, a tensor or an array of real numbers.

    Returns:
        A single truth value, where ``given`` is.

    Source: definition. Cost: a few comparisons, without a synchronisation.

    >>> import numpy as np
    >>> bool(masks_padding(np.array([[1, 1, 0], [0, 0, 1]]))), bool(masks_padding(np.array([[1, 0, 1]])))
    (True, False)
    """
    later, earlier = given[:, 1:], given[:, :-1]
    falls = ~(later > earlier).any(1) & (given[:, 0] == 1)
    rises = ~(later < earlier).any(1) & (given[:, -1] == 1)
    return (((given == 0) | (given == 1)).all(1) & (falls | rises)).all()


def _parts(batch: object) -> tuple[Any, Any, Any, bool]:
    """Return inputs, targets and mask, as far as there are, and whether the inputs may be tokens."""
    held = _items(batch)
    given: Any = held[0] if held else batch
    targets: Any = held[1] if len(held) > 1 else None
    if several := _items(given):
        given = several[0]
    if not isinstance(given, Mapping):
        return cast("object", given), targets, None, True
    named = cast("Mapping[str, Any]", given)
    inputs = next((named[name] for name in _TOKENS if name in named and _shape(named[name])), None)
    is_told = inputs is not None
    if not is_told:
        others = (part for name, part in named.items() if name not in _TARGETS and _shape(part))
        inputs = next(others, None)
    if targets is None:
        targets = next((named[name] for name in _TARGETS if name in named), None)
    return inputs, targets, named.get(_MASK), is_told


def _second(batch: object) -> Any:
    """Return what follows the first of several inputs, if it may be their mask: it is not the targets."""
    held = _items(batch)
    inputs = _items(held[0]) if held else []
    return inputs[1] if len(inputs) > 1 else held[1] if len(held) > _PAIR else None


def _chosen(condition: Any, one: Any, other: Any) -> Any:
    if getattr(getattr(condition, "device", None), "type", "cpu") == "cpu":
        return _number(one) if bool(condition) else other
    return condition * one + ~condition * other  # which one is not waited for


def _items(given: object) -> list[Any]:
    return list(cast("Sequence[Any]", given)) if isinstance(given, tuple | list) else []


def _holds_ids(inputs: Any, targets: Any) -> bool:
    shape = _shape(inputs)
    return _is_ids(inputs, shape) and (
        len(shape) == _SEQUENCES or (len(shape) == 1 and _is_ids(targets, shape))
    )


def _is_ids(part: Any, shape: tuple[int, ...]) -> bool:
    return _shape(part) == shape and str(getattr(part, "dtype", "")).removeprefix("torch.") in _IDS


def _shape(part: Any) -> tuple[int, ...]:
    return tuple(int(length) for length in getattr(part, "shape", ()))


def _number(total: Any) -> Any:
    """Return a count as a number, unless that would mean to wait for an accelerator."""
    return total if getattr(getattr(total, "device", None), "type", "cpu") != "cpu" else int(total)


def _described(batch: object) -> str:
    name = type(batch).__name__
    if isinstance(batch, tuple | list):
        return f"{name}[{', '.join(type(part).__name__ for part in cast('Sequence[object]', batch)[:6])}]"
    if isinstance(batch, Mapping):
        held = list(cast("Mapping[object, object]", batch).items())[:6]
        return (
            f"{name} of {', '.join(f'{key!s:.30}: {type(part).__name__}' for key, part in held) or 'nothing'}"
        )
    return name
