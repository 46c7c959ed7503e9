"""Small JSON files that are replaced whole: a reader sees the old one or the new one, never half of it."""

import json
import os
import time
from pathlib import Path
from typing import Any, cast

from grokscope.schemas.files.private import content_of, opened
from grokscope.schemas.files.replacing import Synced, replacing

Json = dict[str, Any]


def replace_json(path: Path, content: Json) -> None:
    """Write ``content`` to ``path`` durably: either the old file or the whole new one, mode 0600.

    Raises:
        OSError: If the disk refuses; the old file is untouched.
        ValueError: If ``content`` holds what no JSON file can, with the same promise.
    """
    # Not its name: to whoever reads the old one after a power failure, it says what is still true.
    with (
        replacing(path, synced=Synced.CONTENT) as unfinished,
        os.fdopen(opened(unfinished, os.O_WRONLY), "w", encoding="utf-8") as file,
    ):
        json.dump(content, file, ensure_ascii=False)


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
