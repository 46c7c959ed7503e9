"""What the singular values of a weight matrix say about how many directions it uses."""

from collections.abc import Iterable

import torch
from torch import Tensor

from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.torch_stubs import eigvalsh, entropy_terms


def singular_values(matrices: Iterable[Tensor]) -> list[Tensor]:
    """Return the singular values of each matrix, largest first, decomposing equal shapes as one batch.

    A matrix and a transposed one share a batch. More than two dimensions (a convolution's kernel) are read
    as ``[first, product of the rest]``.

    Args:
        matrices: Tensors ``[m, n, ...]`` on one device, at least two-dimensional and not empty.

    Returns:
        One tensor ``[min(m, n)]`` a matrix, in the order given, exact to 1e-7 of the largest; all NaN if an
        entry is not finite. No synchronisation of ours; CUDA's own decomposition makes one a shape.

    Raises:
        ValueError: If a tensor has fewer than two dimensions or is empty.

    Source: definition. Cost: O(m n min(m, n)) a matrix, the dearest of the default measures.

    >>> singular_values([torch.diag(torch.tensor([1.0, 3.0])), torch.zeros(2, 5)])
    [tensor([3., 1.]), tensor([0., 0.])]
    """
    upright = [_upright(matrix) for matrix in matrices]
    batches: dict[tuple[torch.Size, torch.dtype], list[int]] = {}
    for index, matrix in enumerate(upright):
        batches.setdefault((matrix.shape, matrix.dtype), []).append(index)
    spectra: dict[int, Tensor] = {}
    for members in batches.values():
        stacked = torch.stack([upright[index] for index in members])
        spectra.update(zip(members, _decompose(stacked).unbind(), strict=True))
    return [spectra[index] for index in range(len(upright))]


def spectral_measures(spectrum: Tensor) -> dict[str, Tensor]:
    """Return every measure of a spectrum by quantity, keyed as in ``schemas.metrics``.

    Args:
        spectrum: ``[..., K]`` singular values.

    Source: each measure's own. Cost: some ten passes over K values.

    >>> list(spectral_measures(torch.tensor([1.0, 1.0])))
    ['spectral_norm', 'stable_rank', 'effective_rank', 'participation_ratio', 'top_energy']
    """
    return {
        "spectral_norm": spectral_norm(spectrum),
        "stable_rank": stable_rank(spectrum),
        "effective_rank": effective_rank(spectrum),
        "participation_ratio": participation_ratio(spectrum),
        "top_energy": top_energy(spectrum),
    }


def spectral_norm(spectrum: Tensor) -> Tensor:
    """Return the largest singular value σ₁, the most that the matrix stretches any vector.

    Args:
        spectrum: ``[..., K]`` singular values.

    Returns:
        ``[...]``, no synchronisation; NaN if a singular value is NaN.

    Source: definition. Cost: one pass over K values.

    >>> spectral_norm(torch.tensor([3.0, 1.0]))
    tensor(3.)
    """
    return spectrum.amax(dim=-1)


def stable_rank(spectrum: Tensor) -> Tensor:
    """Return the stable rank: the energy in units of the strongest direction's.

        ‖W‖_F² / σ₁² = Σ σᵢ² / σ₁²

    Args:
        spectrum: ``[..., K]`` singular values.

    Returns:
        ``[...]`` in dimensions, 1..K, no synchronisation; NaN for a matrix of zeros or with NaN.

    Source: Rudelson & Vershynin 2007. Cost: one pass over K values.

    >>> stable_rank(torch.tensor([2.0, 1.0, 1.0]))
    tensor(1.5000)
    """
    return (spectrum / spectrum.amax(dim=-1, keepdim=True)).square().sum(dim=-1)


def top_energy(spectrum: Tensor, *, k: int = 10) -> Tensor:
    """Return the share of the energy in the ``k`` strongest directions.

        Σ_{i ≤ k} σᵢ² / Σ σᵢ²

    Args:
        spectrum: ``[..., K]`` singular values, largest first.
        k: At least 1; K or more gives 1.

    Returns:
        ``[...]`` in [0, 1], no synchronisation; NaN for a matrix of zeros or with NaN.

    Raises:
        ValueError: If ``k`` is less than 1.

    Source: definition. Cost: one pass over K values.

    >>> top_energy(torch.tensor([3.0, 1.0]), k=1)
    tensor(0.9000)
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    energy = (spectrum / spectrum.amax(dim=-1, keepdim=True)).square()
    return energy[..., :k].sum(dim=-1) / energy.sum(dim=-1)


def effective_rank(spectrum: Tensor) -> Tensor:
    """Return the effective rank: the exponential of the entropy of the singular values' shares.

        erank = exp(-Σ pᵢ log pᵢ),  pᵢ = σᵢ / Σ σ   (of σ, not of σ²)

    Args:
        spectrum: ``[..., K]`` singular values.

    Returns:
        ``[...]`` in dimensions, 1..K, no synchronisation; NaN for a matrix of zeros or with NaN.

    Source: Roy & Vetterli 2007. Cost: one pass over K values.

    >>> effective_rank(torch.tensor([2.0, 2.0, 2.0, 0.0]))
    tensor(3.)
    """
    share = spectrum / spectrum.sum(dim=-1, keepdim=True)
    return entropy_terms(share).sum(dim=-1).exp()


def participation_ratio(spectrum: Tensor) -> Tensor:
    """Return the participation ratio: how many directions share the energy.

        PR = (Σ λᵢ)² / Σ λᵢ²,  λᵢ = σᵢ²

    Args:
        spectrum: ``[..., K]`` singular values.

    Returns:
        ``[...]`` in dimensions, 1..K, no synchronisation; NaN for a matrix of zeros or with NaN.

    Source: definition. Cost: one pass over K values.

    >>> participation_ratio(torch.tensor([2.0, 2.0, 0.0]))
    tensor(2.)
    """
    # Relative to the largest, so that the fourth powers neither overflow nor vanish.
    energy = (spectrum / spectrum.amax(dim=-1, keepdim=True)).square()
    return energy.sum(dim=-1).square() / energy.square().sum(dim=-1)


def _upright(matrix: Tensor) -> Tensor:
    if matrix.ndim < 2 or not matrix.numel():  # noqa: PLR2004 - a matrix has two dimensions
        raise ValueError(
            f"a spectrum needs a matrix [m, n] that is not empty, got shape {list(matrix.shape)}; "
            "leave out biases and gains"
        )
    flat = matrix.detach().flatten(1)
    return flat.mT if flat.shape[0] > flat.shape[1] else flat


def _decompose(stacked: Tensor) -> Tensor:
    """Return the singular values ``[B, m]`` of ``[B, m, n]``, m ≤ n: roots of the Gram matrix's eigenvalues.

    Takes about two thirds of the time of ``svdvals``, and in double precision loses no digit of a single one.
    """
    # Metal knows no double precision.
    wide = (stacked.cpu() if stacked.device.type == "mps" else stacked).double()
    # Relative to the largest entry, so that squares neither overflow nor vanish. A decomposition raises on
    # what is not finite, hence the detour over zeros.
    largest = wide.abs().amax(dim=(-2, -1), keepdim=True)
    unit = torch.where(largest.isfinite() & (largest > 0), wide / largest, 0)
    eigenvalues = eigvalsh(unit @ unit.mT).clamp_min(0)
    spectra = eigenvalues.flip(-1).sqrt() * torch.where(largest.isfinite(), largest, torch.nan).squeeze(-1)
    return spectra.to(device=stacked.device, dtype=widened(stacked[:0]).dtype)
