"""How many bits the weights need to keep their loss."""

import bz2
import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.subset import Subset, take
from grokscope.collectors.measures.weights.norms import weight_norm
from grokscope.collectors.tensors.complex_numbers import real
from grokscope.collectors.tensors.functional import Loss
from grokscope.schemas import Measure, Tier

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
    whole = torch.cat([(real(p.detach()).double() / step).round().reshape(-1) for p in parameters]).cpu()
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


_DEMOSS = "DeMoss et al. 2024, arXiv:2412.09810"

COMPRESSED_BITS = Measure(
    key="weights/compressed_bits",
    label="compressed size a parameter",
    unit="bits",
    low=0.0,
    tier=Tier.COSTLY,
    formula=formula_of(compressed_bits),
    source=_DEMOSS,
    around="rises while memorizing, falls at grokking (arXiv:2412.09810)",
)
COARSEST_STEP = Measure(
    key="weights/coarsest_step",
    label="coarsest rounding at the same loss",
    unit="1",
    low=0.0,
    tier=Tier.COSTLY,
    formula=formula_of(coarsest_step),
    source=_DEMOSS,
)


@gives(COMPRESSED_BITS, COARSEST_STEP)
def compression(*, subset: Subset | None = None, tolerance: float = 0.1) -> MeasureFn:
    """Return the instrument of ``weights/compressed_bits`` and ``weights/coarsest_step``.

    The weights are rounded as coarsely as the loss of the subset allows, then compressed: bits a parameter
    that keeping this loss takes, at most.

    Args:
        subset: The samples that tell what rounding costs.
        tolerance: By how many nats the loss may rise.

    Source: DeMoss et al. 2024, arXiv:2412.09810. Cost: some ten forward passes, and compressing a byte or so
    a parameter on the host.

    >>> from torch import nn
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> list(compression()(StepContext(step=0, model=nn.Linear(2, 3), splits={"train": data})))
    ['weights/compressed_bits', 'weights/coarsest_step']
    """
    chosen = subset or Subset()

    def measure(context: StepContext) -> Mapping[str, Tensor | float]:
        taken = take(context, chosen)
        if taken is None:
            return {}
        step = coarsest_step(taken.loss, taken.parameters, tolerance=tolerance)
        bits = compressed_bits(taken.parameters, step=step)
        return {COMPRESSED_BITS.key: bits, COARSEST_STEP.key: step}

    return measure
