"""Tensors that follow the targets in a batch: what they could be, and what leaving them out means."""

from torch import Tensor

from grokscope.collectors.evaluating.splits.outputs.layouts import classes_of, layouts
from grokscope.collectors.evaluating.splits.reading.items import Item
from grokscope.collectors.evaluating.splits.reading.signature import PositionalInputs, shapes


class AmbiguousBatchError(ValueError):
    """Which tensor of a batch holds the targets cannot be told."""


def refuse_rivals(outputs: Tensor, item: Item, *, takes: PositionalInputs, ignored: int) -> None:
    """Refuse a batch of which another tensor can be the targets as well.

    Args:
        outputs: Of the model, for the inputs alone.
        item: The batch.
        takes: What the model takes by position.
        ignored: Value of class indices that are left out.

    Raises:
        AmbiguousBatchError: If so.

    >>> import torch
    >>> y, weights = torch.tensor([0, 1]), torch.ones(2)
    >>> item = Item(inputs=torch.zeros(2, 4), targets=y, left_out=(weights,), rivals=1)
    >>> refuse_rivals(torch.zeros(2, 3), item, takes=PositionalInputs(), ignored=-100)
    """
    rivals = item.left_out[: item.rivals]
    fitting = [place for place, rival in enumerate(rivals) if _can_be_targets(outputs, rival, ignored)]
    if not fitting:
        return
    inputs = [item.inputs] if isinstance(item.inputs, Tensor) else list(item.inputs)
    count = len(inputs)
    raise AmbiguousBatchError(
        f"of a batch of {shapes([*inputs, item.targets, *item.left_out])}, {takes} may take the first "
        f"{count} or the first {count + 1 + fitting[0]} as inputs, so which are the targets cannot be told; "
        "let the split give (x, y) or ((a, b), y), as in lambda: ((x, y) for x, y, _ in loader)"
    )


def as_it_was_read(item: Item, error: Exception) -> str:
    """Return what a model that fails on the inputs of a batch may have got too few of, in one sentence.

    Args:
        item: The batch, of which other tensors may be inputs too.
        error: What the model raised.

    >>> import torch
    >>> one, two = torch.zeros(2, 4), torch.zeros(2)
    >>> item = Item(inputs=one, targets=one, left_out=(two,), rivals=1)
    >>> as_it_was_read(item, RuntimeError("no"))[:79]
    'the first 1 of float32 [2, 4], float32 [2, 4], float32 [2] were read as inputs,'
    """
    inputs = [item.inputs] if isinstance(item.inputs, Tensor) else list(item.inputs)
    read = f"the first {len(inputs)} of {shapes([*inputs, item.targets, *item.left_out])}"
    return (
        f"{read} were read as inputs, on which the model fails "
        f"({type(error).__name__}: {error}); if it takes more of them, let the split "
        "give ((a, b), y): a tuple of the inputs, and the targets"
    )


def what_is_missed(split: str, item: Item, *, ignored: int) -> str:
    """Return what is to be said of what follows the targets, or nothing.

    Weights and masks of targets change a loss; whole numbers, one an example, are its number or its group.

    Args:
        split: Whose batch it is.
        item: The batch.
        ignored: Value of class indices that are left out.

    >>> import torch
    >>> item = Item(inputs=torch.zeros(2, 4), targets=torch.tensor([0, 1]), left_out=(torch.tensor([7, 8]),))
    >>> what_is_missed("test", item, ignored=-100)
    ''
    """
    missed = [
        part
        for part in item.left_out
        if part.is_floating_point() or (part.ndim > 1 and part.shape == item.targets.shape)
    ]
    if not missed:
        return ""
    return (
        f"of the split {split!r} what follows the targets ({shapes(missed)}) is left out, so every target "
        f"counts, and all alike; set class targets that do not count to {ignored}"
    )


def _can_be_targets(outputs: Tensor, given: Tensor, ignored: int) -> bool:
    possible = layouts(outputs.shape, given.shape)
    if not all(layout.has_indices for layout in possible):
        return True
    if not possible or given.is_floating_point():
        return False
    classes = max(classes_of(outputs.shape, layout) for layout in possible)
    return bool((((given >= 0) & (given < classes)) | (given == ignored)).all())
