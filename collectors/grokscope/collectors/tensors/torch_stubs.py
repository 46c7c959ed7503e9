"""Functions that torch ships without types, typed once; nothing else here may be private to torch."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, cast

import torch
from torch import Tensor, nn

# The fused passes over many tensors are public in all but name: torch's own optimizers rest on them.
_torch = cast("Any", torch)


def vector_norm(values: Tensor, order: float = 2.0, *, dim: int | None = None) -> Tensor:
    """Return ``torch.linalg.vector_norm``: the p-norm over one dimension, or over all of them.

    Source: ``torch.linalg``. Cost: one pass.

    >>> vector_norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    return cast("Tensor", _torch.linalg.vector_norm(values, order, dim=dim))


def eigvalsh(matrices: Tensor) -> Tensor:
    """Return ``torch.linalg.eigvalsh``: the eigenvalues ``[..., m]`` of symmetric ``[..., m, m]``, rising.

    Source: ``torch.linalg``. Cost: O(m³) a matrix.

    >>> eigvalsh(torch.eye(2))
    tensor([1., 1.])
    """
    return cast("Tensor", _torch.linalg.eigvalsh(matrices))


def entropy_terms(shares: Tensor) -> Tensor:
    """Return ``torch.special.entr``: -p log p for each share, 0 for p = 0.

    Source: ``torch.special``. Cost: one pass.

    >>> entropy_terms(torch.tensor([0.0, 0.5]))
    tensor([0.0000, 0.3466])
    """
    return cast("Tensor", _torch.special.entr(shares))


def foreach_norm(tensors: Sequence[Tensor], order: float, dtype: torch.dtype) -> list[Tensor]:
    """Return the p-norm of each tensor, accumulated in ``dtype``, in one fused pass.

    Source: ``torch._foreach_norm``. Cost: one pass over all tensors.

    >>> foreach_norm([torch.ones(4)], 2.0, torch.float32)
    [tensor(2.)]
    """
    return list(_torch._foreach_norm(list(tensors), order, dtype=dtype))  # noqa: SLF001 - see above


def foreach_difference(after: Sequence[Tensor], before: Sequence[Tensor]) -> list[Tensor]:
    """Return ``after - before`` tensor by tensor, in one fused pass.

    Source: ``torch._foreach_sub``. Cost: one pass and one copy of all tensors.

    >>> foreach_difference([torch.ones(2)], [torch.zeros(2)])
    [tensor([1., 1.])]
    """
    return list(_torch._foreach_sub(list(after), list(before)))  # noqa: SLF001 - see above


def foreach_sum(first: Sequence[Tensor], second: Sequence[Tensor]) -> list[Tensor]:
    """Return ``first + second`` tensor by tensor, in one fused pass.

    Source: ``torch._foreach_add``. Cost: one pass and one copy of all tensors.

    >>> foreach_sum([torch.ones(2)], [torch.ones(2)])
    [tensor([2., 2.])]
    """
    return list(_torch._foreach_add(list(first), list(second)))  # noqa: SLF001 - see above


def real_spectrum(values: Tensor) -> Tensor:
    """Return the power ``|x̂|²`` of a real signal at each frequency from 0 up, by ``torch.fft.rfft``.

    Source: ``torch.fft``. Cost: O(T log T).

    >>> real_spectrum(torch.tensor([1.0, -1.0]))
    tensor([0., 4.])
    """
    return cast("Tensor", _torch.fft.rfft(values)).abs().square()


def version_of(tensor: Tensor) -> int:
    """Return how often a tensor was written in place: a change shows without reading the device.

    Source: ``torch.Tensor._version``. Cost: none.

    >>> tensor = torch.zeros(1)
    >>> version_of(tensor), version_of(tensor.add_(1))
    (0, 1)
    """
    return int(cast("Any", tensor)._version)  # noqa: SLF001 - see above


def tables_of(module: nn.Module) -> tuple[dict[str, Tensor | None], dict[str, Tensor | None]]:
    """Return the very tables in which a module holds its own parameters and buffers, by name.

    Source: ``torch.nn.Module``. Cost: none.

    >>> [[*table] for table in tables_of(nn.BatchNorm1d(1, affine=False))]
    [['weight', 'bias'], ['running_mean', 'running_var', 'num_batches_tracked']]
    """
    inside = cast("Any", module)
    return inside._parameters, inside._buffers  # noqa: SLF001 - see above


def fork_rng(devices: Sequence[torch.device], *, device_type: str) -> AbstractContextManager[None]:
    """Return ``torch.random.fork_rng``: put the random state of the CPU and of ``devices`` back on leaving.

    Source: ``torch.random``. Cost: a copy of each state.

    >>> before = torch.get_rng_state()
    >>> with fork_rng([], device_type="cuda"):
    ...     _ = torch.rand(1)
    >>> torch.equal(before, torch.get_rng_state())
    True
    """
    return cast("AbstractContextManager[None]", _torch.random.fork_rng(devices, device_type=device_type))


def eigh(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``torch.linalg.eigh``: eigenvalues ``[..., m]``, rising, and eigenvectors as columns.

    Source: ``torch.linalg``. Cost: O(m³) a matrix.

    >>> eigh(torch.eye(1))
    (tensor([1.]), tensor([[1.]]))
    """
    values, vectors = _torch.linalg.eigh(matrices)
    return values, vectors


def orthonormal(columns: Tensor) -> Tensor:
    """Return the ``Q`` of ``torch.linalg.qr``: orthonormal columns that span those of ``[m, n]``, n ≤ m.

    Source: ``torch.linalg``. Cost: O(m n²).

    >>> orthonormal(torch.tensor([[2.0], [0.0]])).abs()
    tensor([[1.],
            [0.]])
    """
    return cast("Tensor", _torch.linalg.qr(columns)[0])


def cholesky(matrices: Tensor) -> Tensor:
    """Return ``torch.linalg.cholesky_ex``: the lower factor of positive matrices; unchecked, so no waiting.

    Source: ``torch.linalg``. Cost: O(m³) a matrix.

    >>> cholesky(torch.tensor([[4.0]]))
    tensor([[2.]])
    """
    return cast("Tensor", _torch.linalg.cholesky_ex(matrices)[0])


def normal_quantile(levels: Tensor) -> Tensor:
    """Return ``torch.special.ndtri``: Φ⁻¹, the standard normal's quantile.

    Source: ``torch.special``. Cost: one pass.

    >>> normal_quantile(torch.tensor([0.5, 0.975]))
    tensor([0.0000, 1.9600])
    """
    return cast("Tensor", _torch.special.ndtri(levels))


def fourier(table: Tensor) -> Tensor:
    """Return ``torch.fft.rfft`` over the first dimension: ``[⌊p/2⌋ + 1, ...]``, complex.

    Source: ``torch.fft``. Cost: O(p log p) a column.

    >>> fourier(torch.tensor([1.0, -1.0])).real
    tensor([0., 2.])
    """
    return cast("Tensor", _torch.fft.rfft(table, dim=0))


def inverse_fourier(spectrum: Tensor, size: int) -> Tensor:
    """Return ``torch.fft.irfft`` over the first dimension: the table of ``size`` rows with that spectrum.

    Source: ``torch.fft``. Cost: O(p log p) a column.

    >>> inverse_fourier(torch.tensor([0.0 + 0j, 2.0 + 0j]), 2)
    tensor([ 1., -1.])
    """
    return cast("Tensor", _torch.fft.irfft(spectrum, n=size, dim=0))
