"""Which of a model's outputs are its logits, and which of their dimensions are the classes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, cast

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

_IMAGES = 4
"""Dimensions of a batch of images, and fewer than those of volumes."""


class Layout(StrEnum):
    """How outputs and targets lie to each other.

    ``LAST``: class indices ``[N, ...]`` of outputs ``[N, ..., C]``. ``SECOND``: of outputs ``[N, C, ...]``.
    ``COLUMN``: class indices ``[N, ..., 1]``. ``SAME``: a target an output, up to a last dimension of 1.
    ``CHANNELS``: a target an output, both ``[N, C, ...]`` as images are. ``CHANNEL``: a target an output of
    outputs ``[N, 1, ...]`` and targets ``[N, ...]``.
    """

    LAST = "last"
    SECOND = "second"
    COLUMN = "column"
    SAME = "same"
    CHANNELS = "channels"
    CHANNEL = "channel"

    @property
    def has_classes_second(self) -> bool:
        """The classes are the second dimension of outputs."""
        return self in (Layout.SECOND, Layout.CHANNELS, Layout.CHANNEL)

    @property
    def has_indices(self) -> bool:
        """Targets are class indices, not one an output."""
        return self in (Layout.LAST, Layout.SECOND, Layout.COLUMN)


def layouts(outputs: Sequence[int], targets: Sequence[int]) -> tuple[Layout, ...]:
    """Return how outputs of one shape and targets of another can lie to each other.

    >>> layouts((8, 5), (8,)), layouts((8, 5, 7), (8, 7))
    ((<Layout.LAST: 'last'>,), (<Layout.SECOND: 'second'>,))
    >>> layouts((8, 5, 5), (8, 5)), layouts((8, 5), (9,))
    ((<Layout.LAST: 'last'>, <Layout.SECOND: 'second'>), ())
    >>> layouts((8, 1, 5, 5), (8, 5, 5)), layouts((8, 3, 5, 5), (8, 3, 5, 5))
    ((<Layout.CHANNEL: 'channel'>,), (<Layout.SAME: 'same'>, <Layout.CHANNELS: 'channels'>))
    """
    z, y = tuple(outputs), tuple(targets)
    if z in (y, (*y, 1)) or (*z, 1) == y:
        is_image = z == y and len(z) >= _IMAGES
        return (Layout.SAME, Layout.CHANNELS) if is_image else (Layout.SAME,)
    if z == (*y[:1], 1, *y[1:]):
        return (Layout.CHANNEL,)
    found: list[Layout] = []
    if z[:-1] == y:
        found.append(Layout.LAST)
    if len(z) > 2 and (z[0], *z[2:]) == y:  # noqa: PLR2004 - examples, classes and places
        found.append(Layout.SECOND)
    if len(z) > 1 and y and z[:-1] == y[:-1] and y[-1] == 1:
        found.append(Layout.COLUMN)
    return tuple(found)


def classes_of(outputs: Sequence[int], layout: Layout) -> int:
    """Return how many classes outputs of a shape have.

    >>> classes_of((8, 5, 7), Layout.SECOND), classes_of((8,), Layout.SAME)
    (5, 1)
    """
    return 1 if len(outputs) == 1 else outputs[1 if layout.has_classes_second else -1]


def arranged(outputs: Tensor, targets: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
    """Return outputs ``[..., C]`` and their targets: ``[...]`` class indices, or ``[..., C]`` of ``SAME``.

    >>> import torch
    >>> [part.shape for part in arranged(torch.zeros(8, 5, 7), torch.zeros(8, 7), Layout.SECOND)]
    [torch.Size([8, 7, 5]), torch.Size([8, 7])]
    >>> [part.shape for part in arranged(torch.zeros(8), torch.zeros(8), Layout.SAME)]
    [torch.Size([8, 1]), torch.Size([8, 1])]
    """
    if layout is Layout.SECOND:
        return outputs.movedim(1, -1), targets
    if layout is Layout.COLUMN:
        return outputs, targets.squeeze(-1)
    if layout is Layout.CHANNELS:
        return outputs.movedim(1, -1), targets.movedim(1, -1)
    if layout is Layout.CHANNEL:
        return outputs.movedim(1, -1), targets.unsqueeze(-1)
    if layout is Layout.SAME:
        outputs = outputs.unsqueeze(-1) if outputs.ndim == 1 or outputs.ndim < targets.ndim else outputs
        return outputs, targets.reshape(outputs.shape)
    return outputs, targets


def classes_last(outputs: Tensor, layout: Layout) -> Tensor:
    """Return outputs with their classes in the last dimension.

    >>> import torch
    >>> classes_last(torch.zeros(8, 5, 7), Layout.SECOND).shape
    torch.Size([8, 7, 5])
    """
    if layout.has_classes_second:
        return outputs.movedim(1, -1)
    return outputs.unsqueeze(-1) if layout is Layout.SAME and outputs.ndim == 1 else outputs


Pick = Callable[[Any], object]
"""From what the model returns to its logits."""


def pick_of(output: object, fits: Callable[[Tensor], bool]) -> Pick:
    """Return what takes the logits out of the output of a model.

    They are the output itself, ``.logits`` or ``["logits"]`` of it, or the one tensor in it that fits the
    targets, as in ``(logits, loss)`` and ``(loss, logits)``.

    Args:
        output: Of one batch.
        fits: Says whether a tensor lies to the targets as logits do.

    Raises:
        TypeError: If there is no tensor of floating point.
        ValueError: If several fit.

    >>> import torch
    >>> output = (torch.tensor(0.5), torch.zeros(4, 3))
    >>> pick_of(output, lambda found: found.ndim == 2)(output).shape
    torch.Size([4, 3])
    """
    if isinstance(output, Tensor):
        return _itself
    if isinstance(getattr(output, "logits", None), Tensor):
        return lambda given: given.logits
    is_mapping = isinstance(output, Mapping)
    if is_mapping and isinstance(cast("Mapping[str, object]", output).get("logits"), Tensor):
        return lambda given: given["logits"]
    found = {
        place: tensor
        for place, tensor in _places(cast("object", output))
        if tensor.is_floating_point() and tensor.ndim
    }
    if not found:
        kind = type(cast("object", output)).__name__
        raise TypeError(
            f"the model must return logits, got {kind}; say where they are, as in "
            "Measuring(output=lambda found: found.scores)"
        )
    fitting = [place for place, tensor in found.items() if fits(tensor)]
    if len(fitting) > 1 or (not fitting and len(found) > 1):
        shapes = ", ".join(f"[{place!r}] of {list(found[place].shape)}" for place in fitting or found)
        how_many = "more than one output" if fitting else "no output"
        raise ValueError(
            f"{how_many} of the model fits the targets: {shapes}; say which are the logits, as in "
            f"Measuring(output=lambda found: found[{next(iter(fitting or found))!r}])"
        )
    place = fitting[0] if fitting else next(iter(found))
    is_attribute = not is_mapping and isinstance(place, str)
    return (lambda given: getattr(given, str(place))) if is_attribute else (lambda given: given[place])


def makes_last(model: nn.Module, run: Callable[[], object], outputs: Tensor) -> bool | None:
    """Say whether the layer that made outputs puts its classes last (or second, as convolutions do).

    Args:
        model: Made them.
        run: Runs it again.
        outputs: ``[N, A, A]`` or of more dimensions, that shapes do not tell apart.

    Returns:
        ``None`` if no linear or convolutional layer returned the very tensor.

    Source: definition. Cost: one forward pass.

    >>> import torch
    >>> model, x = nn.Linear(3, 3), torch.zeros(2, 3, 3)
    >>> makes_last(model, lambda: model(x), model(x))
    True
    """
    makers: list[tuple[bool, Tensor]] = []

    def keep(module: nn.Module, _: object, made: object) -> None:
        if isinstance(made, Tensor) and made.shape == outputs.shape:
            makers.append((isinstance(module, nn.Linear), made))

    layers = [m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)]
    handles: list[RemovableHandle] = [layer.register_forward_hook(keep) for layer in layers]
    try:
        found = list(_tensors(run()))
    finally:
        for handle in handles:
            handle.remove()
    for is_last, made in reversed(makers):
        if any(made is tensor for tensor in found):
            return is_last
    return None


def _tensors(output: object) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    else:
        yield from (tensor for _, tensor in _places(output))


def _itself(output: object) -> object:
    return output


def _places(output: object) -> Iterator[tuple[int | str, Tensor]]:
    held: Any = output
    if isinstance(output, Mapping):
        pairs = held.items()
    elif isinstance(output, tuple | list):
        pairs = enumerate(cast("Sequence[object]", output))
    else:
        pairs = getattr(output, "__dict__", {}).items()
    yield from ((place, part) for place, part in pairs if isinstance(part, Tensor))
