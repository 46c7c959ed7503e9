"""The records of a spool in batches that a store takes at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grokscope.collectors.recording.ship.run_store import Scalar
from grokscope.collectors.recording.spool import (
    Cursor,
    Damage,
    Event,
    SpoolReader,
    SpoolRecord,
    read_cursor,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolBatch:
    """Some records of a spool.

    Attributes:
        scalars: What is to be sent.
        end: The run's end, if it is among them.
        after: Says that they are done.
    """

    scalars: list[Scalar]
    end: Event | None
    after: Cursor


class SpoolBatches:
    """Reads a spool from its cursor on, batch by batch, while it grows.

    Args:
        folder: The spool.
        damage: Takes what cannot be read.
        start_ms: When the run began, Unix time in ms.

    Attributes:
        last_ms: When the last point that was read was logged.
    """

    def __init__(self, folder: Path, damage: Damage, *, start_ms: int) -> None:
        self.last_ms = start_ms
        self._reader = SpoolReader(folder, read_cursor(folder), damage=damage)
        self._records: Iterator[SpoolRecord] = iter(())

    def next(self, size: int) -> SpoolBatch | None:
        """Return what is there now, at least ``size`` scalars if there are so many; ``None`` for nothing.

        Raises:
            OSError: If the disk does not give what comes next.
        """
        scalars: list[Scalar] = []
        end, after = None, None
        while len(scalars) < size and end is None:
            try:
                read = self._next_record()
            except OSError:
                if after is None:
                    raise
                break  # what was read so far is not read again: it goes first, and the error comes again
            if read is None:
                break
            record, after = read.record, read.after
            if isinstance(record, Event):
                end = record if record.content.get("event") == "end" else None
            else:
                pairs = zip(record.keys, record.values, strict=True)
                scalars += [Scalar(k, v, record.step, record.time_ms) for k, v in pairs]
                self.last_ms = record.time_ms
        return None if after is None else SpoolBatch(scalars=scalars, end=end, after=after)

    def look_for_damage(self) -> None:
        """Note what is left that was not read, its writer being done with it."""
        self._reader.look_for_damage()

    def _next_record(self) -> SpoolRecord | None:
        read = next(self._records, None)
        if read is None:
            self._records = self._reader.read()
            read = next(self._records, None)
        return read
