"""A step of the training that several optimizers may make together: each one's part, and the whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim import SGD, Optimizer

from grokscope.collectors.measures.location import location
from grokscope.collectors.measures.updates.steps import split_of
from grokscope.collectors.measures.weights.movement import differences
from grokscope.collectors.measures.weights.norms import joined
from grokscope.collectors.tensors.chunks import in_pieces, small_as_one
from grokscope.collectors.tensors.complex_numbers import real
from grokscope.collectors.tensors.shards import dot
from grokscope.collectors.tensors.torch_stubs import foreach_norm

# Optimizers of torch that decay the parameters themselves, in versions that do not say so in their groups.
_DECOUPLED = frozenset({"AdamW", "Muon"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPart:
    """What one optimizer's part of a step was: norms, from which those of the whole are made.

    Attributes:
        gradients: Norms of the gradients by ending of the key: "" for all, "/<layer>".
        along: Norm of the gradients that have the shape of their parameters.
        at: Norm of those parameters.
        alignment: cos(-g, θ) of them; ``None`` where there are none.
        change: Norm of the update.
        before: Norm of the parameters before it.
        decay: Norms of the gradient's and of decay's part of the update and their inner product; ``None``
            where nothing is decayed apart from the gradient.
    """

    gradients: Mapping[str, Tensor]
    along: Tensor
    at: Tensor
    alignment: Tensor | None
    change: Tensor
    before: Tensor
    decay: tuple[Tensor, Tensor, Tensor] | None


def step_measures(parts: Sequence[StepPart]) -> dict[str, Tensor]:
    """Return the measures of a step by full key, from the parts of the optimizers that made it.

    Source: definitions. Cost: some ten scalar operations a part.

    >>> three, four = torch.tensor(3.0), torch.tensor(4.0)
    >>> own = {"along": three, "at": four, "alignment": None, "before": four, "decay": None}
    >>> one = StepPart(gradients={"": three}, change=three, **own)
    >>> other = StepPart(gradients={"": four}, change=four, **own)
    >>> {key: round(value.item(), 3) for key, value in step_measures([one, other]).items()}
    {'gradients/norm': 5.0, 'updates/ratio': 0.884}
    """
    names = dict.fromkeys(name for part in parts for name in part.gradients)
    measured = {
        f"gradients/norm{name}": joined([p.gradients[name] for p in parts if name in p.gradients], order=2.0)
        for name in names
    }
    aligned = [part for part in parts if part.alignment is not None]
    if len(aligned) == 1:
        measured["gradients/alignment"] = cast("Tensor", aligned[0].alignment)
    elif aligned:
        along, at = (joined([getattr(p, side) for p in aligned], order=2.0) for side in ("along", "at"))
        terms = [p.alignment * (p.along / along) * (p.at / at) for p in aligned if p.alignment is not None]
        measured["gradients/alignment"] = torch.stack([*map(torch.nan_to_num, terms)]).sum() + 0 * along * at
    change, before = (joined([getattr(p, side) for p in parts], order=2.0) for side in ("change", "before"))
    measured["updates/ratio"] = change / before
    if any(part.decay is not None for part in parts):
        none = torch.zeros_like(change)
        split = [part.decay or (part.change, none, none) for part in parts]
        gradient, decay = (joined([one[side] for one in split], order=2.0) for side in (0, 1))
        product = torch.stack([one[2] for one in split]).sum()
        share, cosine = split_of(gradient, decay, product)
        measured |= {"updates/gradient_share": share, "updates/decay_cosine": cosine}
    return measured


def update_norms(
    optimizer: Optimizer, parameters: Sequence[Tensor], before: Sequence[Tensor]
) -> dict[str, Any]:
    """Return the fields of a ``StepPart`` that tell an update.

    Args:
        optimizer: Has made it.
        parameters: As they are now, on one device.
        before: As they were, complex ones as pairs of real numbers.

    Source: definitions. Cost: one pass over both sets, and a copy of a piece.

    >>> parameter = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    >>> update_norms(torch.optim.Adam([parameter]), [parameter], [torch.zeros(2)])["change"]
    tensor(5.)
    """
    rates, after = _decay_rates(optimizer, parameters), [real(p.detach()) for p in parameters]
    if all(isinstance(rate, float) and rate == rates[0] for rate in rates):
        after, before = small_as_one(after, before)
    change, length, gradient, decay, products = (list[Tensor]() for _ in range(5))
    # Piece by piece all that is done to one stays in the processor's cache.
    for now, then, of in in_pieces(after, before):
        moved = differences(now, then)
        wide = [value.to(part.dtype) for value, part in zip(then, moved, strict=True)]
        sizes = foreach_norm([*moved, *wide], 2.0, moved[0].dtype)
        change += sizes[: len(of)]
        length += sizes[len(of) :]
        if rates:
            own = [rates[index] for index in of]
            _undo_decay(moved, wide, own)
            gradient += foreach_norm(moved, 2.0, moved[0].dtype)
            decay += [size * abs(rate) for size, rate in zip(sizes[len(of) :], own, strict=True)]
            products += [-rate * dot(*both) for *both, rate in zip(moved, wide, own, strict=True)]
    split = None
    if rates:
        split = joined(gradient, order=2.0), joined(decay, order=2.0), torch.stack(products).sum()
    return {"change": joined(change, order=2.0), "before": joined(length, order=2.0), "decay": split}


def learning_rates(optimizer: Optimizer, device: torch.device) -> dict[str, Tensor]:
    """Return the learning rate, and each group's where there are several, as scalars on the device.

    Source: definition. Cost: a scalar a group.

    >>> learning_rates(torch.optim.SGD([torch.ones(1)], lr=0.5), torch.device("cpu"))
    {'updates/learning_rate': tensor(0.5000)}
    """
    groups = [group for group in optimizer.param_groups if isinstance(group.get("lr"), Tensor | float | int)]
    names = [f"/group:{location(str(group.get('name', f'group_{i}')))}" for i, group in enumerate(groups)]
    rates: list[Any] = [group["lr"] for group in groups]
    keyed = zip(["", *names] if len(groups) > 1 else [""], [*rates[:1], *rates], strict=False)
    return {
        f"updates/learning_rate{name}": rate.detach().clone().to(device)
        if isinstance(rate, Tensor)
        else torch.full((), rate, device=device)
        for name, rate in keyed
    }


def _decay_rates(optimizer: Optimizer, recorded: Sequence[Tensor]) -> list[float | Tensor]:
    """Return by how much of itself each parameter is decayed apart from its gradient; nothing if none is."""
    rates: dict[int, float | Tensor] = {}
    for group in optimizer.param_groups:
        # Without momentum, decay that SGD adds to the gradient is decay of the parameter itself.
        is_plain = isinstance(optimizer, SGD) and not group.get("momentum")
        is_apart = group.get("decoupled_weight_decay", type(optimizer).__name__ in _DECOUPLED)
        decay = group.get("weight_decay", 0.0) if is_apart or is_plain else 0.0
        rate = group.get("lr", 0.0)
        rates |= {id(p): rate * decay if decay and p.grad is not None else 0.0 for p in group["params"]}
    found = [rates[id(p)] for p in recorded]
    return found if any(isinstance(rate, Tensor) or rate for rate in found) else []


def _undo_decay(change: Sequence[Tensor], before: Sequence[Tensor], rates: Sequence[float | Tensor]) -> None:
    """Leave of a change what the gradient made of it: decay took ``rate`` of each parameter away."""
    for part, value, rate in zip(change, before, rates, strict=True):
        if isinstance(rate, Tensor):
            part.add_(value * rate)
        else:
            part.add_(value, alpha=rate)
