"""How much a network says: bits that its weights need, and how much it minds losing some of them."""

import bz2
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from grokscope.collectors.measures.weights.norms import weight_norm
from grokscope.collectors.tensors.functional import Loss, Predict

_HALF_OCTAVES = 48


def compressed_bits(
    parameters: Sequence[Tensor], *, step: float, compress: Callable[[bytes], bytes] = bz2.compress
) -> float:
    """Return the bits a parameter that the coarse-grained parameters need after compression.

        8 · bytes(compress(round(θ / Δ))) / P

    Args:
        parameters: Read in order; each whole number takes 1, 2 or 4 bytes, as the largest needs.
        step: Δ > 0, in units of θ.
        compress: Lossless; the source's is bzip2.

    Returns:
        A number on the host: one transfer of all parameters. NaN if one of them is not finite, or the step is
        NaN.

    Raises:
        ValueError: If ``step`` is not positive, or there are no parameters.

    Source: DeMoss et al. 2024, arXiv:2412.09810. Cost: one transfer, and some 0.1 µs a parameter on the host.

    >>> compressed_bits([torch.zeros(10_000)], step=0.1) < 0.1
    True
    """
    if step <= 0 or not any(p.numel() for p in parameters):
        raise ValueError(f"step must be above 0 and parameters not empty, got {step}; see coarsest_step")
    whole = torch.cat([(p.detach().double() / step).round().reshape(-1) for p in parameters]).cpu()
    largest = float(whole.abs().max())
    if not math.isfinite(largest):
        return math.nan
    sizes = {torch.int8: 127.0, torch.int16: 32767.0}
    kind = next((kind for kind, most in sizes.items() if largest <= most), torch.int32)
    codes = whole.clamp(-(2**31), 2**31 - 1).to(kind).numpy().tobytes()
    return 8 * len(compress(codes)) / len(whole)


def coarsest_step(loss: Loss, parameters: Sequence[Tensor], *, tolerance: float) -> float:
    """Return the coarsest step to which the parameters may be rounded at a tolerable price.

        max Δ = max|θ| · 2^(1 - k/2), k = 0, 1, ...,  with L(Δ round(θ/Δ)) ≤ L(θ) + tolerance

    The search runs from coarse to fine and takes the first that passes. With it ``compressed_bits`` is an
    upper bound of what has to be said about θ to keep its loss: the rate at a fixed distortion.

    Args:
        loss: Of the parameters.
        parameters: θ.
        tolerance: ≥ 0, in nats.

    Returns:
        Δ, a number on the host; the finest tried, 2⁻²³ of the largest entry, if none passes; infinite if θ is
        0, NaN if an entry is not finite.

    Raises:
        ValueError: If ``tolerance`` is negative.

    Source: DeMoss et al. 2024, arXiv:2412.09810. Cost: one forward pass and synchronisation a step tried,
    some ten.

    >>> coarsest_step(lambda p: (p[0] - 0.75).abs().sum(), [torch.tensor([0.75])], tolerance=0.1)
    0.75
    """
    if not tolerance >= 0:
        raise ValueError(f"tolerance must be at least 0 nats, got {tolerance}; 0.1 is a small price")
    largest = float(weight_norm(parameters, order=math.inf))
    if not 0 < largest < math.inf:
        return math.inf if largest == 0 else math.nan
    allowed = loss(parameters) + tolerance
    step = largest
    for halves in range(_HALF_OCTAVES):
        step = largest * 2 ** (1 - halves / 2)
        if bool(loss([(p.detach() / step).round() * step for p in parameters]) <= allowed):
            break
    return step


def circuit_complexity(
    predict: Predict,
    parameters: Sequence[Tensor],
    *,
    generator: torch.Generator,
    share: float = 0.1,
    draws: int = 5,
) -> Tensor:
    """Return how much the predictions change when a random share of the parameters is set to 0.

        mean over draws of (1/N) Σᵢ KL(p_i ‖ p̃_i),  p̃ with each parameter kept with probability 1 - share

    A solution that rests on many parameters at once minds more.

    Args:
        predict: Gives logits ``[N, C]`` from the parameters.
        parameters: θ.
        generator: On the parameters' device; the global random state is left alone.
        share: In [0, 1].
        draws: How many masks.

    Returns:
        Scalar tensor ≥ 0 in nats, no synchronisation.

    Raises:
        ValueError: If ``share`` is outside [0, 1] or ``draws`` below 1.

    Source: approximate local circuit complexity, after Golechha 2024, arXiv:2405.12755. Cost: draws + 1
    forward passes.

    >>> circuit_complexity(lambda p: p[0], [torch.eye(2)], generator=torch.Generator(), share=1.0)
    tensor(0.1109)
    """
    if not 0 <= share <= 1 or draws < 1:
        raise ValueError(
            f"share must lie in [0, 1] and draws be at least 1, got {share} and {draws}; 0.1 and 5 are common"
        )
    whole = torch.log_softmax(predict(parameters), dim=1)
    readings: list[Tensor] = []
    for _ in range(draws):
        kept = [
            p.detach() * (torch.rand(p.shape, generator=generator, device=p.device) >= share)
            for p in parameters
        ]
        cut = torch.log_softmax(predict(kept), dim=1)
        readings.append((whole.exp() * (whole - cut)).sum(dim=1).mean())
    return torch.stack(readings).mean().detach()
