"""The reading end of a spool: records after a cursor, in order, each once."""

import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from grokscope.collectors.recording.spool.damage import Damage
from grokscope.collectors.recording.spool.layout import Cursor, read_cursor, segment_path, segments
from grokscope.collectors.recording.spool.record import (
    AFTER,
    MAGIC,
    Event,
    KeySets,
    MalformedError,
    Points,
    Record,
    decode,
    is_torn,
    read_frames,
)
from grokscope.collectors.recording.spool.resynchronization import read_around
from grokscope.collectors.recording.spool.small_files import whole_number
from grokscope.schemas.arrays import LoggedArray
from grokscope.schemas.files.private import content_of

_CHUNK = 1 << 20
_MOST = _CHUNK << 6
_HEAD = 256
_AGAIN = "and all that was left was sent once more"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolRecord:
    """A record, where it begins, and the cursor that says it is done."""

    record: Record
    before: Cursor
    after: Cursor


class SpoolReader:
    """Follows a spool that may still grow; reads every byte once.

    Damaged bytes cost only themselves: reading goes on at the next whole frame. Half a frame at the end of
    the last segment is left for later, since its writer may still be at it.

    Attributes:
        damage: What could not be read so far.

    Args:
        folder: The spool's folder.
        cursor: Where an earlier reader stopped; ``Cursor()`` for the beginning. Where there is no such place,
            reading begins with what is there: the store keeps a point once that comes again.
        damage: What earlier readers have found.
    """

    def __init__(self, folder: Path, cursor: Cursor, *, damage: Damage | None = None) -> None:
        self.damage = Damage() if damage is None else damage
        self._folder = folder
        self._number, self._offset = cursor.segment, max(cursor.offset, len(MAGIC))
        self._sets: KeySets = {}
        self._searched: tuple[int, int, int] | None = None
        self._begin([number for number, _ in segments(folder)], is_noted=cursor != Cursor())

    def read(self) -> Iterator[SpoolRecord]:
        """Yield what is there now; call again for what is written later."""
        while True:
            # Asked first: a segment that another one follows has all that it will ever have.
            following = next((n for n, _ in segments(self._folder) if n > self._number), None)
            for payload, begin in self._new_frames():
                record = self._decoded(payload, begin)
                if record is not None:
                    yield SpoolRecord(
                        record=record,
                        before=Cursor(segment=self._number, offset=begin),
                        after=Cursor(segment=self._number, offset=self._offset),
                    )
            if following is None:
                return
            self._leave(following)

    def look_for_damage(self) -> None:
        """Note what the last segment holds that was not read, its writer being done with it."""
        rest = self._bytes(_MOST)
        size = self._size()
        if size is not None and size < len(MAGIC):
            self.damage.note(self._number, 0, why="it is cut before its first record")
        elif rest and not is_torn(rest):
            self.damage.note(self._number, self._offset, size=len(rest), why="its checksum is wrong")

    def _begin(self, numbers: list[int], *, is_noted: bool) -> None:
        """Look whether the cursor tells a place that there is; if not, stand at the first that is left."""
        if not numbers or (not is_noted and self._number == numbers[0]):
            return
        place = segment_path(self._folder, self._number)
        sets = _key_sets(place, self._offset) if self._number in numbers else None
        if sets is not None:
            self._sets = sets
            return
        later = [number for number in numbers if number > self._number]
        if self._number in numbers or not later:
            later = numbers
            self.damage.remark(f"its cursor was wrong, {_AGAIN}")
        elif is_noted:
            self._note_missing(self._number, later[0])
        else:
            self.damage.remark(f"its cursor is lost, {_AGAIN}")
        self._number, self._offset = later[0], len(MAGIC)

    def _leave(self, following: int) -> None:
        """Go on to the next segment, and note what of this one was not read."""
        left, size = self._number, self._size()
        declared = _declared(self._folder, following) if following == left + 1 else None
        if size is not None and self._offset < (declared or 0):
            lost = (declared or 0) - self._offset
            self.damage.note(left, self._offset, size=lost, why=f"it has {size} bytes of {declared}")
        elif size is not None and (size > self._offset or size < len(MAGIC)) and declared is None:
            lost = max(0, size - self._offset)
            self.damage.note(left, self._offset, size=lost, why="its checksum is wrong, or it is cut")
        # Asked after the next one was found: a shipper deletes segments in their order.
        if following > left + 1 and self._size() is not None:
            self._note_missing(left + 1, following)
        self._number, self._offset, self._sets = following, len(MAGIC), {}

    def _note_missing(self, first: int, following: int) -> None:
        if all(map(self.damage.holds, range(first, following))):  # it is kept elsewhere, and told already
            return
        which = f"segments {first} to {following - 1} are" if following > first + 1 else f"segment {first} is"
        size = _declared(self._folder, following) or 0  # of the last one
        self.damage.note(first, 0, size=size, why=f"{which} missing")

    def _decoded(self, payload: bytes, begin: int) -> Record | None:
        try:
            record = decode(payload, self._sets)
        except MalformedError as error:
            self.damage.note(self._number, begin, records=1, size=len(payload), why=str(error))
            return None
        is_told = isinstance(record, Event) and record.content.get("event") == AFTER
        return None if is_told else record  # that is for the reader itself

    def _new_frames(self) -> Iterator[tuple[bytes, int]]:
        """Yield each new frame's payload and the offset at which it begins; note what lies between them."""
        size = _CHUNK
        while data := self._bytes(size):
            begin = self._offset
            searched = (self._number, begin, zlib.crc32(data))
            if searched == self._searched:  # nothing new will be found in the same bytes
                return
            for payload, first, end in read_around(data, is_rest=len(data) < size or size == _MOST):
                if begin + first > self._offset:
                    lost = begin + first - self._offset
                    self.damage.note(self._number, self._offset, size=lost, why="its checksum is wrong")
                self._offset = begin + end
                yield payload, begin + first
            if self._offset > begin:
                size = _CHUNK
            elif len(data) == size < _MOST:
                size = _MOST
            else:
                self._searched = searched
                return

    def _size(self) -> int | None:
        """Return how long the segment is; ``None`` if a shipper has deleted it."""
        try:
            return segment_path(self._folder, self._number).lstat().st_size
        except FileNotFoundError:
            return None

    def _bytes(self, size: int) -> bytes:
        try:
            return content_of(segment_path(self._folder, self._number), offset=self._offset, most=size)
        except FileNotFoundError:
            return b""


