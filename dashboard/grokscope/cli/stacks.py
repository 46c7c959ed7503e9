"""The stacks that a server which stood still has left: in a file without a name, then in one that is kept."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from grokscope.schemas import NoHomeError, home
from grokscope.schemas.files.private import private_folder


def unnamed_file() -> IO[bytes] | None:
    """Return a file to be filled by the server, of which nothing stays when both have closed it.

    ``None`` where there is no disk, or no way to hand an open file to another process.
    """
    try:
        return tempfile.TemporaryFile() if os.name == "posix" else None
    except OSError:
        return None


def has_begun(file: IO[bytes]) -> bool:
    """Return whether the server has come so far as to write its first line: then the port is its own."""
    return os.fstat(file.fileno()).st_size > 0


def keep(file: IO[bytes]) -> Path | None:
    """Close ``file``; return a new file with its content that only this user can read.

    ``None`` if there are no stacks behind its first line, or if neither ``GROKSCOPE_HOME`` nor the folder for
    temporary files has room.
    """
    with file:
        file.seek(0)
        content = file.read()
    for place in (_mine, lambda: Path(tempfile.gettempdir())) if content.partition(b"\n")[2] else ():
        with suppress(OSError, NoHomeError):
            folder = place()
            number, name = tempfile.mkstemp(prefix="grokscope-stacks-", suffix=".txt", dir=folder)
            with os.fdopen(number, "wb") as kept:
                kept.write(content)
            return Path(name)
    return None


def _mine() -> Path:
    return private_folder(home(), "dashboard")
