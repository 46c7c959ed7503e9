"""Traces of the Hessian: the whole one, estimated, and the last layer's, exactly."""

import torch
from torch import Tensor

from grokscope.collectors.tensors.functional import Product
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.signs import random_signs


def hessian_trace(
    product: Product, like: Tensor, *, generator: torch.Generator, draws: int = 16
) -> tuple[Tensor, Tensor]:
    """Return the trace of a symmetric matrix given by its products, and the standard error of that.

        tr H ≈ mean of vᵀ H v over random signs v;  its variance is 2 Σ_{i≠j} H_ij² / draws

    Args:
        product: v -> H v on vectors ``[P]``.
        like: ``[P]``, tells size, type and device.
        generator: On the device of ``like``; the global random state is left alone.
        draws: Products, at least 2.

    Returns:
        Two scalar tensors, no synchronisation.

    Raises:
        ValueError: If ``draws`` < 2.

    Source: Hutchinson 1989. Cost: ``draws`` products.

    >>> diagonal = torch.tensor([3.0, 1.0, -5.0])
    >>> hessian_trace(lambda v: diagonal * v, diagonal, generator=torch.Generator())
    (tensor(-1.), tensor(0.))
    """
    if draws < 2:  # noqa: PLR2004 - one draw has no error
        raise ValueError(f"draws must be at least 2 to tell the error, got {draws}; 16 is common")
    readings: list[Tensor] = []
    for _ in range(draws):
        signs = random_signs(*like.shape, generator=generator).to(like)
        readings.append(signs @ product(signs))
    drawn = torch.stack(readings)
    return drawn.mean(), drawn.std() / draws**0.5


def relative_flatness(features: Tensor, logits: Tensor, weight: Tensor) -> Tensor:
    """Return the relative flatness of the last layer under the cross-entropy: 0 is perfectly flat.

        κ = Σ_{s,s'} ⟨w_s, w_s'⟩ tr H_{s,s'},  H_{s,s'} = ∂²L / ∂w_s ∂w_s'
          = (1/N) Σᵢ ‖hᵢ‖² (Σ_s p_is ‖w_s‖² - ‖Σ_s p_is w_s‖²)  for logits W h + b and their softmax p

    Unchanged when a layer's scale is moved into the next one. The second form is exact, so that no Hessian
    is needed.

    Args:
        features: ``[N, d]``, what the last layer was given.
        logits: ``[N, C]``, what it made of them.
        weight: ``[C, d]``, its weight.

    Returns:
        Scalar tensor ≥ 0, no synchronisation.

    Raises:
        ValueError: If shapes do not match or there are no samples.

    Source: Petzka et al. 2021, arXiv:2001.00939. Cost: one product as dear as the last layer.

    >>> relative_flatness(torch.tensor([[2.0]]), torch.zeros(1, 2), torch.tensor([[1.0], [-1.0]]))
    tensor(4.)
    """
    shapes = [list(t.shape) for t in (features, logits, weight)]
    if not len(features) or [*shapes[0][:1], *shapes[2][:1]] != shapes[1] or shapes[0][1:] != shapes[2][1:]:
        raise ValueError(
            f"features must be [N, d], logits [N, C] and weight [C, d], N at least 1, got {shapes}; "
            "give the last layer's own weight"
        )
    features, logits, weight = (widened(t.detach()) for t in (features, logits, weight))
    share = torch.softmax(logits, dim=1)
    mean = share @ weight
    # About the mean of the rows, which the softmax does not see: the difference then keeps its digits.
    about = weight - weight.mean(dim=0)
    spread = share @ about.square().sum(dim=1) - (mean - weight.mean(dim=0)).square().sum(dim=1)
    return (features.square().sum(dim=1) * spread.clamp_min(0)).mean()
