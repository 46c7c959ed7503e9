"""Locks on files that die with their holder: no process that was killed leaves one behind.

They tell all that run under one kernel, containers among them. Some network file systems lock nothing, and
Windows has no such lock: both raise ``OSError`` here, and the caller says what to do without.
"""

import os
import time
import weakref
from pathlib import Path

from grokscope.schemas.files.private import opened

_BETWEEN_TRIES_S = 0.02


def try_lock(fd: int, *, shared: bool = False) -> bool:
    """Lock an open file or folder without waiting, until it is closed; say whether it was free.

    Args:
        fd: Its descriptor; copies of it, those of a forked process too, share the lock.
        shared: Whether others may have a shared lock as well: that is how to look whether one is held.

    Raises:
        OSError: If the file system locks nothing.
    """
    try:
        import fcntl  # noqa: PLC0415 - Windows has none
    except ImportError as error:
        raise OSError("this system has no locks on files") from error
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class FileLock:
    """A lock on a private file, held until it is released or its holder, process or object, is gone."""

    def __init__(self, fd: int) -> None:
        # One that nobody released is given back all the same.
        self._close = weakref.finalize(self, os.close, fd)

    @classmethod
    def acquire(cls, path: Path, *, tries: int = 1) -> "FileLock | None":
        """Return the lock, or ``None`` if another holds it, be it in this process.

        Args:
            path: The file, which is made where it is not there and stays.
            tries: Look this often, since somebody who only looks holds the lock for an instant.

        Raises:
            NotPrivateError: If somebody else may have made the file.
            OSError: If it cannot be opened, or the file system locks nothing.
        """
        fd = opened(path, os.O_RDWR | os.O_CREAT)
        try:
            for left in reversed(range(tries)):
                if try_lock(fd):
                    return cls(fd)
                time.sleep(_BETWEEN_TRIES_S if left else 0)
        except OSError:
            os.close(fd)
            raise
        os.close(fd)
        return None

    def release(self) -> None:
        """Give it back; a second time changes nothing."""
        self._close()
