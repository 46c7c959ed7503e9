"""The writing end of a spool: one ``os.write`` a call, no network, no lock shared with the shipper."""

import errno
import os
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Any

from grokscope.collectors.interrupts import is_interrupt
from grokscope.collectors.recording.spool.layout import segment_path, segments
from grokscope.collectors.recording.spool.record import (
    AFTER,
    MAGIC,
    MAX_PAYLOAD,
    event_payload,
    frame,
    keys_payload,
    points_packer,
)
from grokscope.schemas.files.private import duplicate, opened
from grokscope.schemas.files.replacing import beside

SEGMENT_BYTES = 16 << 20
CAP_BYTES = 2 << 30
# At the cap we look this often whether the shipper has made room.
_COUNT_SECONDS = 1.0
# Full segments that wait for 'sync'; beyond this nobody seems to call it, and open files are few.
_MOST_UNSYNCED = 8


class SpoolWriter:
    """Appends records to the segments of one spool folder.

    What a call has written survives the death of this process; ``sync`` makes it survive the machine's.
    A record that cannot be written (disk full, cap reached) is dropped and counted in ``dropped``,
    never half kept. In a forked child every call is a no-op: the parent owns the files. A signal's handler
    may log or close too, though it comes in the middle of a record.

    Args:
        folder: The spool's folder; must exist.
        segment_bytes: A segment is closed once it is this long.
        cap_bytes: What all unshipped segments together may take on disk.

    Raises:
        OSError: If the first segment cannot be created.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> writer = SpoolWriter(folder)
    >>> writer.points(1, 1000, {"train/loss": 0.25})
    >>> writer.close()
    True
    >>> [path.name for path in folder.glob("*.seg")]
    ['000000.seg']
    """

    def __init__(
        self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES, cap_bytes: int = CAP_BYTES
    ) -> None:
        self.dropped = 0
        self.error: OSError | None = None
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._cap_bytes = cap_bytes
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._is_busy = False
        self._late: deque[tuple[int, int, dict[str, float]]] = deque()
        self._number = -1
        self._fd = -1
        self._size = 0
        self._is_torn = False
        self._unsynced: list[int] = []
        self._earlier_bytes = 0
        self._next_count = 0.0
        self._sets: dict[tuple[str, ...], tuple[int, Struct]] = {}
        self._open_next()

    def points(self, step: int, time_ms: int, values: Mapping[str, float]) -> None:
        """Append all ``values`` of one step as one record."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            if self._is_busy:
                self._late.append((step, time_ms, dict(values)))
                return
            self._is_busy = True
            try:
                self._points(step, time_ms, values)
                self._write_late()
            finally:
                self._is_busy = False

    def sync(self) -> None:
        """Make everything written so far survive a power loss (about a millisecond on a local disk)."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            fds, self._unsynced = self._unsynced, []
            if self._fd >= 0:
                fds.append(duplicate(self._fd))
        self._sync_and_close(fds)  # without the lock: writing must not wait for the disk

    def close(self, last: dict[str, Any] | None = None) -> bool:
        """Append ``last`` as an event that nothing follows, sync and close; further calls are no-ops.

        Returns:
            ``False`` if ``last`` could not be written.
        """
        if os.getpid() != self._pid:
            return True
        with self._lock:
            if self._fd < 0:
                return True
            if self._is_busy:  # how far the record has come that we interrupt, nobody knows
                self._rotate()
            self._is_busy = True
            try:
                self._write_late()
                is_written = last is None or (self._is_ready() and self._write(frame(event_payload(last))))
                fds, self._unsynced, self._fd = [*self._unsynced, self._fd], [], -1
                self._write_late()  # which counts what has come in between
            finally:
                self._is_busy = False
        self._sync_and_close(fds)
        return is_written

    def event(self, content: dict[str, Any]) -> None:
        """Append an event."""
        if os.getpid() == self._pid:
            with self._lock:
                if self._fd >= 0 and self._is_ready():
                    self._write(frame(event_payload(content)))

    def _write_late(self) -> None:
        while self._late:
            self._points(*self._late.popleft())

    def _points(self, step: int, time_ms: int, values: Mapping[str, float]) -> None:
        keys = tuple(values)
        if self._fd < 0 or not self._is_ready():
            self.dropped += len(keys)
            return
        known = self._sets.get(keys)
        if known is not None:
            number, packer = known
            head = b""
        else:
            number, packer = len(self._sets), points_packer(len(keys))
            names = keys_payload(number, keys)
            if max(len(names), packer.size) > MAX_PAYLOAD:
                self._split(step, time_ms, values)
                return
            head = frame(names)
        data = head + frame(packer.pack(b"P", number, step, time_ms, *values.values()))
        if self._has_room(len(data)) and self._write(data):
            self._sets[keys] = (number, packer)
            self._rotate_if_full()
        else:
            self.dropped += len(keys)

    def _split(self, step: int, time_ms: int, values: Mapping[str, float]) -> None:
        """Write a record that is longer than a reader takes as two."""
        if len(values) == 1:
            self.dropped += 1
            return
        pairs = list(values.items())
        for part in (pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :]):
            self._points(step, time_ms, dict(part))

    def _has_room(self, size: int) -> bool:
        if self._earlier_bytes + self._size + size <= self._cap_bytes:
            return True
        now = time.monotonic()
        if now < self._next_count:
            return False
        self._next_count = now + _COUNT_SECONDS
        self._earlier_bytes = self._count_earlier()
        return self._earlier_bytes + self._size + size <= self._cap_bytes

    def _write(self, data: bytes) -> bool:
        """Append whole frames or nothing."""
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            if is_interrupt(error):  # a time limit's TimeoutError is one too, but none of the disk's
                raise
            self.error = error
            return False
        if written == len(data):
            self._size += written
            return True
        self.error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        try:
            # Asked of the file: our own count may be behind if a signal's handler raised in between.
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)
        except OSError as error:
            self.error, self._is_torn = error, True
        return False

    def _is_ready(self) -> bool:
        """Leave a segment with half a frame at its end: nobody would read what comes after that."""
        if self._is_torn:
            self._rotate()
        return not self._is_torn

    def _rotate_if_full(self) -> None:
        if self._size >= self._segment_bytes:
            self._rotate()

    def _rotate(self) -> None:
        try:
            self._open_next()
        except OSError as error:
            if is_interrupt(error):
                raise
            self.error = error  # go on in the segment that is open

    def _open_next(self) -> None:
        # A number that was ever used is not used again: the shipper may have deleted its file. The name
        # comes last, since a reader that sees a segment takes the ones before it for finished.
        path = segment_path(self._folder, self._number + 1)
        unborn = beside(path)
        begin = MAGIC
        if self._number >= 0:  # a reader can tell from it that the segment before this one was cut
            begin += frame(event_payload({"event": AFTER, "bytes": self._size}))
        fd = opened(unborn, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL)
        try:
            _write_whole(fd, begin)
            unborn.rename(path)
        except OSError:
            os.close(fd)
            unborn.unlink(missing_ok=True)
            raise
        if self._fd >= 0:
            self._unsynced.append(self._fd)
        self._fd, self._number, self._size = fd, self._number + 1, len(begin)
        self._sets, self._is_torn = {}, False
        self._earlier_bytes = self._count_earlier()
        while len(self._unsynced) > _MOST_UNSYNCED:
            os.close(self._unsynced.pop(0))

    def _count_earlier(self) -> int:
        total = 0
        for number, path in segments(self._folder):
            with suppress(OSError):  # shipped and deleted while we look
                total += path.stat().st_size if number != self._number else 0
        return total

    def _sync_and_close(self, fds: list[int]) -> None:
        for fd in fds:
            try:
                os.fsync(fd)
            except OSError as error:
                self.error = error
            finally:
                os.close(fd)


def _write_whole(fd: int, data: bytes) -> None:
    if os.write(fd, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
