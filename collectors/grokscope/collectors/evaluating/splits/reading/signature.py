"""What a model's ``forward`` takes by position, and so how many tensors of a flat batch are its inputs."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from grokscope.collectors.exposure.batch_size import masks_padding

TARGET_NAMES = ("labels", "label", "targets", "target", "y")
"""Keys of a dict, and arguments of a model, that hold targets; the first that is there counts."""

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_PAIR = 2
_TEXTS = 3
"""Tensors that tell BERT's two texts: tokens, their mask, and which text each is of."""
_TOKENS, _FEATURES = 2, 3
"""Dimensions of a batch of tokens, and of features of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionalInputs:
    """The inputs that a model takes by position.

    Attributes:
        required: Names of those that it must get.
        optional: Names of those that it may get next; one that it must get whose name is that of targets may
            be an input or the targets.
        is_open: Whether it takes any number, or does not tell.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    is_open: bool = False

    def counts(self, parts: Sequence[Tensor]) -> range:
        """Return how many tensors of a flat batch can be inputs; the next one are the targets.

        Args:
            parts: Two or more.

        Raises:
            ValueError: If none can.

        >>> import torch
        >>> pair = PositionalInputs(required=("left", "right"))
        >>> pair.counts([torch.zeros(8, 2), torch.zeros(8, 2), torch.zeros(8)])
        range(2, 3)
        """
        has_mask = len(parts) > _PAIR and is_padding_mask(parts[1], parts[0])
        leading = 1 + has_mask + (has_mask and self._has_segments(parts))
        least, most = max(len(self.required), leading), len(self.required) + len(self.optional)
        possible = range(least, min(len(parts) if self.is_open else most, len(parts) - 1) + 1)
        if possible:
            return possible
        if has_mask and most < _PAIR:
            raise ValueError(
                f"the second of {shapes(parts)} masks padding, and {self} takes none; let forward take it, "
                "or let the split give (inputs, targets), as in lambda: ((x, y) for x, _, y in loader)"
            )
        raise ValueError(
            f"{self} takes {len(self.required)} inputs, and a batch of {shapes(parts)} has no targets beside "
            "them; let the split give ((a, b), y): a tuple of the inputs, and the targets"
        )

    def _has_segments(self, parts: Sequence[Tensor]) -> bool:
        """Say whether the third of more than three tensors tells a first from a second text, as BERT's."""
        third = (*self.required, *self.optional)[2:3]
        if third != ("token_type_ids",) or len(parts) <= _TEXTS:
            return False
        segments = parts[2]
        return segments.shape == parts[0].shape and bool(((segments == 0) | (segments == 1)).all())

    def __str__(self) -> str:
        """Return it as code, for a sentence."""
        optional = [f"{name}=None" for name in self.optional]
        return f"forward({', '.join([*self.required, *optional, *(['*'] if self.is_open else [])])})"


def positional_inputs(model: nn.Module) -> PositionalInputs:
    """Return the inputs that a model takes by position, without its targets.

    Source: definition. Cost: none.

    >>> positional_inputs(nn.Bilinear(1, 1, 1)).required
    ('input1', 'input2')
    """
    required: list[str] = []
    optional: list[str] = []
    for one in parameters_of(model):
        has_default = one.default is not inspect.Parameter.empty
        if one.kind is inspect.Parameter.VAR_POSITIONAL:
            return PositionalInputs(required=tuple(required), optional=tuple(optional), is_open=True)
        if one.kind not in _BY_POSITION or (has_default and (one.default is not None or _is_targets(one))):
            break
        (optional if has_default or _is_targets(one) else required).append(one.name)
        if _is_targets(one):
            break
    is_open = not parameters_of(model)
    return PositionalInputs(required=tuple(required), optional=tuple(optional), is_open=is_open)


def parameters_of(model: nn.Module) -> list[inspect.Parameter]:
    """Return what ``forward`` takes; nothing of compiled code that does not tell.

    Source: definition. Cost: none.

    >>> [one.name for one in parameters_of(nn.ReLU())]
    ['input']
    """
    try:
        return list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):
        return []


def is_padding_mask(given: Tensor, inputs: Tensor) -> bool:
    """Say whether ``given`` masks padding of inputs, as ``masks_padding`` does.

    Args:
        given: May be such a mask, ``[N, T]``.
        inputs: Tokens ``[N, T]``, or features of each ``[N, T, d]``.

    Source: definition. Cost: a few comparisons, and a synchronisation.

    >>> import torch
    >>> tokens = torch.tensor([[5, 6, 7], [8, 0, 0]])
    >>> is_padding_mask(tokens.sign(), tokens), is_padding_mask(tokens, tokens)
    (True, False)
    """
    is_sequence = inputs.ndim == _FEATURES or (inputs.ndim == _TOKENS and not inputs.is_floating_point())
    if not is_sequence or given.shape != inputs.shape[:2] or given.is_complex() or not given.numel():
        return False
    return bool(masks_padding(given))


def shapes(parts: Sequence[Tensor]) -> str:
    """Return what tensors are, for a sentence.

    Source: definition. Cost: none.

    >>> import torch
    >>> shapes([torch.zeros(2, 3), torch.zeros(2).long()])
    'float32 [2, 3], int64 [2]'
    """
    return ", ".join(f"{str(part.dtype).removeprefix('torch.')} {list(part.shape)}" for part in parts)


def _is_targets(parameter: inspect.Parameter) -> bool:
    return parameter.name in TARGET_NAMES
