"""The lock of a mirror's writer: it dies with its process, or with the object that holds it."""

import fcntl
import os
import weakref
from pathlib import Path


class WriterLock:
    """A lock on a file by ``flock``; see ``take``."""

    def __init__(self, descriptor: int) -> None:
        # A store that nobody closed gives the lock back all the same.
        self._release = weakref.finalize(self, os.close, descriptor)

    @classmethod
    def take(cls, path: Path) -> "WriterLock | None":
        """Return the lock, or ``None`` if another holds it, be it in this process."""
        # Not through a link, and not waiting for a pipe that somebody put there.
        flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return cls(descriptor)

    def release(self) -> None:
        """Give it back; a second time changes nothing."""
        self._release()
