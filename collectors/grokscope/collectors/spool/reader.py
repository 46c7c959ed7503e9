"""The reading end of a spool: records after a cursor, in order, each once."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grokscope.collectors.spool.layout import Cursor, read_cursor, segment_path, segments
from grokscope.collectors.spool.record import (
    MAGIC,
    Event,
    KeySets,
    Points,
    decode,
    is_torn,
    read_frames,
)

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A record and the cursor that says it is done."""

    record: Points | Event
    after: Cursor


class SpoolReader:
    """Follows a spool that may still grow; reads every byte once.

    A torn frame at the end of the last segment is left for later: its writer may still be at it. In an
    earlier segment nobody writes any more, so reading goes on at the next one.

    Attributes:
        damaged: Numbers of the segments left behind that hold bytes which are no records and no torn
            frame either: something has changed them, and they may be worth keeping.

    Args:
        folder: The spool's folder.
        cursor: Where an earlier reader stopped; ``Cursor()`` for the beginning.
    """

    def __init__(self, folder: Path, cursor: Cursor) -> None:
        self.damaged: set[int] = set()
        self._folder = folder
        self._number = cursor.segment
        self._offset = max(cursor.offset, len(MAGIC))
        self._sets = _key_sets(segment_path(folder, cursor.segment), self._offset)

    def read(self) -> Iterator[Read]:
        """Yield what is there now; call again for what is written later."""
        while True:
            for payload in self._new_frames():
                record = decode(payload, self._sets)
                if record is not None:
                    yield Read(record=record, after=Cursor(segment=self._number, offset=self._offset))
            following = [n for n, _ in segments(self._folder) if n > self._number]
            if not following:
                return
            # The segment may have grown between our last look and the next one's birth: look once more.
            if not self._has_new_frame():
                self.look_for_damage()
                self._number, self._offset, self._sets = following[0], len(MAGIC), {}

    def look_for_damage(self) -> None:
        """Note whether the segment at hand holds more than has been read, its writer being done with it."""
        rest = self._bytes(64 * _CHUNK, magic=False)
        if rest and not is_torn(rest):
            self.damaged.add(self._number)

    def _new_frames(self) -> Iterator[bytes]:
        size = _CHUNK
        while True:
            data = self._bytes(size)
            begin = self._offset
            for payload, end in read_frames(data):
                self._offset = begin + end
                yield payload
            if len(data) < size:
                return
            if self._offset == begin:
                size *= 2  # one frame is longer than the chunk
                if size > 64 * _CHUNK:
                    return

    def _has_new_frame(self) -> bool:
        return next(read_frames(self._bytes(64 * _CHUNK)), None) is not None

    def _bytes(self, size: int, *, magic: bool = True) -> bytes:
        try:
            with segment_path(self._folder, self._number).open("rb") as file:
                if file.read(len(MAGIC)) != MAGIC and magic:
                    return b""
                file.seek(self._offset)
                return file.read(size)
        except FileNotFoundError:
            return b""


def read_spool(folder: Path, cursor: Cursor | None = None) -> Iterator[Read]:
    """Yield the records of a spool after ``cursor`` that are there now.

    >>> list(read_spool(Path("no-such-folder")))
    []
    """
    return SpoolReader(folder, cursor or Cursor()).read()


def unshipped(folder: Path, *, seconds: float = float("inf")) -> int:
    """Return how many scalars of a spool wait to be shipped.

    Args:
        folder: The spool's folder.
        seconds: Stop counting after this time; the number is then a lower bound.

    >>> unshipped(Path("no-such-folder"))
    0
    """
    deadline = time.monotonic() + seconds
    count = 0
    for read in read_spool(folder, read_cursor(folder)):
        if isinstance(read.record, Points):
            count += len(read.record.values)
        if time.monotonic() > deadline:
            break
    return count


def spent_segments(folder: Path, cursor: Cursor) -> Iterator[Path]:
    """Yield the segments that lie wholly before ``cursor`` and may be deleted."""
    return (path for number, path in segments(folder) if number < cursor.segment)


def _key_sets(path: Path, until: int) -> KeySets:
    sets: KeySets = {}
    try:
        data = path.read_bytes()[len(MAGIC) : until]
    except FileNotFoundError:
        return sets
    for payload, _ in read_frames(data):
        decode(payload, sets)
    return sets