def read_spool(folder: Path, cursor: Cursor | None = None) -> Iterator[SpoolRecord]:
    """Yield the records of a spool after ``cursor`` that are there now.

    >>> list(read_spool(Path("no-such-folder")))
    []
    """
    return SpoolReader(folder, cursor or Cursor()).read()


def unshipped(folder: Path, *, seconds: float = float("inf")) -> int:
    """Return how many scalars of a spool wait to be shipped, an array counting as one.

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
        elif isinstance(read.record, LoggedArray):
            count += 1
        if time.monotonic() > deadline:
            break
    return count


def spent_segments(folder: Path, cursor: Cursor) -> Iterator[Path]:
    """Yield the segments that lie wholly before ``cursor`` and may be deleted."""
    return (path for number, path in segments(folder) if number < cursor.segment)


def _key_sets(path: Path, until: int) -> KeySets | None:
    """Return the keys that a segment has named before a place; ``None`` if no record ends there."""
    sets: KeySets = {}
    place = len(MAGIC)
    try:
        data = content_of(path, most=until)
    except FileNotFoundError:
        return None
    for payload, _, end in read_around(data[len(MAGIC) :], is_rest=True):
        place = len(MAGIC) + end
        with suppress(MalformedError):
            decode(payload, sets)
    return sets if place == until == len(data) else None


def _declared(folder: Path, number: int) -> int | None:
    """Return how long the segment before this one was; ``None`` if this one does not tell."""
    try:
        data = content_of(segment_path(folder, number), offset=len(MAGIC), most=_HEAD)
        record = decode(next(read_frames(data))[0], {})
    except (FileNotFoundError, StopIteration, MalformedError):
        return None
    if isinstance(record, Event) and record.content.get("event") == AFTER:
        return whole_number(record.content.get("bytes"))
    return None
