"""Where the batches of a split come from: one batch cut up, a loader, a dataset, a generator, a function."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from torch import Tensor, nn
from torch.utils import data as torchs

from grokscope.collectors.evaluating.splits.reading.items import (
    Item,
    check_size,
    cut,
    is_empty,
    item_of,
    shape_of,
)
from grokscope.collectors.evaluating.splits.reading.signature import PositionalInputs

DATASET_BATCH = 256
"""Examples a batch of a dataset that comes without a loader."""
UNKNOWN_BATCHES = 1000
"""Batches at most of what does not tell how many it has: it may be endless."""


@dataclass(slots=True, kw_only=True)
class Bounds:
    """How much of a split is read; once the time was up, no more batches than then.

    Attributes:
        batches: At most so many; ``None`` takes all of what tells their number, else ``UNKNOWN_BATCHES``.
        seconds: After so many no further batch is asked for; ``None`` waits.
        most: Examples at most, of which the last batch is cut; ``None`` takes them whole.
        is_cut: Whether the last reading was ended by one of them, where there may have been more.
        examples: How many examples the last reading gave.
        is_said: Whether that was said.
    """

    batches: int | None = None
    seconds: float | None = None
    most: int | None = None
    is_cut: bool = False
    examples: int = 0
    is_said: bool = False


def opened(data: object) -> object:
    """Return what a function gives that makes a split; anything else as it is.

    >>> opened(lambda: [1]), opened([1])
    ([1], [1])
    """
    is_function = callable(data) and not hasattr(data, "__iter__") and not hasattr(data, "__getitem__")
    return cast("Callable[[], object]", data)() if is_function and not isinstance(data, nn.Module) else data


def is_spent_by_reading(data: object) -> bool:
    """Say whether ``data`` can be read only once, as a generator.

    >>> is_spent_by_reading(iter([1])), is_spent_by_reading([1])
    (True, False)
    """
    return isinstance(data, Iterator)


def whole_of(data: object, takes: PositionalInputs) -> Item | None:
    """Return the split as one batch if it is one; ``None`` if it holds batches.

    Args:
        data: As ``Tracker.evaluate`` takes it; a function has been called by ``opened``.
        takes: What the model takes by position.

    Raises:
        ValueError: If tensors can be read as a batch in several ways.

    >>> import torch
    >>> one = PositionalInputs(required=("x",))
    >>> whole_of((torch.zeros(2, 1), torch.arange(2)), one).targets, whole_of([(1, 2)], one)
    (tensor([0, 1]), None)
    """
    is_batch = isinstance(data, tuple | list | Mapping) and not _holds_datasets(cast("object", data))
    return item_of(cast("object", data), takes) if is_batch else None


def items(
    data: object, *, takes: PositionalInputs, batch_size: int | None, bounds: Bounds | None = None
) -> Iterator[Item]:
    """Yield the batches of a split.

    Args:
        data: As ``Tracker.evaluate`` takes it; a function has been called by ``opened``.
        takes: What the model takes by position.
        batch_size: Examples a batch where ``data`` is one batch, or a dataset without a loader; a batch is
            taken whole by default, a dataset in batches of ``DATASET_BATCH``.
        bounds: How much is read; it is told what was.

    Raises:
        ValueError: If there are no batches, or something is none.

    >>> import torch
    >>> batches = [(torch.zeros(2, 1), [0, 1]), (torch.zeros(1, 1), [2])]
    >>> one = PositionalInputs(required=("x",))
    >>> [item.targets.tolist() for item in items(batches, takes=one, batch_size=None)]
    [[0, 1], [2]]
    """
    bounds = bounds or Bounds()
    bounds.is_cut, bounds.examples = False, 0
    check_size(batch_size)
    whole = whole_of(data, takes)
    if whole is not None:
        found, there = cut(whole, batch_size), -(-len(whole.targets) // batch_size) if batch_size else 1
    else:
        loader = _loader(data, batch_size)
        found, there = _read(loader, takes), _length(loader)
    for item in _bounded(found, bounds, there):
        part = item if bounds.most is None else next(cut(item, bounds.most - bounds.examples))
        bounds.examples += len(part.targets)
        yield part
        if bounds.examples == bounds.most:
            # Whether more would have come is not asked: the next one may take for ever.
            bounds.is_cut = True
            break
    if not bounds.examples:
        raise ValueError(_nothing(data))


def _bounded(found: Iterator[Item], bounds: Bounds, there: int | None) -> Iterator[Item]:
    """Yield batches within bounds; ``there`` is how many there are, if that is known."""
    most = UNKNOWN_BATCHES if bounds.batches is None and there is None else bounds.batches
    began, count = time.perf_counter(), 0
    for item in islice(found, most):
        yield item
        count += 1
        if bounds.seconds is not None and time.perf_counter() - began > bounds.seconds:
            bounds.is_cut, bounds.batches = count != there, count
            return
    # Whether more would have come is not asked: the next one may take for ever.
    bounds.is_cut = count == most != there


def _length(data: object) -> int | None:
    """Return how many batches a loader says that it has, or ``None`` if it does not tell."""
    try:
        return len(cast("Any", data))
    except (TypeError, NotImplementedError):  # a loader of what is endless has the method all the same
        return None


def _loader(given: object, batch_size: int | None) -> Iterable[object]:
    """Return what gives the batches: ``given`` itself, or a loader of a dataset."""
    data: Any = given
    if is_dataset(given):
        rows = data if _is_torchs(given) or not _is_columns(given) else data.with_format("torch")
        return torchs.DataLoader(rows, batch_size=batch_size or DATASET_BATCH, collate_fn=_collated)
    if not hasattr(data, "__iter__") or isinstance(given, Tensor | str | Mapping):
        raise ValueError(_unusable(cast("object", given)))
    return data


def is_dataset(data: object) -> bool:
    """Say whether ``data`` holds examples by number, and no batches.

    >>> is_dataset(torchs.TensorDataset(Tensor([1.0]))), is_dataset([1])
    (True, False)
    """
    is_sized = hasattr(data, "__getitem__") and hasattr(data, "__len__") and not hasattr(data, "__iter__")
    return _is_torchs(data) or _is_columns(data) or is_sized


def _is_columns(given: object) -> bool:
    return hasattr(given, "column_names") and hasattr(given, "with_format")


def _is_torchs(given: object) -> bool:
    return isinstance(given, torchs.Dataset) and not isinstance(given, torchs.IterableDataset)


def _collated(examples: list[Any]) -> object:
    try:
        return cast("Any", torchs).default_collate(examples)
    except (RuntimeError, TypeError, KeyError) as error:
        raise ValueError(
            "the examples of the dataset do not make a batch: they differ in shape, or hold more than "
            "numbers; pass DataLoader(dataset, collate_fn=...) with one that pads them"
        ) from error


def _read(loader: Iterable[object], takes: PositionalInputs) -> Iterator[Item]:
    for given in loader:
        item = item_of(given, takes)
        if item is None:
            raise ValueError(_unusable(given))
        # What a filter or a sampler has left nothing of is no reason to leave out the others.
        if not is_empty(item):
            yield from cut(item, None)


def _holds_datasets(data: object) -> bool:
    values = cast("Mapping[str, object]", data).values() if isinstance(data, Mapping) else ()
    return any(
        isinstance(value, torchs.Dataset | torchs.DataLoader) or hasattr(value, "with_format")
        for value in values
    )


def _nothing(data: object) -> str:
    if is_spent_by_reading(data):
        return (
            "the split held no batches: a generator reads only once; pass a list or a function that makes it"
        )
    if _length(data):
        return "the split held no example in any of its batches; pass at least one"
    return f"the split held no batches, got an empty {type(data).__name__}; pass at least one example"


def _unusable(data: object) -> str:
    return (
        "a split must be a pair (inputs, targets), a dict with 'labels', a dataset, or an iterable of such "
        f"batches, got {shape_of(data)}; let it give inputs and targets with one row an example"
    )
