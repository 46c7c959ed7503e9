"""The full table of a modular addition: what of the logits depends on the sum alone, and what it is worth."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.torch_stubs import fourier, inverse_fourier
from grokscope.schemas import Direction, Measure, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class SumParts:
    """A table of logits taken apart along the direction of the sum a + b.

    Attributes:
        logits: ``[p, p, C]``, centred over classes, which the softmax does not see.
        mean: ``[C]``, over the table.
        by_sum: ``[p, C]``, the mean over the pairs of each sum, less ``mean``.
    """

    logits: Tensor
    mean: Tensor
    by_sum: Tensor


def sum_parts(logits: Tensor) -> SumParts:
    """Return a table of logits taken apart along the direction of the sum.

    Args:
        logits: ``[p, p, C]``, of every pair (a, b).

    Raises:
        ValueError: If the table is not square.

    Source: Nanda et al. 2023, arXiv:2301.05217: the Fourier components along a + b. Cost: three passes.

    >>> sum_parts(torch.arange(8.0).view(2, 2, 2)).by_sum.shape
    torch.Size([2, 2])
    """
    if logits.ndim != 3 or logits.shape[0] != logits.shape[1]:  # noqa: PLR2004 - a, b, classes
        raise ValueError(
            f"logits must be [p, p, C], a row and a column a residue, got {list(logits.shape)}; "
            "view the logits of torch.cartesian_prod(residues, residues) as that"
        )
    centred = widened(logits.detach())
    centred = centred - centred.mean(dim=2, keepdim=True)
    size, classes = logits.shape[0], logits.shape[2]
    mean = centred.mean(dim=(0, 1))
    totals = centred.new_zeros(size, classes).index_add_(
        0, _sums(size, logits.device).flatten(), (centred - mean).flatten(0, 1)
    )
    return SumParts(logits=centred, mean=mean, by_sum=totals / size)


def sum_share(parts: SumParts) -> Tensor:
    """Return the share of the logits' variance that depends on (a + b) mod p only.

        Σ_s p ‖ḡ_s - ḡ‖² / Σ_ab ‖z_ab - ḡ‖²,  ḡ_s the mean logits of the pairs with sum s, ḡ of all

    1 for a network that has understood, 1/(p + 1) or so for random logits; no frequencies to choose.

    Args:
        parts: From ``sum_parts``.

    Returns:
        Scalar tensor in [0, 1], no synchronisation; NaN for constant logits.

    Source: definition, after Nanda et al. 2023, arXiv:2301.05217. Cost: two passes.

    >>> residues = torch.arange(3)
    >>> right = torch.eye(3)[(residues.unsqueeze(1) + residues) % 3]
    >>> sum_share(sum_parts(right)).round(decimals=4)
    tensor(1.)
    """
    total = (parts.logits - parts.mean).square().sum()
    return len(parts.by_sum) * parts.by_sum.square().sum() / total


def sum_frequencies(parts: SumParts, *, count: int) -> Tensor:
    """Return the frequencies 1..⌊p/2⌋ with the most power along the sum, most powerful first.

    Args:
        parts: From ``sum_parts``.
        count: How many; all if there are fewer.

    Returns:
        ``[count]`` frequencies, no synchronisation.

    Source: Nanda et al. 2023, arXiv:2301.05217. Cost: C Fourier transforms of length p.

    >>> angle = 2 * torch.pi * 2 * torch.arange(5) / 5
    >>> wave = torch.stack([angle.cos(), -angle.cos()], dim=1)
    >>> residues = torch.arange(5)
    >>> sum_frequencies(sum_parts(wave[(residues.unsqueeze(1) + residues) % 5]), count=1)
    tensor([2])
    """
    power = fourier(parts.by_sum)[1:].abs().square().sum(dim=1)
    return power.topk(min(count, len(power))).indices + 1


def restricted_and_excluded(parts: SumParts, frequencies: Tensor) -> tuple[Tensor, Tensor]:
    """Return the logits with only, and without, the waves cos and sin of w_k (a + b).

    The mean logits stay in both. Restricted and excluded together give the logits and their mean.

    Args:
        parts: From ``sum_parts``.
        frequencies: ``[K]``, the key frequencies k, w_k = 2πk/p.

    Returns:
        Two tables ``[p, p, C]``, no synchronisation.

    Source: Nanda et al. 2023, arXiv:2301.05217. Cost: C Fourier transforms of length p and two passes.

    >>> residues = torch.arange(3)
    >>> parts = sum_parts(torch.eye(3)[(residues.unsqueeze(1) + residues) % 3])
    >>> kept, left = restricted_and_excluded(parts, torch.tensor([1]))
    >>> torch.allclose(kept, parts.logits), torch.allclose(left, parts.mean, atol=1e-6)
    (True, True)
    """
    size = len(parts.by_sum)
    spectrum = fourier(parts.by_sum)
    kept = torch.zeros(len(spectrum), 1, dtype=spectrum.dtype, device=spectrum.device)
    kept[frequencies] = 1
    waves = inverse_fourier(spectrum * kept, size)[_sums(size, spectrum.device)]
    return parts.mean + waves, parts.logits - waves


def table_loss(logits: Tensor, targets: Tensor, *, chosen: Tensor | None = None) -> Tensor:
    """Return the mean cross-entropy over a table, or over the pairs of it that are chosen.

    Args:
        logits: ``[p, p, C]``.
        targets: ``[p, p]`` class indices.
        chosen: ``[p, p]`` booleans: the training pairs, for instance.

    Returns:
        Scalar tensor in nats, no synchronisation; NaN if no pair is chosen.

    Source: definition. Cost: one softmax pass.

    >>> table_loss(torch.zeros(2, 2, 4), torch.zeros(2, 2).long())
    tensor(1.3863)
    """
    losses = cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    if chosen is None:
        return losses.mean()
    weight = chosen.flatten().to(losses)
    return (losses * weight).sum() / weight.sum()


def _sums(size: int, device: torch.device) -> Tensor:
    residues = torch.arange(size, device=device)
    return (residues.unsqueeze(1) + residues) % size


_NANDA = "Nanda et al. 2023, arXiv:2301.05217"

SUM_SHARE = Measure(
    key="task/sum_share",
    label="share of the logits' variance that depends on the sum",
    unit="1",
    low=0.0,
    high=1.0,
    direction=Direction.UP,
    tier=Tier.CHEAP,
    formula=formula_of(sum_share),
    source="after Nanda et al. 2023, arXiv:2301.05217",
    around="leads by .10 (measured here)",
)
RESTRICTED_LOSS = Measure(
    key="task/restricted_loss",
    label="loss with the key frequencies only",
    unit="nats",
    low=0.0,
    tier=Tier.CHEAP,
    formula="cross-entropy of ḡ + the waves cos, sin of w_k (a + b), k key; all pairs",
    source=_NANDA,
    around="late by .10 (measured here)",
)
EXCLUDED_LOSS = Measure(
    key="task/excluded_loss",
    label="train loss without the key frequencies",
    unit="nats",
    low=0.0,
    tier=Tier.CHEAP,
    formula="cross-entropy of z - those waves; training pairs",
    source=_NANDA,
    around="rises while test accuracy is still at chance (arXiv:2301.05217)",
)
