"""Sparse parity: hidden progress towards the secret bits."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from grokscope.collectors.measures.instrument import Instrument, Reading, instrument
from grokscope.collectors.measures.subset import fixed
from grokscope.collectors.measures.tasks.parity import parity_correlation, relevant_mass
from grokscope.collectors.tensors.signs import random_signs


def sparse_parity(
    *,
    bits: int,
    relevant: Sequence[int],
    inputs: Callable[[Tensor], Tensor] | None = None,
    layer: str | None = None,
    samples: int = 4096,
) -> Instrument:
    """Return the instrument of ``task/relevant_mass`` and ``task/parity_correlation``.

    The sign of the correlation tells which class stands for an odd number of -1; of a network of one output
    that output is read, of two the second less the first.

    Cost: one forward pass over ``samples`` random inputs, the same at every reading.

    Args:
        bits: n, of an input.
        relevant: The secret bits, counted from 0.
        inputs: From bits ``[N, n]`` of ±1 to what the model takes; by default the bits as they are. For 0/1
            inputs: ``lambda bits: (1 - bits) / 2``.
        layer: Dotted name of the layer that reads the bits; by default the first ``Linear`` of n inputs.
        samples: 1/√samples is the noise of the correlation.

    >>> model = nn.Linear(4, 2)
    >>> list(sparse_parity(bits=4, relevant=[0, 1])(Reading(step=0, model=model)))
    ['task/parity_correlation', 'task/relevant_mass']
    """
    prepare: Callable[[Tensor], Tensor] = inputs or (lambda drawn: drawn)

    def sparse_parity(reading: Reading) -> Mapping[str, Tensor]:
        drawn = random_signs(samples, bits, generator=fixed(reading, 0))
        with torch.no_grad():
            outputs = _difference(reading.model(prepare(drawn)))
        values = {"task/parity_correlation": parity_correlation(outputs, drawn, relevant)}
        first = _first_layer(reading.model, bits, layer)
        return values if first is None else values | {"task/relevant_mass": relevant_mass(first, relevant)}

    return instrument(sparse_parity)


def _difference(output: object) -> Tensor:
    logits = output if isinstance(output, Tensor) else getattr(output, "logits", None)
    if isinstance(logits, Tensor) and logits.ndim == 1:
        return logits
    if isinstance(logits, Tensor) and logits.ndim == 2 and logits.shape[1] in (1, 2):  # noqa: PLR2004
        return logits[:, -1] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]
    got = list(logits.shape) if isinstance(logits, Tensor) else type(output).__name__
    raise ValueError(f"the model must return [N], [N, 1] or [N, 2], got {got}; wrap it so")


def _first_layer(model: nn.Module, bits: int, name: str | None) -> Tensor | None:
    modules = [model.get_submodule(name)] if name is not None else model.modules()
    found = [m.weight for m in modules if isinstance(m, nn.Linear) and m.in_features == bits]
    return found[0] if found else None
