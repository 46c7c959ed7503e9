"""Which way the parameters have been going: a window of updates under one fixed random projection."""

from collections.abc import Iterable

import torch
from torch import Tensor

from grokscope.collectors.measures.weights.spectra import singular_values
from grokscope.collectors.tensors.predictions import widened


def sketch(parameters: Iterable[Tensor], *, width: int, seed: int = 0) -> Tensor:
    """Return a fixed random projection of all parameters taken as one vector.

        s_k = Σ_{i ≡ k mod width} εᵢ θᵢ,  εᵢ = ±1 drawn once a seed

    Inner products survive it: unbiased, with a relative standard deviation of at most √(2/width); exact up to
    signs while there are no more parameters than ``width``.

    Args:
        parameters: Tensors of any shape on one device, always in the same order.
        width: Length of the projection.
        seed: Of the signs; one seed for all that is to be compared.

    Returns:
        ``[width]`` on the parameters' device, no synchronisation, no draw from the global generator.

    Raises:
        ValueError: If ``width`` is less than 1.

    Source: count sketch, Charikar et al. 2002. Cost: one pass and as many random bits as parameters.

    >>> sketch([torch.tensor([3.0, 4.0])], width=2).abs()
    tensor([3., 4.])
    """
    if width < 1:
        raise ValueError(f"width must be at least 1, got {width}; 4096 keeps angles to 2 %")
    total, position = torch.zeros(width), 0
    for parameter in parameters:
        flat = widened(parameter.detach()).flatten()
        if not position:
            total = flat.new_zeros(width)
        generator = torch.Generator(flat.device).manual_seed(seed + position)
        signs = torch.randint(0, 2, flat.shape, generator=generator, device=flat.device, dtype=torch.int8)
        start = position % width
        folded = torch.nn.functional.pad(flat * (2 * signs - 1), (start, -(start + len(flat)) % width))
        total, position = total + folded.view(-1, width).sum(dim=0), position + len(flat)
    return total


def trajectory_measures(updates: Tensor) -> dict[str, Tensor]:
    """Return how strongly a window of updates points one way, by quantity, keyed as in ``schemas.metrics``.

        first_share = σ₁² / Σ σ²,  first_gap = σ₁ / σ₂,  second_gap = σ₂ / σ₃

    with σ the singular values of the updates (roots of the eigenvalues of their Gram matrix).

    Args:
        updates: ``[w, k]``, an update or its sketch a row, w ≥ 3.

    Returns:
        Scalar tensors, no synchronisation of ours; the share is NaN if nothing moved, a gap infinite where
        the lower singular value is 0.

    Raises:
        ValueError: If there are fewer than three updates.

    Source: Xu 2026, arXiv:2603.28964. Cost: O(w² k).

    >>> trajectory_measures(torch.diag(torch.tensor([4.0, 2.0, 1.0])))["first_gap"]
    tensor(2.)
    """
    if updates.ndim != 2 or len(updates) < 3 or updates.shape[1] < 3:  # noqa: PLR2004 - two gaps need three values
        raise ValueError(f"updates must be [w, k] with w and k at least 3, got {list(updates.shape)}; wait")
    first, second, third = (spectrum := singular_values([updates])[0])[:3].unbind()
    return {
        "first_share": first.square() / spectrum.square().sum(),
        "first_gap": first / second,
        "second_gap": second / third,
    }
