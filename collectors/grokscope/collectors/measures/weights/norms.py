"""Norms over whole sets of tensors, each set read as one vector."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from grokscope.collectors.tensors.chunks import in_pieces
from grokscope.collectors.tensors.predictions import widest
from grokscope.collectors.tensors.torch_stubs import foreach_difference, foreach_norm, vector_norm


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
    each = {id(tensor): tensor.detach() for members in sets.values() for tensor in members}
    if not each:
        return {name: torch.zeros(()) for name in groups}
    flat = [*each.values()]
    norms = dict(zip(each, foreach_norm(flat, order, _precision(flat)), strict=True))
    none = torch.zeros((), device=flat[0].device)
    parts = {name: [norms[id(tensor)] for tensor in members] for name, members in sets.items()}
    return {name: _joined(part, order) if part else none for name, part in parts.items()}


def distance_from_init(parameters: Iterable[Tensor], init: Iterable[Tensor], *, order: float = 2.0) -> Tensor:
    """Return how far the parameters have come: ‖θ - θ₀‖_p.

    Args:
        parameters: Tensors of any shape on one device; an empty iterable gives 0.
        init: Their values at initialisation, in the same order and shapes.
        order: p ≥ 1, dimensionless.

    Returns:
        Scalar tensor on the parameters' device (no synchronisation); NaN if any entry is NaN.

    Raises:
        ValueError: If ``order`` < 1, or the two do not pair up.

    Source: definition. Cost: one fused difference and one fused pass over the parameters.

    >>> distance_from_init([torch.tensor([3.0, 4.0])], [torch.zeros(2)])
    tensor(5.)
    """
    now, then = list(parameters), list(init)
    _check_pairs(now, then)
    parts = [
        weight_norm(differences(after, before), order=order) for after, before, _ in in_pieces(now, then)
    ]
    return _joined(parts, order) if parts else torch.zeros(())


def angle_from_init(parameters: Iterable[Tensor], init: Iterable[Tensor]) -> Tensor:
    """Return the angle between the parameters and their values at initialisation.

        α = arccos(θ·θ₀ / (‖θ‖ ‖θ₀‖)),  from the three norms ‖θ‖, ‖θ₀‖ and ‖θ - θ₀‖ alone

    Kahan's form of the law of cosines, right to 1e-3 radians in single precision and far better away from 0.

    Args:
        parameters: Tensors of any shape on one device.
        init: Their values at initialisation, in the same order and shapes.

    Returns:
        Scalar tensor in radians, 0..π, no synchronisation; NaN if either is 0 or has a NaN.

    Raises:
        ValueError: If the two do not pair up.

    Source: arXiv:2605.18845 (measure), Kahan 2014 (formula). Cost: one fused difference and
    three fused passes over the parameters.

    >>> angle_from_init([torch.tensor([0.0, 2.0])], [torch.tensor([1.0, 0.0])])
    tensor(1.5708)
    """
    now, then = list(parameters), list(init)
    sides = weight_norms({"now": now, "then": then})
    return angle_of_sides(sides["now"], sides["then"], distance_from_init(now, then))


def angle_of_sides(one: Tensor, two: Tensor, way: Tensor) -> Tensor:
    """Return the angle between two vectors of which only their lengths and their distance are known.

        γ = 2 arctan √( ((a-b) + c) μ / ((a + (b+c)) ((a-c) + b)) ),  a ≥ b the lengths, c the distance,
        μ = c - (a-b) if b ≥ c, else b - (a-c)

    Args:
        one: Length of a vector, scalar.
        two: Length of another one.
        way: Length of their difference.

    Returns:
        Scalar tensor in radians, 0..π, no synchronisation; NaN if a vector is 0 or has a NaN.

    Source: Kahan 2014. Cost: some fifteen scalar operations.

    >>> angle_of_sides(torch.tensor(3.0), torch.tensor(4.0), torch.tensor(5.0))
    tensor(1.5708)
    """
    a, b, c = widest(torch.maximum(one, two)), widest(torch.minimum(one, two)), widest(way)
    # μ is (b + c) - a, taken so that nothing large is subtracted late.
    gap = torch.where(b >= c, c - (a - b), b - (a - c)).clamp_min(0)
    rest = (a + (b + c)) * ((a - c) + b).clamp_min(0)
    angle = 2 * torch.atan2((((a - b) + c) * gap).sqrt(), rest.sqrt())
    return torch.where(b > 0, angle, torch.nan).to(one.dtype)


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


def update_ratio(parameters: Iterable[Tensor], previous: Iterable[Tensor]) -> Tensor:
    """Return the size of one update in units of what it updates: ‖θ_{t+1} - θ_t‖₂ / ‖θ_t‖₂.

    Args:
        parameters: θ_{t+1}, tensors of any shape on one device.
        previous: θ_t, in the same order and shapes.

    Returns:
        Scalar tensor on the parameters' device (no synchronisation); infinite if θ_t is 0 and moved, NaN if
        it is 0 and did not, if there are no parameters, or if any entry is NaN.

    Raises:
        ValueError: If the two do not pair up.

    Source: common practice. Cost: one fused difference and two fused passes over the parameters.

    >>> update_ratio([torch.tensor([3.0, 4.5])], [torch.tensor([3.0, 4.0])])
    tensor(0.1000)
    """
    old = list(previous)
    return distance_from_init(parameters, old) / weight_norm(old)


def by_layer(model: nn.Module) -> dict[str, list[Tensor]]:
    """Return a model's parameters under the names of the modules that own them.

    A parameter that the model itself owns is a layer under its own name; a shared one belongs to the first.

    Source: definition. Cost: none on the device.

    >>> list(by_layer(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))))
    ['0', '2']
    """
    layers: dict[str, list[Tensor]] = {}
    for name, parameter in model.named_parameters():
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


def differences(after: Sequence[Tensor], before: Sequence[Tensor]) -> list[Tensor]:
    """Return ``after - before`` tensor by tensor, in at least single precision.

    Raises:
        ValueError: If the two do not pair up.

    Source: definition. Cost: one fused pass and one copy.

    >>> differences([torch.tensor([3.0, 4.0])], [torch.ones(2)])
    [tensor([2., 3.])]
    """
    _check_pairs(after, before)
    if not after:
        return []
    precision = _precision([*after, *before])
    wide = [[tensor.detach().to(precision) for tensor in tensors] for tensors in (after, before)]
    return foreach_difference(*wide)


def _check_pairs(after: Sequence[Tensor], before: Sequence[Tensor]) -> None:
    shapes = [[tensor.shape for tensor in tensors] for tensors in (after, before)]
    if shapes[0] != shapes[1]:
        got = " and ".join(str([list(shape) for shape in each]) for each in shapes)
        raise ValueError(
            f"two sets of parameters must have the same shapes in the same order, got {got}; take both from "
            "the same model"
        )


def _joined(parts: Sequence[Tensor], order: float) -> Tensor:
    """Return the norm of the whole from the norms of its parts."""
    return parts[0] if len(parts) == 1 else vector_norm(torch.stack([*parts]), order)


def _precision(tensors: Sequence[Tensor]) -> torch.dtype:
    return torch.float64 if any(t.dtype == torch.float64 for t in tensors) else torch.float32
