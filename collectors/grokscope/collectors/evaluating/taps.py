"""Reading a representation off a forward pass: what goes into the layer that makes the logits."""

import difflib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import cast

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


class Tap:
    """Holds the input of the tapped layers' last call; see ``tapped``.

    >>> import torch
    >>> model = nn.Linear(2, 3)
    >>> with tapped(model) as tap:
    ...     logits = model(torch.zeros(4, 2))
    >>> tap.pop(classes=3).shape, tap.pop(classes=3)
    (torch.Size([4, 2]), None)
    """

    def __init__(self, name: str | None) -> None:
        self._name = name
        self._last: dict[int | None, Tensor] = {}

    def read(self, module: nn.Module, arguments: tuple[object, ...]) -> None:
        """Keep the first argument of a call, as a forward pre-hook does."""
        if arguments and isinstance(arguments[0], Tensor):
            width = module.out_features if self._name is None and isinstance(module, nn.Linear) else None
            self._last[width] = arguments[0]

    def pop(self, *, classes: int) -> Tensor | None:
        """Return the representation of the pass just made, and forget it.

        Args:
            classes: Width of the logits, which tells the layer that made them.

        Returns:
            ``[..., d]``; ``None`` if no ``Linear`` of that width was met.

        Raises:
            ValueError: If the layer was asked for by name and did not see a tensor.
        """
        found = self._last.get(None if self._name else classes)
        self._last.clear()
        if found is None and self._name:
            raise ValueError(
                f"features={self._name!r} took no tensor in the forward pass; name a module that is called "
                "with the representation as its first argument"
            )
        return found


@contextmanager
def tapped(model: nn.Module, name: str | None = None) -> Generator[Tap]:
    """Listen to a model's forward passes until the block ends.

    Args:
        model: Any module.
        name: Dotted name of the submodule whose input is wanted; ``None`` listens to every ``Linear``.

    Raises:
        ValueError: If the model has no submodule of that name.

    Source: definition. Cost: one Python call a tapped layer and pass.

    >>> with tapped(nn.Sequential(nn.ReLU(), nn.Linear(2, 3)), "head"):
    ...     pass
    Traceback (most recent call last):
    ValueError: features='head' is no submodule of Sequential; it has '0', '1'
    """
    if name is not None:
        chosen: list[nn.Module] = [_named(model, name)]
    else:
        chosen = [module for module in model.modules() if isinstance(module, nn.Linear)]
    tap = Tap(name)
    handles: list[RemovableHandle] = []
    try:
        handles.extend(module.register_forward_pre_hook(tap.read) for module in chosen)
        yield tap
    finally:
        for handle in handles:
            handle.remove()


def _named(model: nn.Module, name: str) -> nn.Module:
    modules = dict(cast("Iterator[tuple[str, nn.Module]]", model.named_modules()))
    if name not in modules:
        near = difflib.get_close_matches(name, [*modules][1:], n=5, cutoff=0.0) or ["none"]
        available = ", ".join(map(repr, sorted(near)))
        raise ValueError(f"features={name!r} is no submodule of {type(model).__name__}; it has {available}")
    return modules[name]
