"""One shipper a store, home and machine: a lock that dies with its holder."""

import hashlib
import os
import socket
from pathlib import Path

from grokscope.schemas.files.locks import FileLock
from grokscope.schemas.files.private import private_folder


def ship_key(store: str, *, host: str | None = None) -> str:
    """Return a short name for what one shipper serves: a host's (else this one's) spools for ``store``."""
    return hashlib.sha256(f"{host or socket.gethostname()} {store}".encode()).hexdigest()[:16]


def lock_path(home: Path, store: str, *, host: str | None = None) -> Path:
    """Return the lock's file."""
    return home / "ship" / f"{ship_key(store, host=host)}.lock"


class ShipLock:
    """Held by the one process that ships; released by the system when that process dies."""

    def __init__(self, home: Path, store: str, *, host: str | None = None) -> None:
        self._home = home
        self._path = lock_path(home, store, host=host)
        self._held: FileLock | None = None

    def acquire(self, *, tries: int = 1) -> bool:
        """Take the lock if it is free; say whether it was.

        Args:
            tries: Look this often, since somebody who asks ``is_held`` holds the lock for an instant.

        Raises:
            OSError: If the file system cannot lock at all, or somebody else may have made the file.
        """
        private_folder(self._home, self._path.parent.name)
        self._held = FileLock.acquire(self._path, tries=tries)
        return self._held is not None

    def release(self) -> None:
        """Give the lock back."""
        if self._held is not None:
            self._held.release()
            self._held = None


def is_held(home: Path, store: str, *, host: str | None = None) -> bool:
    """Say whether some process ships to ``store`` now, for this host or another.

    >>> is_held(Path("no-such-home"), "sqlite:////data/mlflow.db")
    False
    """
    if not os.path.lexists(lock_path(home, store, host=host)):  # a link, wherever it leads, is told
        return False
    lock = ShipLock(home, store, host=host)
    if lock.acquire():
        lock.release()
        return False
    return True
