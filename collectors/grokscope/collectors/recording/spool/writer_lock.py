"""A writer's sign of life: a locked file in the spool, which its death unlocks, and room for its last word.

The lock tells all that run under the same kernel, containers among them, whatever host names or process ids
they see. To another kernel, over a network file system, the file's time tells that the writer is at work.
"""

import os
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from grokscope.collectors.recording.spool.layout import segments
from grokscope.collectors.recording.spool.meta import Meta, kernel
from grokscope.collectors.recording.spool.record import (
    END,
    Event,
    MalformedError,
    decode,
    event_payload,
    frame,
    read_frames,
)
from grokscope.collectors.recording.spool.small_files import age_seconds
from grokscope.schemas.files.locks import try_lock
from grokscope.schemas.files.private import content_of, opened

LEASE_SECONDS = 300.0
_NAME = "writer"
_ENDING_BYTES = 256


class WriterLock:
    """Held by the one process that writes a spool, from before anybody can see the spool.

    Args:
        folder: The spool's folder.

    Raises:
        OSError: If the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._fd = opened(folder / _NAME, os.O_RDWR | os.O_CREAT)
        try:
            # Room for the ending while there is some: it is written over this, and needs no new block.
            os.pwrite(self._fd, bytes(_ENDING_BYTES), 0)
            with suppress(OSError):  # a file system without locks: the file's time has to do
                try_lock(self._fd)
        except OSError:
            os.close(self._fd)
            raise
        me = weakref.ref(self)
        # A forked child shares the lock, and may outlive us.
        os.register_at_fork(after_in_child=lambda: _release(me()))

    def leave_ending(self, content: dict[str, Any]) -> None:
        """Keep how the run ended though the disk is full; see ``read_ending``."""
        with suppress(OSError):
            os.pwrite(self._fd, frame(event_payload(content))[:_ENDING_BYTES], 0)
            os.fsync(self._fd)

    def release(self) -> None:
        """Say that nothing more is written."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _release(writer_lock: WriterLock | None) -> None:
    if writer_lock is not None:
        writer_lock.release()


def heartbeat(folder: Path) -> None:
    """Say to other kernels that the writer of a spool is at work."""
    with suppress(OSError):
        os.utime(folder / _NAME, follow_symlinks=False)


def read_ending(folder: Path) -> Event | None:
    """Return the end that found no room among the records, if there is one."""
    try:
        payload, _ = next(read_frames(content_of(folder / _NAME, most=_ENDING_BYTES)))
        found = decode(payload, {})
    except (OSError, StopIteration, MalformedError):
        return None
    return found if isinstance(found, Event) and found.content.get("event") == END else None


def is_certain(meta: Meta) -> bool:
    """Say whether a lock that is free proves the writer's death: it wrote under this kernel."""
    return meta.kernel == kernel()


def writer_is_alive(folder: Path, meta: Meta) -> bool:
    """Say whether the process that writes this spool still runs; under another kernel: whether it may."""
    is_locked = _is_locked(folder / _NAME)
    if is_locked is False and is_certain(meta):
        return False
    signs = (folder / _NAME, *(path for _, path in segments(folder)))
    return is_locked is True or min(map(age_seconds, signs)) < LEASE_SECONDS


def _is_locked(path: Path) -> bool | None:
    """Say whether somebody holds the lock; ``None`` where nobody can tell."""
    try:
        fd = opened(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return not try_lock(fd, shared=True)
    except OSError:
        return None
    finally:
        os.close(fd)
