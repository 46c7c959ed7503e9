"""The files of a spool that is being written: frames whole or not at all, in segments, up to a cap."""

import errno
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct

from grokscope.collectors.interrupts import is_interrupt
from grokscope.collectors.recording.spool.layout import segment_path, segments
from grokscope.collectors.recording.spool.record import AFTER, MAGIC, event_payload, frame
from grokscope.schemas.files.private import duplicate, opened
from grokscope.schemas.files.replacing import beside

# At the cap we look this often whether the shipper has made room.
_COUNT_SECONDS = 1.0
# Full segments that wait for 'sync'; beyond this nobody seems to call it, and open files are few.
_MOST_UNSYNCED = 8


@dataclass(slots=True, kw_only=True)
class OpenSegment:
    """The segment that is being written.

    Attributes:
        number: Its number; -1 before the first.
        fd: Its open file; -1 where there is none.
        size: How long it is.
        is_torn: Whether it ends with half a frame: nobody would read what comes after that.
        key_sets: The keys that it has named, with their id and the packer of their points.
    """

    number: int = -1
    fd: int = -1
    size: int = 0
    is_torn: bool = False
    key_sets: dict[tuple[str, ...], tuple[int, Struct]] = field(
        default_factory=dict[tuple[str, ...], tuple[int, Struct]]
    )


class SegmentFiles:
    """Appends frames to the segments of one spool folder, one ``os.write`` a call.

    Args:
        folder: The spool's folder; must exist.
        segment_bytes: A segment is closed once it is this long.
        cap_bytes: What all unshipped segments together may take on disk.

    Attributes:
        segment: The one that is being written.
        segment_bytes: The size at which a new one is begun.
        error: What the disk has refused last.

    Raises:
        OSError: If the first segment cannot be created.
    """

    def __init__(self, folder: Path, *, segment_bytes: int, cap_bytes: int) -> None:
        self.segment = OpenSegment()
        self.error: OSError | None = None
        self._folder = folder
        self.segment_bytes = segment_bytes
        self._cap_bytes = cap_bytes
        self._unsynced: list[int] = []
        self._next_count = 0.0
        self._open_next()

    @property
    def is_open(self) -> bool:
        """Whether anything can still be written."""
        return self.segment.fd >= 0

    def ready(self) -> OpenSegment | None:
        """Return the segment if it can take a frame; leave one with half a frame at its end."""
        if self.segment.fd < 0:  # closed, whatever else is said of it: nothing may come behind the end
            return None
        if self.segment.is_torn:
            self.rotate()
        segment = self.segment
        return None if segment.fd < 0 or segment.is_torn else segment

    def has_room(self, size: int) -> bool:
        """Say whether ``size`` bytes more keep to the cap."""
        if self._earlier_bytes + self.segment.size + size <= self._cap_bytes:
            return True
        now = time.monotonic()
        if now < self._next_count:
            return False
        self._next_count = now + _COUNT_SECONDS
        self._earlier_bytes = self._count_earlier()
        return self._earlier_bytes + self.segment.size + size <= self._cap_bytes

    def write(self, data: bytes) -> bool:
        """Append whole frames or nothing; say whether it was all."""
        segment = self.segment
        try:
            written = os.write(segment.fd, data)
        except OSError as error:
            if is_interrupt(error):  # a time limit's TimeoutError is one too, but none of the disk's
                raise
            self.error = error
            return False
        if written == len(data):
            segment.size += written
            return True
        self.error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        segment = self.segment  # a signal's handler may have closed the one before
        try:
            # Asked of the file: our own count may be behind if a signal's handler raised in between.
            os.ftruncate(segment.fd, os.fstat(segment.fd).st_size - written)
        except OSError as error:
            self.error, segment.is_torn = error, segment.fd >= 0
        return False

    def rotate(self) -> None:
        """Go on in a new segment; in the one that is open where none can be made."""
        try:
            self._open_next()
        except OSError as error:
            if is_interrupt(error):
                raise
            self.error = error

    def to_sync(self) -> list[int]:
        """Give up the files that were not synced since they were written, to be synced and closed."""
        fds, self._unsynced = self._unsynced, []
        if self.is_open:
            fds.append(duplicate(self.segment.fd))
        return fds

    def close(self) -> list[int]:
        """Take no more; give up the open files, to be synced and closed."""
        fds = [*self._unsynced, self.segment.fd]
        self._unsynced, self.segment = [], OpenSegment(number=self.segment.number)
        return fds

    def sync_and_close(self, fds: list[int]) -> None:
        """Sync files to the disk and close them."""
        for fd in fds:
            try:
                os.fsync(fd)
            except OSError as error:
                self.error = error
            finally:
                os.close(fd)

    def _open_next(self) -> None:
        # A number that was ever used is not used again: the shipper may have deleted its file. The name
        # comes last, since a reader that sees a segment takes the ones before it for finished.
        before = self.segment
        path = segment_path(self._folder, before.number + 1)
        temporary = beside(path)
        begin = MAGIC
        if before.number >= 0:  # a reader can tell from it that the segment before this one was cut
            begin += frame(event_payload({"event": AFTER, "bytes": before.size}))
        fd = opened(temporary, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL)
        try:
            _write_whole(fd, begin)
            temporary.rename(path)
        except OSError:
            os.close(fd)
            temporary.unlink(missing_ok=True)
            raise
        if before.fd >= 0:
            self._unsynced.append(before.fd)
        self.segment = OpenSegment(number=before.number + 1, fd=fd, size=len(begin))
        self._earlier_bytes = self._count_earlier()
        while len(self._unsynced) > _MOST_UNSYNCED:
            os.close(self._unsynced.pop(0))

    def _count_earlier(self) -> int:
        total = 0
        for number, path in segments(self._folder):
            with suppress(OSError):  # shipped and deleted while we look
                total += path.stat().st_size if number != self.segment.number else 0
        return total


def _write_whole(fd: int, data: bytes) -> None:
    if os.write(fd, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
