"""Files that are written while they are read: whether their last line may be half."""

import os
from typing import IO, Any

_BLOCK = 4096
"""Programs hand over what they write in blocks of so many bytes, or of a multiple, wherever lines end."""

HALF = (
    "its last line has no end and may be half, as the file is being written; it is left out until it is whole"
)
"""What is said of such a run."""


def may_be_half(file: IO[Any], before: os.stat_result) -> bool:
    """Say whether a last line without an end may be half: its file has changed, or ends where a block does.

    Many a whole file ends without an end of its last line; it rests and has any size.

    Args:
        file: Open, and read to its end.
        before: What ``os.fstat`` told of it before that.

    >>> import tempfile
    >>> with tempfile.TemporaryFile() as file:
    ...     before = os.fstat(file.fileno())
    ...     _ = file.write(b"step,loss")
    ...     file.flush()
    ...     may_be_half(file, before), may_be_half(file, os.fstat(file.fileno()))
    (True, False)
    """
    now = os.fstat(file.fileno())
    has_changed = (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns)
    return has_changed or (now.st_size > 0 and now.st_size % _BLOCK == 0)
