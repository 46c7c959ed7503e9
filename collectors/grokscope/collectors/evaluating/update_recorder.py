"""Gradients and updates as the optimizer sees them: the only moment at which both are there."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from grokscope.collectors.evaluating.preserved_state import plain_module
from grokscope.collectors.interrupts import is_interrupt
from grokscope.collectors.measures.location import location
from grokscope.collectors.measures.updates.steps import alignment, inner_product, split_of
from grokscope.collectors.measures.weights.movement import differences
from grokscope.collectors.measures.weights.norms import by_layer, weight_norms
from grokscope.collectors.tensors.chunks import in_pieces
from grokscope.collectors.tensors.torch_stubs import foreach_product

# Optimizers of torch that decay the parameters themselves, in versions that do not say so in their groups.
_DECOUPLED = frozenset({"AdamW", "Muon"})


class UpdateRecorder:
    """Measures gradient and update of due optimizer steps.

    ``gradients/norm`` in total and by layer, ``gradients/alignment`` (cos(-g, θ)), ``updates/ratio`` and
    ``updates/learning_rate``; where parameters are decayed apart from the gradient (AdamW, Muon, SGD without
    momentum) also ``updates/gradient_share`` and ``updates/decay_cosine``.

    Hooks on ``optimizer.step`` see gradients after unscaling and clipping, wherever ``zero_grad`` stands. θ
    are the parameters of ``model`` that ``optimizer`` holds at that step; a frozen one never moves and has no
    gradient, but counts in ‖θ‖. A step that ``GradScaler`` skips is not a step. With a closure, gradients are
    those of its last call. A failure in here never reaches ``optimizer.step``: recording ends, and the next
    ``pop`` raises it, once.

    Args:
        model: Any module, its parameters on one device.
        optimizer: Holds parameters of ``model``.
        is_due: Asked once a step, before it; measuring costs a copy of θ and some ten passes over it,
            not measuring one Python call.

    Raises:
        ValueError: If ``optimizer`` holds no parameter of ``model``.

    Source: ``gradients/alignment`` Prieto et al. 2025, the split of decay Xu 2026, ``updates/ratio`` common
    practice, the others definitions.

    >>> import torch
    >>> model = nn.Linear(1, 1, bias=False)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    >>> recorder = UpdateRecorder(model, optimizer, is_due=lambda: True)
    >>> (2 * model.weight).sum().backward()
    >>> optimizer.step()
    >>> recorder.pop()["gradients/norm"], recorder.pop()
    (tensor(2.), {})
    >>> recorder.close()
    """

    def __init__(self, model: nn.Module, optimizer: Optimizer, *, is_due: Callable[[], bool]) -> None:
        self._model = plain_module(model)
        self._is_due = is_due
        self._before: list[tuple[Tensor, Tensor]] = []
        self._gradient: dict[str, Tensor] = {}
        self._reading: dict[str, Tensor] = {}
        self._failure: Exception | None = None
        if not self._recorded(optimizer):
            raise ValueError(
                f"the optimizer must hold parameters of the model, got {type(optimizer).__name__} with none "
                f"of {type(model).__name__}'s; build it from model.parameters()"
            )
        self._handles = (
            optimizer.register_step_pre_hook(self._before_step),
            optimizer.register_step_post_hook(self._after_step),
        )

    def pop(self) -> dict[str, Tensor]:
        """Return the measures of the last due step by full key, and forget them.

        Returns:
            Scalar tensors on the parameters' device (no synchronisation); empty if no due step was made.

        Raises:
            Exception: What ended the recording inside a step.
        """
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        reading, self._reading = self._reading, {}
        return reading

    def close(self) -> None:
        """Take the hooks off the optimizer and drop what is held; once is enough, twice does no harm."""
        for handle in self._handles:
            handle.remove()
        self._before, self._gradient, self._reading = [], {}, {}

    def _recorded(self, optimizer: Optimizer) -> list[Tensor]:
        own = {id(p) for p in self._model.parameters()}
        held: list[Tensor] = [p for group in optimizer.param_groups for p in group["params"]]
        return [p for p in held if id(p) in own]

    def _before_step(self, optimizer: Optimizer, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        self._before, self._gradient = [], {}
        with self._ending_on_failure():
            if not self._is_due():
                return
            recorded = self._recorded(optimizer)
            self._before = [(p, p.detach().clone()) for p in recorded]
            if kwargs.get("closure") is None and not any(callable(argument) for argument in args):
                self._gradient = self._gradients(optimizer, recorded, recorded)

    def _after_step(self, optimizer: Optimizer, *_: object) -> None:
        if not self._before:
            return
        with self._ending_on_failure():
            parameters, before = map(list, zip(*self._before, strict=True))
            self._before = []
            gradients = self._gradient or self._gradients(optimizer, parameters, before)
            # Schedulers change the rates after the step: these are still those that it was made with.
            rates = _learning_rates(optimizer, parameters[0].device)
            self._reading = gradients | rates | _updates(optimizer, parameters, before)

    def _gradients(
        self, optimizer: Optimizer, parameters: Sequence[Tensor], values: Sequence[Tensor]
    ) -> dict[str, Tensor]:
        """Return the gradients' measures; after a closure ``values`` are no longer the parameters' own."""
        held = {
            id(p): (_dense(p.grad), v) for p, v in zip(parameters, values, strict=True) if p.grad is not None
        }
        parts = {"": [gradient for gradient, _ in held.values()]}
        for name, layer in by_layer(self._model).items():
            own = [held[id(p)][0] for p in layer if id(p) in held]
            parts |= {f"/{location(name)}": own} if own else {}
        # A sparse gradient holds only some of its parameter's rows.
        pairs = [(gradient, v) for gradient, v in held.values() if gradient.shape == v.shape]
        along, at = [gradient for gradient, _ in pairs], [v for _, v in pairs]
        norms = weight_norms(parts | {"along": along, "at": at})
        both = norms.pop("along"), norms.pop("at")
        measured = {f"gradients/norm{name}": _unscaled(norm, optimizer) for name, norm in norms.items()}
        if pairs:
            measured["gradients/alignment"] = alignment(along, at, norms=both)
        return measured

    @contextmanager
    def _ending_on_failure(self) -> Generator[None]:
        try:
            yield
        except Exception as failure:
            if is_interrupt(failure):
                raise
            self.close()
            self._failure = failure


def _updates(
    optimizer: Optimizer, parameters: Sequence[Tensor], before: Sequence[Tensor]
) -> dict[str, Tensor]:
    rates = _decay_rates(optimizer, parameters)
    lengths: dict[str, list[Tensor]] = {"change": [], "gradient": [], "decay": []}
    products: list[Tensor] = []
    for now, then, of in in_pieces(parameters, before):
        parts = {"change": differences(now, then)}
        if rates:
            parts["decay"] = _decay(then, [rates[index] for index in of])
            parts["gradient"] = differences(parts["change"], parts["decay"])
            products.append(inner_product(parts["gradient"], parts["decay"]))
        for name, norm in weight_norms(parts).items():
            lengths[name].append(norm)
    norms = weight_norms({**lengths, "before": before})
    measured = {"updates/ratio": norms["change"] / norms["before"]}
    if rates:
        share, cosine = split_of(norms["gradient"], norms["decay"], torch.stack(products).sum())
        measured |= {"updates/gradient_share": share, "updates/decay_cosine": cosine}
    return measured


def _learning_rates(optimizer: Optimizer, device: torch.device) -> dict[str, Tensor]:
    """Return the learning rate, and each group's where there are several, as scalars on the device."""
    groups = optimizer.param_groups
    names = [f"/group:{location(str(group.get('name', f'group_{i}')))}" for i, group in enumerate(groups)]
    rates: list[Any] = [group["lr"] for group in groups]
    keyed = zip(["", *names] if len(groups) > 1 else [""], [rates[0], *rates], strict=False)
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
        is_plain = isinstance(optimizer, SGD) and not group["momentum"]
        is_apart = group.get("decoupled_weight_decay", type(optimizer).__name__ in _DECOUPLED)
        decay = group.get("weight_decay", 0.0) if is_apart or is_plain else 0.0
        rates |= {id(p): group["lr"] * decay if p.grad is not None else 0.0 for p in group["params"]}
    found = [rates[id(p)] for p in recorded]
    return found if any(isinstance(rate, Tensor) or rate for rate in found) else []


def _decay(before: Sequence[Tensor], rates: Sequence[float | Tensor]) -> list[Tensor]:
    numbers = [rate for rate in rates if not isinstance(rate, Tensor)]
    if len(numbers) == len(rates):
        return foreach_product(before, [-rate for rate in numbers])
    return [value * -rate for value, rate in zip(before, rates, strict=True)]


def _dense(gradient: Tensor) -> Tensor:
    return gradient.coalesce().values() if gradient.is_sparse else gradient


def _unscaled(norm: Tensor, optimizer: Optimizer) -> Tensor:
    # A fused optimizer unscales inside its kernel, after the hook: GradScaler hands it the factor here.
    scale: object = getattr(optimizer, "grad_scale", None)
    return norm / scale.to(norm.device) if isinstance(scale, Tensor) else norm
