"""Gradients and updates as the optimizer sees them: the only moment at which both are there."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.optim import Optimizer

from grokscope.collectors.measure.norms import gradient_norm, update_ratio
from grokscope.collectors.measure.undisturbed import plain_module


class UpdateWatch:
    """Measures the gradient norm and the update ratio of due optimizer steps.

    Hooks on ``optimizer.step`` see gradients after unscaling and clipping, wherever ``zero_grad`` stands. θ
    are the parameters of ``model`` that ``optimizer`` holds at that step; a frozen one never moves and has no
    gradient, but counts in ‖θ‖. A step that ``GradScaler`` skips is not a step. With a closure, gradients are
    those of its last call. A failure in here never reaches ``optimizer.step``: the watch ends, and the next
    ``take`` raises it, once.

    Args:
        model: Any module, its parameters on one device.
        optimizer: Holds parameters of ``model``.
        is_due: Asked once a step, before it; measuring costs a copy of θ and some three passes over it,
            not measuring one Python call.

    Raises:
        ValueError: If ``optimizer`` holds no parameter of ``model``.

    Source: ``updates/ratio`` is common practice, ``gradients/norm`` a definition.

    >>> import torch
    >>> model = nn.Linear(1, 1, bias=False)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    >>> watch = UpdateWatch(model, optimizer, is_due=lambda: True)
    >>> (2 * model.weight).sum().backward()
    >>> optimizer.step()
    >>> watch.take()["gradients/norm"], watch.take()
    (tensor(2.), {})
    >>> watch.close()
    """

    def __init__(self, model: nn.Module, optimizer: Optimizer, *, is_due: Callable[[], bool]) -> None:
        self._model = plain_module(model)
        self._is_due = is_due
        self._before: list[tuple[Tensor, Tensor]] = []
        self._gradient: Tensor | None = None
        self._reading: dict[str, Tensor] = {}
        self._failure: Exception | None = None
        if not self._watched(optimizer):
            raise ValueError(
                f"the optimizer must hold parameters of the model, got {type(optimizer).__name__} with none "
                f"of {type(model).__name__}'s; build it from model.parameters()"
            )
        self._handles = (
            optimizer.register_step_pre_hook(self._before_step),
            optimizer.register_step_post_hook(self._after_step),
        )

    def take(self) -> dict[str, Tensor]:
        """Return ``gradients/norm`` and ``updates/ratio`` of the last due step and forget them.

        Returns:
            Scalar tensors on the parameters' device (no synchronisation); empty if no due step was made.

        Raises:
            Exception: What ended the watch inside a step.
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
        self._before, self._gradient, self._reading = [], None, {}

    def _watched(self, optimizer: Optimizer) -> list[Tensor]:
        own = {id(p) for p in self._model.parameters()}
        held: list[Tensor] = [p for group in optimizer.param_groups for p in group["params"]]
        return [p for p in held if id(p) in own]

    def _before_step(self, optimizer: Optimizer, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        self._before, self._gradient = [], None
        with self._ending_on_failure():
            if not self._is_due():
                return
            watched = self._watched(optimizer)
            self._before = [(p, p.detach().clone()) for p in watched]
            if kwargs.get("closure") is None and not any(callable(argument) for argument in args):
                self._gradient = _unscaled(gradient_norm(watched), optimizer)

    def _after_step(self, *_: object) -> None:
        if not self._before:
            return
        with self._ending_on_failure():
            parameters, before = zip(*self._before, strict=True)
            self._before = []
            gradient = gradient_norm(parameters) if self._gradient is None else self._gradient
            self._reading = {"gradients/norm": gradient, "updates/ratio": update_ratio(parameters, before)}

    @contextmanager
    def _ending_on_failure(self) -> Generator[None]:
        try:
            yield
        except Exception as failure:  # noqa: BLE001 - nothing of ours may end a training run
            self.close()
            self._failure = failure


def _unscaled(norm: Tensor, optimizer: Optimizer) -> Tensor:
    # A fused optimizer unscales inside its kernel, after the hook: GradScaler hands it the factor here.
    scale: object = getattr(optimizer, "grad_scale", None)
    return norm / scale.to(norm.device) if isinstance(scale, Tensor) else norm
