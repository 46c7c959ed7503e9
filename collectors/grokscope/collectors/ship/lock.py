"""One shipper a store, home and machine: a lock that dies with its holder."""

import fcntl
import hashlib
import os
import socket
from pathlib import Path


def ship_key(store: str) -> str:
    """Return a short name for what one shipper serves: this machine's spools for ``store``."""
    return hashlib.sha256(f"{socket.gethostname()} {store}".encode()).hexdigest()[:16]


def lock_path(home: Path, store: str) -> Path:
    """Return the lock's file."""
    return home / "ship" / f"{ship_key(store)}.lock"


class ShipLock:
    """Held by the one process that ships; released by the system when that process dies."""

    def __init__(self, home: Path, store: str) -> None:
        self._path = lock_path(home, store)
        self._fd = -1

    def acquire(self) -> bool:
        """Take the lock if it is free; say whether it was."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return False
        self._fd = fd
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def is_held(home: Path, store: str) -> bool:
    """Say whether some process ships to ``store`` now.

    >>> is_held(Path("no-such-home"), "sqlite:////tmp/mlflow.db")
    False
    """
    if not lock_path(home, store).exists():
        return False
    lock = ShipLock(home, store)
    if lock.acquire():
        lock.release()
        return False
    return True
