"""The writing end of a spool: one ``os.write`` a call, no network, no lock shared with the shipper."""

import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from grokscope.collectors.recording.spool.array_payload import array_payload
from grokscope.collectors.recording.spool.record import (
    MAX_PAYLOAD,
    event_payload,
    frame,
    keys_payload,
    points_packer,
)
from grokscope.collectors.recording.spool.segment_files import SegmentFiles
from grokscope.schemas.arrays import LoggedArray

SEGMENT_BYTES = 16 << 20
CAP_BYTES = 2 << 30


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
        self._files = SegmentFiles(folder, segment_bytes=segment_bytes, cap_bytes=cap_bytes)
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._is_busy = False
        self._late: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()

    @property
    def error(self) -> OSError | None:
        """What the disk has refused last."""
        return self._files.error

    def points(self, step: int, time_ms: int, values: Mapping[str, float]) -> None:
        """Append all ``values`` of one step as one record."""
        # Of one that comes in the middle of another record, the caller may change the values before its turn.
        self._in_turn(self._points, step, time_ms, dict(values) if self._is_busy else values)

    def array(self, logged: LoggedArray) -> None:
        """Append an array as one record; one that cannot be written counts as one in ``dropped``."""
        self._in_turn(self._array, logged)

    def sync(self) -> None:
        """Make everything written so far survive a power loss (about a millisecond on a local disk)."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            fds = self._files.to_sync()
        self._files.sync_and_close(fds)  # without the lock: writing must not wait for the disk

    def close(self, last: dict[str, Any] | None = None) -> bool:
        """Append ``last`` as an event that nothing follows, sync and close; further calls are no-ops.

        Returns:
            ``False`` if ``last`` could not be written.
        """
        if os.getpid() != self._pid:
            return True
        files = self._files
        with self._lock:
            if not files.is_open:
                return True
            if self._is_busy:  # how far the record has come that we interrupt, nobody knows
                files.rotate()
            self._is_busy = True
            try:
                self._write_late()
                is_written = last is None or (
                    files.ready() is not None and files.write(frame(event_payload(last)))
                )
                fds = files.close()
                self._write_late()  # which counts what has come in between
            finally:
                self._is_busy = False
        files.sync_and_close(fds)
        return is_written

    def _in_turn(self, write: Callable[..., None], *record: Any) -> None:
        if os.getpid() != self._pid:
            return
        with self._lock:
            if self._is_busy:
                self._late.append((write, record))
                return
            self._is_busy = True
            try:
                write(*record)
                self._write_late()
            finally:
                self._is_busy = False

    def _write_late(self) -> None:
        while self._late:
            write, record = self._late.popleft()
            write(*record)

    def _array(self, logged: LoggedArray) -> None:
        files = self._files
        payload = array_payload(logged)
        data = frame(payload)
        segment = files.ready()
        is_fit = len(payload) <= MAX_PAYLOAD and files.has_room(len(data))
        if segment is None or not is_fit or not files.write(data):
            self.dropped += 1
        elif files.segment is segment and segment.size >= files.segment_bytes:
            files.rotate()

    def _points(self, step: int, time_ms: int, values: Mapping[str, float]) -> None:
        keys = tuple(values)
        files = self._files
        segment = files.ready()
        if segment is None:
            self.dropped += len(keys)
            return
        key_sets = segment.key_sets
        named = key_sets.get(keys)
        if named is not None:
            number, packer = named
            head = b""
        else:
            number, packer = len(key_sets), points_packer(len(keys))
            names = keys_payload(number, keys)
            if max(len(names), packer.size) > MAX_PAYLOAD:
                self._split(step, time_ms, values)
                return
            head = frame(names)
        data = head + frame(packer.pack(b"P", number, step, time_ms, *values.values()))
        if files.has_room(len(data)) and files.write(data):
            key_sets[keys] = (number, packer)
            if files.segment is segment and segment.size >= files.segment_bytes:
                files.rotate()
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
