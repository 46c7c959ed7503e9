"""A fixed part of a long split: the same examples at every evaluation, drawn over all of it if possible."""

import random
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils import data as torchs

from grokscope.collectors.evaluating.splits.reading.items import Item, changed
from grokscope.collectors.evaluating.splits.reading.signature import PositionalInputs
from grokscope.collectors.evaluating.splits.reading.sources import is_dataset, whole_of

_SEED = 0


def drawn(data: object, most: int, takes: PositionalInputs) -> tuple[object, int | None]:
    """Return a split of at most so many examples, drawn over the whole, and how many that holds.

    One batch, a dataset, and a loader that takes each example of a dataset once have examples by number, of
    which some are drawn, always the same ones, and kept in their order. Of anything else there is no telling
    without reading it: it is returned as it is, with ``None``.

    Args:
        data: As ``Tracker.evaluate`` takes it; a function has been called by ``opened``.
        most: Examples, at least 1.
        takes: What the model takes by position.

    >>> one = PositionalInputs(required=("x",))
    >>> (inputs, targets), of = drawn((torch.zeros(90, 2), torch.arange(90)), 3, one)
    >>> targets, of
    (tensor([ 5, 49, 53]), 90)
    >>> drawn(iter([]), 3, one)[1] is None
    True
    """
    whole = whole_of(data, takes)
    if whole is not None:
        count = len(whole.targets)
        return (data if count <= most else _of_batch(whole, _numbers(count, most))), count
    if not is_dataset(data) and not _takes_each_once(data):
        return data, None
    found: Any = data
    is_loader = isinstance(data, torchs.DataLoader)
    count = len(found.dataset if is_loader else found)
    if count <= most:
        return data, count
    numbers = _numbers(count, most)
    if not is_loader:
        return _of_dataset(found, numbers), count
    loader: object = torchs.DataLoader(
        _of_dataset(found.dataset, numbers),
        batch_size=found.batch_size,
        collate_fn=found.collate_fn,
        num_workers=found.num_workers,
        worker_init_fn=found.worker_init_fn,
    )
    return loader, count


@lru_cache(maxsize=64)
def _numbers(count: int, most: int) -> tuple[int, ...]:
    draw = random.Random(_SEED)  # noqa: S311 - of examples, not of secrets
    return tuple(sorted(draw.sample(range(count), most)))


def _of_batch(whole: Item, numbers: tuple[int, ...]) -> object:
    chosen = torch.tensor(numbers)

    def part(tensor: Tensor) -> Tensor:
        return tensor[chosen.to(tensor.device)]

    inputs, targets = changed(whole.inputs, part), part(whole.targets)
    if whole.left_out:  # as it was: only tensors side by side have more than targets
        side_by_side = (inputs,) if isinstance(inputs, Tensor) else inputs
        return (*side_by_side, targets, *changed(whole.left_out, part))
    return {**inputs, "labels": targets} if whole.is_named else (inputs, targets)


def _of_dataset(dataset: Any, numbers: tuple[int, ...]) -> Any:
    select = cast("Callable[[list[int]], object] | None", getattr(dataset, "select", None))
    if select is not None and hasattr(dataset, "column_names"):
        return select(list(numbers))
    return torchs.Subset(dataset, list(numbers))


def _takes_each_once(loader: object) -> bool:
    """Say whether a loader gives every example of a dataset once, in whatever order."""
    if type(loader) is not torchs.DataLoader or loader.batch_size is None:
        return False
    given: Any = cast("object", loader)
    sampler: Any = given.sampler
    is_plain = type(sampler) is torchs.SequentialSampler or (
        type(sampler) is torchs.RandomSampler
        and not sampler.replacement
        and sampler.num_samples == len(sampler.data_source)
    )
    return is_plain and not isinstance(given.dataset, torchs.IterableDataset)
