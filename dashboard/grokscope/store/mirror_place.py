"""Where mirrors are: one folder a store under ``GROKSCOPE_HOME/mirror``, within a limit for all together."""

import hashlib
import shutil
from pathlib import Path

from grokscope.schemas.places import home
from grokscope.schemas.secrets import without_credentials
from grokscope.store.mirror import Mirror
from grokscope.store.mirror_files import MANIFEST
from grokscope.store.writer_lock import WriterLock

MAX_BYTES = 2 << 30
"""Size of all mirrors together (some 150 million points); beyond, stores not used for longest lose theirs."""

_LOCK = "lock"


def open_mirror(uri: str, *, root: Path | None = None) -> Mirror | None:
    """Return the mirror of the store at ``uri``; ``None`` where the disk has no place for one.

    The first process is the writer until it closes the mirror or ends; others read what it has saved.

    Args:
        uri: The store's address, a relative path already made absolute.
        root: Folder of all mirrors; ``None`` for ``mirror`` in ``GROKSCOPE_HOME``.
    """
    root = root or home() / "mirror"
    store = without_credentials(uri)
    folder = root / hashlib.sha256(store.encode()).hexdigest()[:24]
    try:
        root.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        root.mkdir(exist_ok=True, mode=0o700)
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = WriterLock.take(folder / _LOCK)
        if lock is not None:
            (folder / MANIFEST).touch()  # so that its age is that of the last use
            prune(root)
        return Mirror(folder, store=store, lock=lock)
    except OSError:
        return None


def prune(root: Path, *, max_bytes: int | None = None) -> list[Path]:
    """Remove mirrors that nobody has open, those not used for longest first, and return them.

    Args:
        root: Folder of all mirrors.
        max_bytes: Size to come below; ``None`` for ``MAX_BYTES``.
    """
    excess = sum(map(_size, root.iterdir())) - (MAX_BYTES if max_bytes is None else max_bytes)
    removed: list[Path] = []
    for folder in sorted(root.iterdir(), key=_used_ns):
        if excess <= 0:
            break
        lock = WriterLock.take(folder / _LOCK)
        if lock is not None:
            excess -= _size(folder)
            shutil.rmtree(folder)
            lock.release()
            removed.append(folder)
    return removed


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def _used_ns(folder: Path) -> int:
    manifest = folder / MANIFEST
    return manifest.stat().st_mtime_ns if manifest.exists() else 0
