"""The records of a spool in batches that a store takes at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grokscope.collectors.recording.ship.delivery.array_files import PlacedArray
from grokscope.collectors.recording.ship.run_store import Scalar
from grokscope.collectors.recording.spool import (
    Cursor,
    Damage,
    Event,
    SpoolReader,
    SpoolRecord,
    read_array_cursor,
    read_cursor,
    read_spool,
)
from grokscope.schemas.arrays import LoggedArray

_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolBatch:
    """Some records of a spool.

    Attributes:
        scalars: What is to be sent.
        arrays: The arrays among them.
        end: The run's end, if it is among them.
        after: Says that they are done.
        is_full: Whether more of them may be there already.
    """

    scalars: list[Scalar]
    arrays: list[PlacedArray]
    end: Event | None
    after: Cursor
    is_full: bool


class SpoolBatches:
    """Reads a spool from its cursor on, batch by batch, while it grows.

    Args:
        folder: The spool.
        damage: Takes what cannot be read.
        start_ms: When the run began, Unix time in ms.

    Attributes:
        last_ms: When the last point that was read was logged.
        unfinished: Arrays before the cursor that are in no finished file.
    """

    def __init__(self, folder: Path, damage: Damage, *, start_ms: int) -> None:
        self.last_ms = start_ms
        cursor = read_cursor(folder)
        self.unfinished = list(_unfinished(folder, cursor))
        self._reader = SpoolReader(folder, cursor, damage=damage)
        self._records: Iterator[SpoolRecord] = iter(())

    def next(self, size: int) -> SpoolBatch | None:
        """Return what is there now, some ``size`` scalars if there are so many; ``None`` for nothing.

        Raises:
            OSError: If the disk does not give what comes next.
        """
        scalars: list[Scalar] = []
        arrays: list[PlacedArray] = []
        end, after, array_bytes = None, None, 0
        while len(scalars) < size and array_bytes < _MOST_BYTES and end is None:
            try:
                read = self._next_record()
            except OSError:
                if after is None:
                    raise
                break  # what was read so far is not read again: it goes first, and the error comes again
            if read is None:
                break
            record, after = read.record, read.after
            if isinstance(record, LoggedArray):
                arrays.append(PlacedArray(logged=record, before=read.before, after=read.after))
                array_bytes += record.size
                self.last_ms = record.time_ms
            elif isinstance(record, Event):
                end = record if record.content.get("event") == "end" else None
            else:
                pairs = zip(record.keys, record.values, strict=True)
                scalars += [Scalar(k, v, record.step, record.time_ms) for k, v in pairs]
                self.last_ms = record.time_ms
        if after is None:
            return None
        is_full = len(scalars) >= size or array_bytes >= _MOST_BYTES
        return SpoolBatch(scalars=scalars, arrays=arrays, end=end, after=after, is_full=is_full)

    def look_for_damage(self) -> None:
        """Note what is left that was not read, its writer being done with it."""
        self._reader.look_for_damage()

    def _next_record(self) -> SpoolRecord | None:
        read = next(self._records, None)
        if read is None:
            self._records = self._reader.read()
            read = next(self._records, None)
        return read


def _unfinished(folder: Path, cursor: Cursor) -> Iterator[PlacedArray]:
    begin = read_array_cursor(folder)
    for read in read_spool(folder, begin) if begin is not None else ():
        if read.after > cursor:
            return
        if isinstance(read.record, LoggedArray):
            yield PlacedArray(logged=read.record, before=read.before, after=read.after)
