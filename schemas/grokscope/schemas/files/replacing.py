"""Files that are replaced whole: a reader sees the old one or the new one, never half of it."""

import os
import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path
from secrets import token_hex

from grokscope.schemas.files.private import free_of_printing

PRIVATE = 0o600
SHARED = 0o666
"""The mode of a file that a person asked for: what their umask makes of it."""


_UNFINISHED = re.compile(r"\.[0-9a-f]{16}\Z")


class Synced(IntEnum):
    """What of a new file is on the disk before its writer goes on; each costs a wait."""

    NOTHING = 0
    CONTENT = 1
    NAME = 2


def beside(path: Path) -> Path:
    """Return a hidden name beside ``path`` that nobody can guess, for a file that is to take its place."""
    return path.with_name(f".{path.name}.{token_hex(8)}")


def remove_unfinished(folder: Path, name: str) -> None:
    """Remove what processes that were killed have left of files in ``folder`` that begin with ``name``.

    Only who writes there alone may ask for it.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> beside(folder / "step-1").touch()
    >>> remove_unfinished(folder, "step-")
    >>> list(folder.iterdir())
    []
    """
    with suppress(OSError):
        for path in folder.iterdir():
            if path.name.startswith(f".{name}") and _UNFINISHED.search(path.name):
                path.unlink()


@contextmanager
def replacing(path: Path, *, synced: Synced = Synced.NAME, mode: int = PRIVATE) -> Generator[Path]:
    """Give a new file to fill, which takes the name ``path`` if the block ends well; else nothing is left.

    Args:
        path: What the file will be called. Another file of that name stays as it is until then; a link is
            replaced, and what it leads to is left alone.
        synced: What survives a power failure. ``NAME``: the new file, once the block is left. ``CONTENT``:
            the old file or the whole new one, for what can be found out again. ``NOTHING``: perhaps an empty
            file, for what can be made again.
        mode: Who may read it; ``PRIVATE`` or ``SHARED``.

    Raises:
        OSError: If the disk refuses; the old file is untouched.

    >>> with replacing(Path("no-such-folder") / "x"):  # doctest: +ELLIPSIS
    ...     pass
    Traceback (most recent call last):
    FileNotFoundError: ...
    """
    unfinished = beside(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    os.close(free_of_printing(os.open(unfinished, flags, mode)))
    try:
        yield unfinished
        if synced >= Synced.CONTENT:
            _sync(unfinished)
        unfinished.replace(path)
        if synced >= Synced.NAME:
            _sync(path.parent)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def take_free_name(made: Path, path: Path) -> None:
    """Give a finished file the name ``path``, unless another process has taken that meanwhile.

    It may keep its own name too: the caller removes that.

    Raises:
        OSError: If the disk refuses.

    >>> import tempfile
    >>> made, path = Path(tempfile.mkdtemp()) / "made", Path(tempfile.mkdtemp()) / "path"
    >>> _ = made.write_text("new"), path.write_text("older")
    >>> take_free_name(made, path)
    >>> path.read_text()
    'older'
    """
    try:
        os.link(made, path)
    except FileExistsError:
        return
    except OSError:  # a file system without links, or another one
        if not path.exists():
            made.rename(path)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
