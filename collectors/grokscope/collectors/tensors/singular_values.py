"""Singular values of many matrices at once."""

from collections.abc import Iterable

import torch
from torch import Tensor

from grokscope.collectors.tensors.complex_numbers import doubled, real
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.torch_stubs import eigvalsh


def singular_values(matrices: Iterable[Tensor]) -> list[Tensor]:
    """Return the singular values of each matrix, largest first, decomposing equal shapes as one batch.

    A matrix and a transposed one share a batch. More than two dimensions (a convolution's kernel) are read
    as ``[first, product of the rest]``.

    Args:
        matrices: Tensors ``[m, n, ...]`` on one device, real or complex, at least two-dimensional and not
            empty.

    Returns:
        One tensor ``[min(m, n)]`` a matrix, in the order given, exact to 1e-7 of the largest; all NaN if an
        entry is not finite. No synchronisation of its own; CUDA's own decomposition makes one a shape.

    Raises:
        ValueError: If a tensor has fewer than two dimensions or is empty.

    Source: definition. Cost: O(m n min(m, n)) a matrix, the costliest of the default measures.

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
    wide = doubled(stacked.cpu() if stacked.device.type == "mps" else stacked)
    # Relative to the largest entry, so that squares neither overflow nor vanish. A decomposition raises on
    # what is not finite, hence the detour over zeros.
    largest = wide.abs().amax(dim=(-2, -1), keepdim=True)
    unit = torch.where(largest.isfinite() & (largest > 0), wide / largest, 0)
    eigenvalues = eigvalsh(unit @ unit.mH).clamp_min(0)
    spectra = eigenvalues.flip(-1).sqrt() * torch.where(largest.isfinite(), largest, torch.nan).squeeze(-1)
    return spectra.to(device=stacked.device, dtype=widened(real(stacked[:0])).dtype)
