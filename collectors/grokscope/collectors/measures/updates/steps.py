"""What one optimizer step was made of: gradient, decay, and where both pointed."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.weights.movement import differences
from grokscope.collectors.measures.weights.norms import weight_norm, weight_norms
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.shards import dot
from grokscope.schemas import Measure


def inner_product(first: Iterable[Tensor], second: Iterable[Tensor]) -> Tensor:
    """Return the inner product of two sets of tensors, each taken as one vector.

    Args:
        first: Tensors of any shape on one device; an empty iterable gives 0.
        second: The same shapes in the same order.

    Returns:
        Scalar tensor, no synchronisation; NaN with NaN.

    Raises:
        ValueError: If the two do not pair up.

    Source: definition. Cost: one pass over both.

    >>> inner_product([torch.ones(2), torch.ones(1)], [torch.ones(2), torch.tensor([3.0])])
    tensor(5.)
    """
    # Half precision is widened: its sum of products would overflow.
    parts = [dot(_wide(a), _wide(b)) for a, b in zip(first, second, strict=True)]
    return torch.stack(parts).sum() if parts else torch.zeros(())


def alignment(
    gradients: Sequence[Tensor], parameters: Sequence[Tensor], *, norms: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """Return cos(-g, θ): near 1, a step only scales the parameters up (naive loss minimization).

        -Σ gᵢθᵢ / (‖g‖ ‖θ‖)

    Args:
        gradients: g, tensors of any shape on one device.
        parameters: θ, in the same order and shapes.
        norms: ‖g‖ and ‖θ‖, where they are known already.

    Returns:
        Scalar tensor in [-1, 1], no synchronisation; NaN if either is 0 or has a NaN.

    Raises:
        ValueError: If the two do not pair up.

    Source: Prieto et al. 2025, arXiv:2501.04697. Cost: three passes over the parameters.

    >>> alignment([torch.tensor([-2.0, 0.0])], [torch.tensor([1.0, 0.0])])
    tensor(1.)
    """
    lengths = norms or tuple(weight_norms({"g": gradients, "p": parameters}).values())
    return (-inner_product(gradients, parameters) / (lengths[0] * lengths[1])).clamp(-1, 1)


def decay_split(change: Sequence[Tensor], decay: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the gradient's share of an update's energy, and the cosine between its part and decay's.

        u = Δ - d:  ‖u‖² / (‖u‖² + ‖d‖²),  u·d / (‖u‖ ‖d‖)

    Args:
        change: Δ = θ_{t+1} - θ_t, tensors of any shape on one device.
        decay: d = -ηλθ_t, what decoupled weight decay added, in the same order and shapes.

    Returns:
        Share in [0, 1] and cosine in [-1, 1]: scalar tensors, no synchronisation; NaN where a part is 0.

    Raises:
        ValueError: If the two do not pair up.

    Source: Xu 2026, arXiv:2604.07380. Cost: five passes over the parameters.

    >>> decay_split([torch.tensor([1.0, -1.0])], [torch.tensor([0.0, -1.0])])
    (tensor(0.5000), tensor(0.))
    """
    gradient = differences(change, decay)
    norms = weight_norms({"u": gradient, "d": decay})
    return split_of(norms["u"], norms["d"], inner_product(gradient, decay))


def split_of(gradient: Tensor, decay: Tensor, product: Tensor) -> tuple[Tensor, Tensor]:
    """Return what ``decay_split`` does, from the two parts' lengths and their inner product.

    Source: Xu 2026, arXiv:2604.07380. Cost: some ten scalar operations.

    >>> split_of(torch.tensor(1.0), torch.tensor(1.0), torch.tensor(0.5))
    (tensor(0.5000), tensor(0.5000))
    """
    energy = gradient.square()
    return energy / (energy + decay.square()), (product / (gradient * decay)).clamp(-1, 1)


def _wide(tensor: Tensor) -> Tensor:
    return widened(tensor.detach())


_XU = "Xu 2026, arXiv:2604.07380"

GRADIENT_NORM = Measure(
    key="gradients/norm",
    label="gradient norm",
    unit="1",
    low=0.0,
    formula=formula_of(weight_norm),
    around="leads by .07 (measured here)",
)
ALIGNMENT = Measure(
    key="gradients/alignment",
    label="cosine of -gradient and parameters (NLM alignment)",
    unit="1",
    low=-1.0,
    high=1.0,
    formula=formula_of(alignment),
    source="Prieto et al. 2025, arXiv:2501.04697",
    around="late by .78 (measured here)",
)
UPDATE_RATIO = Measure(
    key="updates/ratio",
    label="update norm / weight norm",
    unit="1",
    low=0.0,
    formula="‖θ_{t+1} - θ_t‖₂ / ‖θ_t‖₂",
    around="late by .46 (measured here)",
)
GRADIENT_SHARE = Measure(
    key="updates/gradient_share",
    label="share of the update's energy from the gradient, not from decay",
    unit="1",
    low=0.0,
    high=1.0,
    formula=formula_of(decay_split),
    source=_XU,
    around="parts align at grokking (arXiv:2604.07380)",
)
DECAY_COSINE = Measure(
    key="updates/decay_cosine",
    label="cosine of the gradient's and decay's part of the update",
    unit="1",
    low=-1.0,
    high=1.0,
    formula=formula_of(decay_split),
    source=_XU,
)
LEARNING_RATE = Measure(
    key="updates/learning_rate",
    label="learning rate",
    unit="1",
    low=0.0,
    formula="η of the step",
)
STEP_MEASURES = (GRADIENT_NORM, ALIGNMENT, UPDATE_RATIO, GRADIENT_SHARE, DECAY_COSINE, LEARNING_RATE)
"""What ``UpdateRecorder`` gives of a step."""
