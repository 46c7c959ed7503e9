"""A split while it is measured: read within bounds, the same batches each time, and again by measures."""

import random
from collections.abc import Iterator

import numpy as np
import torch

from grokscope.collectors.evaluating.batches import Batch
from grokscope.collectors.evaluating.measuring import Measuring
from grokscope.collectors.evaluating.preserved_state import same_generators
from grokscope.collectors.evaluating.splits.output_reader import OutputReader
from grokscope.collectors.evaluating.splits.reading.items import Item
from grokscope.collectors.evaluating.splits.reading.sources import (
    Bounds,
    is_spent_by_reading,
    items,
    opened,
    whole_of,
)
from grokscope.collectors.evaluating.splits.reading.subset import drawn

_SEED = 0


class OpenSplit:
    """The batches of a split at one step.

    Iterating gives pairs as measures take them, once ``items`` were read to the end. What can be read only
    once is kept until then.

    Args:
        name: Of the split.
        data: As ``Tracker.evaluate`` takes it.
        reader: Knows what goes into the model.
        how: How it is read.
        bounds: How much of it; by default what ``how`` says.

    Attributes:
        of: Of how many examples some were drawn, if that is known.
    """

    def __init__(
        self, name: str, data: object, reader: OutputReader, *, how: Measuring, bounds: Bounds | None = None
    ) -> None:
        self.name = name
        self._data, self.of = opened(data), None
        if how.at_most is not None and not is_spent_by_reading(self._data):
            self._data, self.of = drawn(self._data, how.at_most, reader.takes)
        self._reader = reader
        self._how = how
        self.bounds = bounds or bounds_of(how)
        # What was drawn is read to its end.
        self.bounds.most = how.at_most if self.of is None else None
        self._is_whole = whole_of(self._data, reader.takes) is not None
        self._kept: list[Item] | None = [] if is_spent_by_reading(self._data) else None

    @property
    def sampled(self) -> int | None:
        """How many examples the last reading gave, where ``at_most`` asks for a part; else ``None``."""
        return None if self._how.at_most is None else self.bounds.examples

    @property
    def is_part(self) -> bool:
        """Whether the last reading may have left examples out."""
        return self.bounds.is_cut or (self.of or 0) > self.bounds.examples

    @property
    def again(self) -> str:
        """What is read of it the next time, in words."""
        return (
            "and others each time, as it goes on where it was"
            if self._kept is not None
            else "the same each time"
        )

    def items(self) -> Iterator[Item]:
        """Yield the batches as they are held."""
        for item in self._read(self._how.batch_size, self.bounds):
            if self._kept is not None:
                self._kept.append(item)
            yield item

    def __iter__(self) -> Iterator[Batch]:
        """Yield pairs of inputs by position and of targets.

        Raises:
            ValueError: If the model takes inputs in no such way.
        """
        size = None if self._is_whole else self._how.batch_size
        read = self._kept
        bounds = Bounds(batches=self.bounds.batches, most=self.bounds.most)
        for item in self._read(size, bounds) if read is None else read:
            yield self._reader.canonical(self.name, item)

    def as_read(self) -> "Batch | OpenSplit":
        """Return one pair if the split is one batch, else itself."""
        whole = whole_of(self._data, self._reader.takes)
        if whole is None:
            return self
        try:
            return self._reader.canonical(self.name, whole)
        except ValueError:  # told to each measure that reads it
            return self

    def _read(self, batch_size: int | None, bounds: Bounds) -> Iterator[Item]:
        takes = self._reader.takes
        if self._is_whole:
            yield from items(self._data, takes=takes, batch_size=batch_size, bounds=bounds)
            return
        # A function may have made a loader on a generator that training draws from too.
        with same_generators([self._data]):
            _start_again(self._data)
            yield from items(self._data, takes=takes, batch_size=batch_size, bounds=bounds)


def bounds_of(how: Measuring) -> Bounds:
    """Return how much of a split is read at first, as ``how`` says.

    >>> bounds_of(Measuring(at_most=5)).most
    5
    """
    return Bounds(batches=how.max_batches, seconds=how.max_seconds, most=how.at_most)


def _start_again(data: object) -> None:
    """Let a loader that shuffles begin as it did before; ``preserved_state`` puts back what is changed."""
    torch.default_generator.manual_seed(_SEED)
    random.seed(_SEED)
    np.random.seed(_SEED)  # noqa: NPY002 - the state others draw from
    batch_sampler = getattr(data, "batch_sampler", None)
    for owner in (
        data,
        getattr(data, "sampler", None),
        batch_sampler,
        getattr(batch_sampler, "sampler", None),
    ):
        generator = getattr(owner, "generator", None)
        if isinstance(generator, torch.Generator):
            generator.manual_seed(_SEED)
