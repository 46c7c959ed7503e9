"""The writing end of a spool: one ``os.write`` a call, no network, no lock shared with the shipper."""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from struct import Struct
from typing import Any

from grokscope.collectors.spool.layout import segment_path
from grokscope.collectors.spool.record import (
    MAGIC,
    event_payload,
    frame,
    keys_payload,
    points_packer,
)

SEGMENT_BYTES = 16 << 20
CAP_BYTES = 2 << 30


class SpoolWriter:
    """Appends records to the segments of one spool folder.

    What a call has written survives the death of this process; ``sync`` makes it survive the machine's.
    A record that cannot be written (disk full, cap reached) is dropped and counted in ``dropped``,
    never half kept. In a forked child every call is a no-op: the parent owns the files.

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
        self._lock = threading.Lock()
        self._number = -1
        self._fd = -1
        self._size = 0
        self._earlier_bytes = 0
        self._sets: dict[tuple[str, ...], tuple[int, Struct]] = {}
        self._open_next()

    def points(self, step: int, time_ms: int, values: Mapping[str, float]) -> None:
        """Append all ``values`` of one step as one record."""
        if os.getpid() != self._pid:
            return
        keys = tuple(values)
        with self._lock:
            known = self._sets.get(keys)
            if known is not None:
                number, packer = known
                head = b""
            else:
                number, packer = len(self._sets), points_packer(len(keys))
                head = frame(keys_payload(number, keys))
            data = head + frame(packer.pack(b"P", number, step, time_ms, *values.values()))
            if self._append(data, points=len(keys)):
                self._sets[keys] = (number, packer)
                self._rotate_if_full()

    def event(self, content: dict[str, Any]) -> None:
        """Append an event."""
        if os.getpid() == self._pid:
            with self._lock:
                self._append(frame(event_payload(content)), points=0)

    def sync(self) -> None:
        """Make everything written so far survive a power loss (about a millisecond on a local disk)."""
        if self._fd >= 0 and os.getpid() == self._pid:
            os.fsync(self._fd)

    def close(self) -> None:
        """Sync and close; further calls are no-ops."""
        if os.getpid() != self._pid or self._fd < 0:
            return
        with self._lock:
            os.fsync(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _append(self, data: bytes, *, points: int) -> bool:
        if self._fd < 0 or self._earlier_bytes + self._size + len(data) > self._cap_bytes:
            self.dropped += points
            return False
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            self.error, written = error, 0
        if written == len(data):
            self._size += written
            return True
        self.dropped += points
        if written:
            self._undo_torn_write()
        return False

    def _undo_torn_write(self) -> None:
        """Cut a half-written frame off, so that the records after it can be read."""
        try:
            os.ftruncate(self._fd, self._size)
        except OSError as error:
            self.error = error
            self._open_next()  # the reader goes on at the next segment

    def _rotate_if_full(self) -> None:
        if self._size >= self._segment_bytes:
            try:
                self._open_next()
            except OSError as error:
                self.error = error  # go on in the segment that is open

    def _open_next(self) -> None:
        # A number that was ever used is not used again: the shipper may have deleted its file.
        path = segment_path(self._folder, self._number + 1)
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.write(fd, MAGIC)
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._number, self._size = fd, self._number + 1, len(MAGIC)
        self._sets = {}
        self._earlier_bytes = sum(p.stat().st_size for p in self._folder.glob("*.seg") if p != path)
