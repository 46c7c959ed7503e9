"""Which units of a layer do anything at all: activations ``[N, d]`` of a probe set."""

import torch
from torch import Tensor

from grokscope.collectors.measures.tasks.fourier import gini
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.torch_stubs import vector_norm


def dead_share(activations: Tensor, *, threshold: float = 0.0) -> Tensor:
    """Return the share of units whose activation never leaves ±``threshold`` on the probe set.

    Args:
        activations: ``[N, d]``, or more leading dimensions, all of them samples.
        threshold: Magnitude that still counts as silent; above 0 for smooth activations such as GELU.

    Returns:
        Scalar tensor in [0, 1], no synchronisation; a unit with a NaN is not dead.

    Raises:
        ValueError: If there are no samples or no units.

    Source: common practice for ReLU. Cost: one pass over the activations.

    >>> dead_share(torch.tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor(0.5000)
    """
    return (_samples(activations).abs() <= threshold).all(dim=0).to(torch.float32).mean()


def sparsity(activations: Tensor, *, threshold: float = 0.0) -> Tensor:
    """Return the share of activations within ±``threshold``.

    Args:
        activations: ``[N, d]``, or more leading dimensions.
        threshold: Magnitude that still counts as silent.

    Returns:
        Scalar tensor in [0, 1], no synchronisation; NaN counts as active.

    Raises:
        ValueError: If there are no samples or no units.

    Source: Merrill et al. 2023, arXiv:2303.11873. Cost: one pass over the activations.

    >>> sparsity(torch.tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor(0.7500)
    """
    return (_samples(activations).abs() <= threshold).to(torch.float32).mean()


def unit_gini(activations: Tensor) -> Tensor:
    """Return the Gini coefficient of the units' norms: 0 if all are as strong, near 1 if one carries all.

        G = Σᵢ (2i - d - 1) aᵢ / (d Σ aᵢ),  aᵢ = ‖unit i over the samples‖₂ in rising order

    Args:
        activations: ``[N, d]``, or more leading dimensions.

    Returns:
        Scalar tensor in [0, 1 - 1/d], no synchronisation; NaN if all are 0 or one is NaN.

    Raises:
        ValueError: If there are no samples or no units.

    Source: Gini 1912; Merrill et al. 2023, arXiv:2303.11873. Cost: one pass and a sort of d values.

    >>> unit_gini(torch.tensor([[0.0, 0.0, 3.0, 0.0]])), unit_gini(torch.ones(2, 3))
    (tensor(0.7500), tensor(0.))
    """
    return gini(vector_norm(_samples(activations), dim=0))


def _samples(activations: Tensor) -> Tensor:
    if activations.ndim < 2 or not activations.numel():  # noqa: PLR2004 - samples and units
        raise ValueError(
            f"activations must be [N, d] and not empty, got shape {list(activations.shape)}; "
            "give one row a sample"
        )
    return widened(activations.detach()).flatten(0, -2)
