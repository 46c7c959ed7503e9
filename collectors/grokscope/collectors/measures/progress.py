"""How far a run has come; floating-point operations are counted by torch's own counter."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from grokscope.collectors.evaluating.batches import Inputs, parts_of
from grokscope.collectors.evaluating.preserved_state import plain_module, preserved_state
from grokscope.collectors.exposure.exposure import Counts
from grokscope.schemas import Measure

# Forward once, backward twice: by the activations and by the weights (Kaplan et al. 2020, section 2.1).
_PASSES_PER_TRAINING_STEP = 3


def _attention_flops(query: torch.Size, key: torch.Size, value: torch.Size, *_: object, **__: object) -> int:
    """Count scores and mixture: two products of ``[T, d]`` with ``[T', d]`` a head."""
    batch, heads, length, width = query
    return 2 * batch * heads * length * key[2] * (width + value[3])


# torch counts every attention kernel but the CPU's.
_UNCOUNTED = {cast("Any", torch.ops.aten)._scaled_dot_product_flash_attention_for_cpu: _attention_flops}  # noqa: SLF001 - an operator's name


def forward_flops(model: nn.Module, inputs: Inputs) -> int:
    """Return the floating-point operations of one forward pass, a multiply-add being two.

    Counted are matrix products, convolutions and attention; look-ups and element-wise operations, a small
    share of any model worth counting, are not. Nothing about the model changes.

    Args:
        model: Any module.
        inputs: One batch, a tensor or a tuple of tensors for ``model(*inputs)``, on the model's device.

    Returns:
        FLOP of the whole batch; 0 if nothing counted was met.

    Source: ``torch.utils.flop_counter``. Cost: one forward pass, slower than usual; call it once a run.

    >>> forward_flops(nn.Linear(3, 4, bias=False), torch.zeros(5, 3))
    120
    """
    model = plain_module(model)
    counter = FlopCounterMode(display=False, custom_mapping=_UNCOUNTED)
    with preserved_state(model), _without_fused_layers(), counter:
        model(*parts_of(inputs))
    return int(counter.get_total_flops())


def training_flops_per_example(model: nn.Module, inputs: Inputs) -> float:
    """Return the training FLOP of one example: three times its share of a forward pass.

    The backward pass costs twice the forward pass, for it multiplies by the weights and by the activations;
    the optimizer's own work does not grow with the batch and is left out.

    Args:
        model: Any module.
        inputs: One batch whose first dimension counts examples, as for ``forward_flops``.

    Returns:
        FLOP per example; for a language model an example is one sequence.

    Raises:
        ValueError: If the batch is empty.

    Source: Kaplan et al. 2020, arXiv:2001.08361, section 2.1. Cost: as ``forward_flops``.

    >>> training_flops_per_example(nn.Linear(3, 4, bias=False), torch.zeros(5, 3))
    72.0
    """
    first = parts_of(inputs)[0]
    if first.ndim == 0 or first.shape[0] == 0:
        raise ValueError(f"FLOPs need a batch of at least one example, got shape {list(first.shape)}")
    return _PASSES_PER_TRAINING_STEP * forward_flops(model, inputs) / first.shape[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFlops:
    """What training costs, measured on one batch.

    Attributes:
        per_example: As ``training_flops_per_example`` gives it.
        length: Tokens an example of that batch, with padding; ``None`` where it holds no tokens.
    """

    per_example: float
    length: float | None = None

    def of(self, seen: Counts) -> Any:
        """Return the training FLOP of what was seen; ``None`` where neither examples nor tokens are known.

        By tokens where they are known, so that training on sequences of other lengths than those of the
        batch is counted by its length; only attention's own part, which grows with the square of the length,
        is that of the batch.

        >>> flops = TrainingFlops(per_example=600.0, length=10)
        >>> flops.of(Counts(examples=4)), flops.of(Counts(examples=4, tokens=70, positions=80))
        (2400.0, 4800.0)
        """
        if seen.positions is not None and self.length:
            return seen.positions * (self.per_example / self.length)
        return None if seen.examples is None else seen.examples * self.per_example


@contextmanager
def _without_fused_layers() -> Generator[None]:
    """Keep torch from fusing a whole transformer layer into one operation, which its counter counts as 0."""
    mha = torch.backends.mha
    enabled = mha.get_fastpath_enabled()
    mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        mha.set_fastpath_enabled(enabled)


EXAMPLES = Measure(
    key="progress/examples",
    label="examples seen",
    unit="examples",
    low=0.0,
    formula="by `Tracker.seen`, else steps × `Measuring(examples_per_step)`",
)
TOKENS = Measure(
    key="progress/tokens",
    label="tokens seen",
    unit="tokens",
    low=0.0,
    formula="without padding; by `Tracker.seen`, else steps × `Measuring(tokens_per_step)`",
)
UNIQUE_EXAMPLES = Measure(
    key="progress/unique_examples",
    label="distinct examples seen",
    unit="examples",
    low=0.0,
    formula="by `Measuring(unique)`, else the lesser of examples seen and `Measuring(dataset_examples)`",
)
UNIQUE_TOKENS = Measure(
    key="progress/unique_tokens",
    label="distinct tokens seen",
    unit="tokens",
    low=0.0,
    formula="the lesser of tokens seen and `Measuring(dataset_tokens)`",
)
REPETITIONS = Measure(
    key="progress/repetitions",
    label="repetitions (times each was seen)",
    unit="1",
    low=0.0,
    formula="examples seen / distinct examples seen, or the same of tokens",
    source="Muennighoff et al. 2023, arXiv:2305.16264",
)
FLOPS = Measure(
    key="progress/flops",
    label="training FLOPs",
    unit="FLOP",
    low=0.0,
    formula="3 × forward pass, by tokens seen with padding, else by examples seen",
)
SECONDS = Measure(
    key="progress/seconds",
    label="time since the run began",
    unit="s",
    low=0.0,
)
EPOCHS = Measure(
    key="progress/epochs",
    label="epochs",
    unit="epochs",
    low=0.0,
    formula="examples or tokens seen / those of the training set",
)
COUNTED = (EXAMPLES, TOKENS, UNIQUE_EXAMPLES, UNIQUE_TOKENS, REPETITIONS, EPOCHS)
"""What ``Tracker.seen`` counts, and what follows from it."""
