"""Small JSON files that are replaced whole: a reader sees the old one or the new one, never half of it."""

import json
import os
import time
from pathlib import Path
from typing import Any, cast

from grokscope.collectors.recording.spool.private import beside, content_of, opened

Json = dict[str, Any]


def replace_json(path: Path, content: Json) -> None:
    """Write ``content`` to ``path`` durably: either the old file or the whole new one, mode 0600.

    Raises:
        OSError: If the disk refuses; the old file is untouched.
        ValueError: If ``content`` holds what no JSON file can, with the same promise.
    """
    temporary = beside(path)
    fd = opened(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, ValueError):
        temporary.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> Json | None:
    """Return the object in a file; ``None`` if it is gone, closed to us, not ours, or holds something else.

    >>> read_json(Path("no-such-file")) is None
    True
    """
    try:
        content: object = json.loads(content_of(path))
    except (OSError, ValueError, RecursionError):
        return None
    return cast("Json", content) if isinstance(content, dict) else None


def whole_number(value: object, *, most: int = 2**63 - 1) -> int | None:
    """Return a number from a file if it is a whole one of 0 to ``most``, else ``None``.

    >>> whole_number(7), whole_number(True), whole_number("7"), whole_number(-1), whole_number(10**30)
    (7, None, None, None, None)
    """
    return value if type(value) is int and 0 <= value <= most else None


def age_seconds(path: Path) -> float:
    """Return how long ago a file was touched; infinity if it is not there.

    >>> age_seconds(Path("no-such-file"))
    inf
    """
    try:
        return time.time() - path.lstat().st_mtime
    except OSError:
        return float("inf")
