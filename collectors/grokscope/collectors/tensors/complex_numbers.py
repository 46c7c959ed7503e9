"""Tensors that may be complex: as the real numbers that they are made of, and in double precision."""

import torch
from torch import Tensor


def doubled(tensor: Tensor) -> Tensor:
    """Return a tensor in double precision, a complex one as complex numbers.

    Source: definition. Cost: one copy, unless it is double already.

    >>> doubled(torch.tensor([3 + 4j])).dtype, doubled(torch.ones(1)).dtype
    (torch.complex128, torch.float64)
    """
    return tensor.to(torch.complex128 if tensor.is_complex() else torch.float64)


def real(tensor: Tensor) -> Tensor:
    """Return a complex tensor as pairs of real numbers, another one as it is; its norm stays.

    Source: definition. Cost: none, it is a view.

    >>> real(torch.tensor([3 + 4j])), real(torch.ones(1))
    (tensor([[3., 4.]]), tensor([1.]))
    """
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor
