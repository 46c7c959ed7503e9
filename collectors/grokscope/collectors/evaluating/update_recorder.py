"""Gradients and updates as the optimizer sees them: the only moment at which both are there."""

import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from inspect import currentframe, getsourcefile
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from grokscope.collectors.evaluating.preserved_state import plain_module
from grokscope.collectors.evaluating.weights import measured_parameters
from grokscope.collectors.interrupts import is_interrupt
from grokscope.collectors.measures.location import location
from grokscope.collectors.measures.updates.step_parts import (
    StepPart,
    learning_rates,
    step_measures,
    update_norms,
)
from grokscope.collectors.measures.updates.steps import alignment
from grokscope.collectors.measures.weights.norms import by_layer, weight_norms
from grokscope.collectors.optimizers import hooked_optimizers
from grokscope.collectors.tensors.chunks import small_as_one
from grokscope.collectors.tensors.complex_numbers import real

_OPTIMIZER_FILE = getsourcefile(Optimizer)


class UpdateRecorder:
    """Measures gradient and update of due optimizer steps.

    ``gradients/norm`` in total and by layer, ``gradients/alignment`` (cos(-g, θ)), ``updates/ratio`` and
    ``updates/learning_rate``; where parameters are decayed apart from the gradient (AdamW, Muon, SGD without
    momentum) also ``updates/gradient_share`` and ``updates/decay_cosine``.

    Hooks on ``optimizer.step`` see gradients after unscaling and clipping, wherever ``zero_grad`` stands. θ
    are the parameters of ``model`` that ``optimizer`` holds at that step; a frozen one never moves and has no
    gradient, but counts in ‖θ‖. A step that ``GradScaler`` skips is not a step. With a closure, gradients are
    those of its last call. Several optimizers make one step together, until one of them steps again. Of a
    wrapper that cannot be hooked, the steps of the optimizer inside it are read. A failure in here never
    reaches ``optimizer.step``: recording ends, and the next ``pop`` raises it, once.

    The hooks hold nothing alive, and go with the recorder.

    Args:
        model: Any module, its parameters on one device.
        optimizer: Holds parameters of ``model``: any that torch calls hooks of, or what holds such ones.
        is_due: Asked once a step, before it; measuring costs a copy of θ and some ten passes over it,
            not measuring one Python call.

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
        self._optimizer = optimizer
        self._is_due = is_due
        self._step = _Step()
        self._read: list[StepPart] = []
        self._rates: dict[str, Tensor] = {}
        self._failure: Exception | None = None
        self._is_ended = False
        self._seconds = 0.0
        hooked = hooked_optimizers(optimizer)
        self._inside = {
            id(one): {id(inner) for inner in hooked_optimizers(one)} - {id(one)} for one in hooked
        }
        self._held = {id(one): (-1, False) for one in hooked}
        before, after = _weak(self._before_step), _weak(self._after_step)
        handles = [one.register_step_pre_hook(before) for one in hooked]
        handles += [one.register_step_post_hook(after) for one in hooked]
        self._take_off = weakref.finalize(self, _removed, handles)
        self._take_off.atexit = False

    def pop(self) -> dict[str, Tensor]:
        """Return the measures of the last due step by full key, and forget them.

        Returns:
            Scalar tensors on the parameters' device (no synchronisation); empty if no due step was made.

        Raises:
            Exception: What ended the recording inside a step.
        """
        failure, self._failure = self._failure, None
        if failure is not None:
            self.close()
            raise failure
        read, self._read = self._read, []
        return step_measures(read) | self._rates if read else {}

    def pop_seconds(self) -> float:
        """Return the host's seconds that recording has added to steps since this was asked last."""
        seconds, self._seconds = self._seconds, 0.0
        return seconds

    def close(self) -> None:
        """Take the hooks off the optimizer and drop what is held; once is enough, twice does no harm."""
        self._end()
        self._take_off()

    def _end(self) -> None:
        self._is_ended = True
        self._step, self._read = _Step(), []

    def _holds_some(self, optimizer: Optimizer) -> bool:
        """Say whether the optimizer holds parameters of the model, asked anew where groups were added."""
        count = len(optimizer.param_groups)
        known, holds = self._held.get(id(optimizer), (-1, False))
        if count != known:
            holds = bool(self._recorded(optimizer))
            self._held[id(optimizer)] = count, holds
        return holds

    def _recorded(self, optimizer: Optimizer) -> list[Tensor]:
        own = {id(p) for p in measured_parameters(self._model).values()}
        held: list[Tensor] = [p for group in optimizer.param_groups for p in group["params"]]
        return [p for p in held if id(p) in own]

    def _before_step(self, optimizer: Optimizer, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        if not self._is_ended and id(optimizer) not in self._inside.get(self._step.under_way, ()):
            self._guarded(self._begin, optimizer, args, kwargs)

    def _begin(self, optimizer: Optimizer, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        step = self._step
        step.before, step.gradient, step.under_way = [], None, id(optimizer)
        if not self._holds_some(optimizer):
            return
        if not step.made or id(optimizer) in step.made:
            step.made, step.parts, step.is_due = set(), [], self._is_due()
        step.made.add(id(optimizer))
        if not step.is_due:
            return
        recorded = self._recorded(optimizer)
        step.before = [(p, real(p.detach()).clone()) for p in recorded]
        if kwargs.get("closure") is None and not any(callable(argument) for argument in args):
            step.gradient = self._gradients(optimizer, recorded, [real(p.detach()) for p in recorded])

    def _after_step(self, optimizer: Optimizer, *_: object) -> None:
        step = self._step
        if self._is_ended or step.under_way != id(optimizer):
            return
        step.under_way = 0
        if step.before:
            self._guarded(self._complete, optimizer)

    def _complete(self, optimizer: Optimizer) -> None:
        step = self._step
        parameters, before = map(list, zip(*step.before, strict=True))
        step.before = []
        gradient = step.gradient or self._gradients(optimizer, parameters, before)
        if not step.parts:
            # Schedulers change the rates after the step: these are still those that it was made with.
            self._rates = learning_rates(self._optimizer, parameters[0].device)
        step.parts.append(StepPart(**gradient, **update_norms(optimizer, parameters, before)))
        self._read = step.parts

    def _gradients(
        self, optimizer: Optimizer, parameters: Sequence[Tensor], values: Sequence[Tensor]
    ) -> dict[str, Any]:
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
        along, at = small_as_one([gradient for gradient, _ in pairs], [v for _, v in pairs])
        norms = weight_norms(parts | {"along": along, "at": at})
        both = norms.pop("along"), norms.pop("at")
        return {
            "gradients": {name: _unscaled(norm, optimizer) for name, norm in norms.items()},
            "along": _unscaled(both[0], optimizer),
            "at": both[1],
            "alignment": alignment(along, at, norms=both) if pairs else None,
        }

    def _guarded(self, work: Callable[..., None], *arguments: object) -> None:
        """Do a part of the recording, which a failure ends."""
        began = time.perf_counter()
        try:
            work(*arguments)
        except Exception as failure:
            if is_interrupt(failure):
                raise
            # The hooks stay until ``pop``: torch is walking through them.
            self._end()
            self._failure = failure
        finally:
            self._seconds += time.perf_counter() - began


@dataclass(slots=True)
class _Step:
    """One step of the training, which several optimizers may make together."""

    made: set[int] = field(default_factory=set[int])
    is_due: bool = False
    under_way: int = 0
    before: list[tuple[Tensor, Tensor]] = field(default_factory=list[tuple[Tensor, Tensor]])
    gradient: dict[str, Any] | None = None
    parts: "list[StepPart]" = field(default_factory=list["StepPart"])


def _dense(gradient: Tensor) -> Tensor:
    return real((gradient.coalesce().values() if gradient.is_sparse else gradient).detach())


def _weak(method: Callable[..., None]) -> Callable[..., None]:
    """Return a hook that does nothing once the object of the method has gone."""
    reference = weakref.WeakMethod(method)

    def hook(*arguments: object) -> None:
        found = reference()
        if found is not None:
            found(*arguments)

    return hook


def _removed(handles: Sequence[RemovableHandle]) -> None:
    frame = currentframe()
    while frame is not None:
        # Whoever drops a recorder within a step must not change what torch is walking through.
        if frame.f_code.co_filename == _OPTIMIZER_FILE and frame.f_code.co_name == "wrapper":
            return
        frame = frame.f_back
    for handle in handles:
        handle.remove()


def _unscaled(norm: Tensor, optimizer: Optimizer) -> Tensor:
    # A fused optimizer unscales inside its kernel, after the hook: GradScaler hands it the factor here.
    scale: object = getattr(optimizer, "grad_scale", None)
    return norm / scale.to(norm.device) if isinstance(scale, Tensor) else norm
