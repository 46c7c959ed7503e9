"""Norms over whole sets of tensors, each set taken as one vector."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.tensors.complex_numbers import real
from grokscope.collectors.tensors.torch_stubs import foreach_norm, vector_norm
from grokscope.schemas import Measure

_DOUBLE = (torch.float64, torch.complex128)


def weight_norm(parameters: Iterable[Tensor], *, order: float = 2.0) -> Tensor:
    """Return the p-norm of all parameters taken as one vector.

        ‖θ‖_p = (Σᵢ |θᵢ|^p)^(1/p)

    Half-precision parameters are summed in single precision.

    Args:
        parameters: Tensors of any shape on one device; an empty iterable gives 0.
        order: p ≥ 1, dimensionless; infinity gives the largest magnitude.

    Returns:
        Scalar tensor on the parameters' device (no synchronisation); NaN if any entry is NaN.

    Raises:
        ValueError: If ``order`` < 1.

    Source: definition. Cost: one fused pass over the parameters.

    >>> weight_norm([torch.tensor([1.0, 2.0]), torch.tensor([3.0])], order=1.0)
    tensor(6.)
    """
    return weight_norms({"all": parameters}, order=order)["all"]


def weight_norms(groups: Mapping[str, Iterable[Tensor]], *, order: float = 2.0) -> dict[str, Tensor]:
    """Return the ``weight_norm`` of each group, reading every tensor once, in one fused pass.

    Args:
        groups: Named sets of tensors, as from ``by_layer`` or ``by_group``, all on one device; one tensor
            may be in several.
        order: p ≥ 1, dimensionless.

    Returns:
        Scalar tensors under the groups' names; an empty group gives 0.

    Raises:
        ValueError: If ``order`` < 1.

    Source: definition. Cost: one fused pass over the parameters and one small reduction a group.

    >>> weight_norms({"a": [torch.tensor([3.0, 4.0])], "b": [torch.ones(4)]})
    {'a': tensor(5.), 'b': tensor(2.)}
    """
    if not order >= 1:
        raise ValueError(f"order must be at least 1 to be a norm, got {order}; use 1, 2 or float('inf')")
    sets = {name: [tensor for tensor in group if tensor.numel()] for name, group in groups.items()}
    each = {id(tensor): _numbers(tensor.detach(), order) for members in sets.values() for tensor in members}
    if not each:
        return {name: torch.zeros(()) for name in groups}
    flat = [*each.values()]
    norms = dict(zip(each, foreach_norm(flat, order, precision_of(flat)), strict=True))
    none = torch.zeros((), device=flat[0].device)
    parts = {name: [norms[id(tensor)] for tensor in members] for name, members in sets.items()}
    return {name: joined(part, order=order) if part else none for name, part in parts.items()}


def gradient_norm(parameters: Iterable[Tensor], *, order: float = 2.0) -> Tensor:
    """Return the p-norm of all gradients taken as one vector; a parameter without one counts as 0.

    Args:
        parameters: Tensors of any shape on one device, read for their ``.grad``; sparse gradients count
            with repeated indices added up.
        order: p ≥ 1, dimensionless.

    Returns:
        Scalar tensor on the gradients' device (no synchronisation); NaN if any entry is NaN.

    Raises:
        ValueError: If ``order`` < 1.

    Source: definition. Cost: one fused pass over the gradients.

    >>> parameter = torch.tensor([1.0], requires_grad=True)
    >>> (3 * parameter).sum().backward()
    >>> gradient_norm([parameter])
    tensor(3.)
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    dense = [g.coalesce().values() if g.is_sparse else g for g in gradients]
    return weight_norm(dense, order=order)


def by_layer(model: nn.Module) -> dict[str, list[Tensor]]:
    """Return a model's parameters under the names of the modules that own them.

    A parameter that the model itself owns is a layer under its own name; a shared one belongs to the first.

    Source: definition. Cost: none on the device.

    >>> list(by_layer(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))))
    ['0', '2']
    """
    return layers_of(model.named_parameters())


def layers_of(parameters: Iterable[tuple[str, Tensor]]) -> dict[str, list[Tensor]]:
    """Return named parameters under the names of the modules that own them, as ``by_layer`` does.

    Source: definition. Cost: none on the device.

    >>> list(layers_of([("a.weight", torch.ones(1)), ("a.bias", torch.ones(1)), ("b", torch.ones(1))]))
    ['a', 'b']
    """
    layers: dict[str, list[Tensor]] = {}
    for name, parameter in parameters:
        layers.setdefault(name.rpartition(".")[0] or name, []).append(parameter)
    return layers


def by_group(optimizer: Optimizer) -> dict[str, list[Tensor]]:
    """Return an optimizer's parameters by parameter group: its ``"name"``, else ``group_<index>``.

    Source: definition. Cost: none on the device.

    >>> weight, bias = nn.Linear(2, 3).parameters()
    >>> groups = [{"params": [weight], "name": "decayed"}, {"params": [bias], "weight_decay": 0.0}]
    >>> list(by_group(torch.optim.AdamW(groups)))
    ['decayed', 'group_1']
    """
    return {
        str(group.get("name", f"group_{index}")): list(group["params"])
        for index, group in enumerate(optimizer.param_groups)
    }


def joined(parts: Sequence[Tensor], *, order: float) -> Tensor:
    """Return the norm of the whole from the norms of its parts.

    Args:
        parts: Scalars, at least one.
        order: p ≥ 1, dimensionless.

    Source: definition. Cost: one small reduction.

    >>> joined([torch.tensor(3.0), torch.tensor(4.0)], order=2.0)
    tensor(5.)
    """
    return parts[0] if len(parts) == 1 else vector_norm(torch.stack([*parts]), order)


def precision_of(tensors: Sequence[Tensor]) -> torch.dtype:
    """Return the type that sums over some tensors are made in: single precision, or double if one is double.

    Source: definition. Cost: none.

    >>> precision_of([torch.zeros(1, dtype=torch.float16)])
    torch.float32
    """
    return torch.float64 if any(t.dtype in _DOUBLE for t in tensors) else torch.float32


def _numbers(tensor: Tensor, order: float) -> Tensor:
    """Return the real numbers that have the norm of a tensor."""
    return tensor.abs() if tensor.is_complex() and order != 2.0 else real(tensor)  # noqa: PLR2004 - Euclid's


NORM = Measure(
    key="weights/norm",
    label="weight norm",
    unit="1",
    low=0.0,
    formula=formula_of(weight_norm),
    around="depends on the recipe: rose through grokking here (measured here)",
)
