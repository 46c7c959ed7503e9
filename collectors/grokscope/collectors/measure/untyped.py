"""Functions that torch ships without types, typed once; nothing else here may be private to torch."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, cast

import torch
from torch import Tensor

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


def version_of(tensor: Tensor) -> int:
    """Return how often a tensor was written in place: a change shows without reading the device.

    Source: ``torch.Tensor._version``. Cost: none.

    >>> tensor = torch.zeros(1)
    >>> version_of(tensor), version_of(tensor.add_(1))
    (0, 1)
    """
    return int(cast("Any", tensor)._version)  # noqa: SLF001 - see above


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
