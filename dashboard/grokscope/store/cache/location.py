"""Where mirrors are: one folder a store under ``GROKSCOPE_HOME/mirror``, within a limit for all together."""

import hashlib
import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path

from grokscope.schemas.files.locks import FileLock
from grokscope.schemas.files.private import NotPrivateError, closed_folder
from grokscope.schemas.places import home
from grokscope.schemas.secrets import without_credentials
from grokscope.store.cache.files import LOCK, MANIFEST, MirrorError
from grokscope.store.cache.mirror import Mirror

MAX_BYTES = 2 << 30
"""Size of all mirrors together (some 150 million points); beyond, stores not used for longest lose theirs."""

_log = logging.getLogger(__name__)


def open_mirror(uri: str, *, root: Path | None = None) -> Mirror | None:
    """Return the mirror of the store at ``uri``; ``None`` where the disk has no place for one.

    The first process is the writer until it closes the mirror or ends; others read what it has saved. A place
    that is a link or belongs to somebody else is left alone, which is said in the log.

    Args:
        uri: The store's address, a relative path already made absolute.
        root: Folder of all mirrors; ``None`` for ``mirror`` in ``GROKSCOPE_HOME``.
    """
    root = root or home() / "mirror"
    store = without_credentials(uri)
    folder = mirror_folder(uri, root=root)
    try:
        root.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        closed_folder(root)
        doubt = None if closed_folder(folder) else MirrorError("others could write into its folder")
        lock = FileLock.acquire(folder / LOCK)
        if lock is not None:
            with suppress(FileNotFoundError):  # so that its age is that of the last use
                os.utime(folder / MANIFEST, follow_symlinks=False)
            prune(root)
        return Mirror(folder, store=store, lock=lock, doubt=doubt)
    except NotPrivateError as error:
        _log.warning("Points are not kept between readings of %s: %s.", store, error)
        return None
    except OSError:
        return None


def mirror_folder(uri: str, *, root: Path | None = None) -> Path:
    """Return where the mirror of the store at ``uri`` is, or would be."""
    name = hashlib.sha256(without_credentials(uri).encode()).hexdigest()[:24]
    return (root or home() / "mirror") / name


def mirror_use(folder: Path) -> tuple[int, float] | None:
    """Return how many bytes a mirror holds and when it was last used, in Unix seconds; ``None`` without one.

    >>> mirror_use(Path("no-such-folder")) is None
    True
    """
    used_ns = _used_ns(folder)
    return (_size(folder), used_ns / 1e9) if used_ns else None


def prune(root: Path, *, max_bytes: int | None = None) -> list[Path]:
    """Remove mirrors that nobody has open, those not used for longest first, and return them.

    Args:
        root: Folder of all mirrors.
        max_bytes: Size to come below; ``None`` for ``MAX_BYTES``.
    """
    folders = [path for path in root.iterdir() if path.is_dir() and not path.is_symlink()]
    excess = sum(map(_size, folders)) - (MAX_BYTES if max_bytes is None else max_bytes)
    removed: list[Path] = []
    for folder in sorted(folders, key=_used_ns):
        if excess <= 0:
            break
        with suppress(OSError):  # somebody else's, or just removed by another process
            lock = FileLock.acquire(folder / LOCK)
            if lock is not None:
                excess -= _size(folder)
                shutil.rmtree(folder)
                lock.release()
                removed.append(folder)
    return removed


def _size(folder: Path) -> int:
    size = 0
    with suppress(OSError):  # another process replaces its files meanwhile
        for file in folder.iterdir():
            with suppress(FileNotFoundError):
                size += file.lstat().st_size
    return size


def _used_ns(folder: Path) -> int:
    try:
        return (folder / MANIFEST).lstat().st_mtime_ns
    except OSError:
        return 0
