"""Parameters that several processes hold in parts: FSDP2 and whatever else makes DTensors."""

from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from grokscope.collectors.tensors.torch_stubs import tables_of

T = TypeVar("T")


def is_sharded(model: nn.Module) -> bool:
    """Say whether a parameter of ``model`` is a DTensor; then all processes must measure together.

    Source: definition. Cost: none.

    >>> is_sharded(nn.Linear(1, 1))
    False
    """
    tables = (tables_of(module)[0] for module in model.modules())
    return any(isinstance(parameter, DTensor) for table in tables for parameter in table.values())


def reshard(model: nn.Module) -> None:
    """Let go of the whole parameters that FSDP2 keeps after a forward pass, for a backward pass to come.

    Its outermost module keeps them; until they are let go, they are no DTensors.

    Source: ``FSDPModule.reshard``. Cost: none where nothing is sharded.

    >>> reshard(nn.Linear(1, 1))
    """
    if dist.is_initialized():
        for module in model.modules():
            if isinstance(module, FSDPModule):
                module.reshard()


def whole(tensor: Tensor) -> Tensor:
    """Return the whole of a tensor of which this process may hold a shard.

    A collective operation where it is sharded: every process must call it. An ordinary tensor is returned
    as it is.

    Source: definition. Cost: one all-gather, and the whole tensor's memory for as long as it is kept.

    >>> whole(torch.ones(2))
    tensor([1., 1.])
    """
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def dot(first: Tensor, second: Tensor) -> Tensor:
    """Return the inner product of two tensors of one shape, sharded alike or not at all.

    Args:
        first: Of any shape.
        second: Of the same shape.

    Returns:
        Scalar tensor, no synchronisation; a DTensor if the two are.

    Source: definition. Cost: one pass over both.

    >>> dot(torch.ones(2, 2), torch.ones(2, 2))
    tensor(4.)
    """
    # Shards of unequal length cannot be flattened; torch.dot is the faster of the two where it serves.
    if isinstance(first, DTensor):
        return (first * second).sum()
    return torch.dot(first.flatten(), second.flatten())


def agreed(value: T, model: nn.Module) -> T:
    """Return the first process's ``value`` on every process that holds a part of ``model``.

    What hangs on a clock must be decided once: if one process measured and another did not, both would wait
    for ever.

    Source: definition. Cost: one small broadcast where the model is sharded.

    >>> agreed(3, nn.Linear(1, 1))
    3
    """
    if not dist.is_initialized() or not is_sharded(model):
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]
