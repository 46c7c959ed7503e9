"""Ways to get attention patterns out of a model: ``attention(model, tokens) -> [layers, B, H, T, T]``.

A model of your own needs a function of that kind only if its patterns cannot be had by one of the two ways
here: Hugging Face's ``output_attentions=True``, or modules that return ``(output, weights)``, among them
``nn.MultiheadAttention``.
"""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, cast

import torch
from torch import Tensor, nn

from grokscope.collectors.measures.probing import Hook, hooked

Attention = Callable[[nn.Module, Tensor], Tensor]
_DIMENSIONS = 4  # batch, head, query, key


def hugging_face(model: nn.Module, tokens: Tensor) -> Tensor:
    """Return the patterns of a Hugging Face model, asked with ``output_attentions=True``.

    Raises:
        ValueError: If it gives none, as with fused kernels.

    Source: ``transformers``. Cost: one forward pass.

    >>> from types import SimpleNamespace
    >>> model = lambda tokens, output_attentions: SimpleNamespace(attentions=(torch.ones(1, 1, 2, 2),))
    >>> hugging_face(model, torch.zeros(1, 2).long()).shape
    torch.Size([1, 1, 1, 2, 2])
    """
    output = cast("Any", model)(tokens, output_attentions=True)
    found = [layer for layer in output.attentions or () if layer is not None]
    if not found:
        raise ValueError(
            f"{type(model).__name__} gave no attention patterns; load it with attn_implementation='eager'"
        )
    return torch.stack(found)


def returned_weights(model: nn.Module, tokens: Tensor) -> Tensor:
    """Return the patterns that the model's modules give as second part of ``(output, weights)``.

    ``nn.MultiheadAttention`` is asked for them, a head each, during this pass only.

    Raises:
        ValueError: If no module gave ``[B, H, T, T]``, or layers differ in shape.

    Source: ``torch.nn``. Cost: one forward pass.

    >>> class Layer(nn.Module):
    ...     def forward(self, tokens):
    ...         return tokens, torch.ones(1, 2, 3, 3) / 3
    >>> returned_weights(nn.Sequential(Layer()), torch.zeros(1, 3)).shape
    torch.Size([1, 1, 2, 3, 3])
    """
    found: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: object) -> None:
        several = cast("tuple[object, ...]", output) if isinstance(output, tuple) else ()
        weights = several[1] if len(several) > 1 else None
        # A container hands on what its last module returned.
        is_new = not any(weights is pattern for pattern in found)
        if isinstance(weights, Tensor) and weights.ndim == _DIMENSIONS and is_new:
            found.append(weights)

    hook: Hook = keep
    with ExitStack() as stack:
        for module in model.modules():
            if isinstance(module, nn.MultiheadAttention):
                handle = module.register_forward_pre_hook(_asking, with_kwargs=True)
                stack.callback(handle.remove)
        stack.enter_context(hooked([(module, hook) for module in model.modules()]))
        model(tokens)
    if not found or len({pattern.shape for pattern in found}) > 1:
        raise ValueError(
            f"{type(model).__name__} gave attention weights of shapes {[list(p.shape) for p in found]}, but "
            "[B, H, T, T] of one shape is needed; pass attention= a function of your own"
        )
    return torch.stack(found)


def patterns_of(model: nn.Module, tokens: Tensor) -> Tensor:
    """Return a model's attention patterns by the way that fits it: ``hugging_face`` or ``returned_weights``.

    Source: as those. Cost: one forward pass.

    >>> class Layer(nn.Module):
    ...     def forward(self, tokens):
    ...         return tokens, torch.ones(1, 1, 2, 2) / 2
    >>> patterns_of(Layer(), torch.zeros(1, 2)).shape
    torch.Size([1, 1, 1, 2, 2])
    """
    config = getattr(model, "config", None)
    is_hugging_face = hasattr(config, "output_attentions")
    return (hugging_face if is_hugging_face else returned_weights)(model, tokens)


def _asking(
    _module: nn.Module, inputs: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return inputs, {**options, "need_weights": True, "average_attn_weights": False}
