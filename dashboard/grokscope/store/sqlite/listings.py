"""What queries returned, for as long as the file is as it was: an open page asks again and again."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

Rows = list[tuple[Any, ...]]
Stamp = tuple[tuple[int, ...] | None, ...]

_MOST, _MOST_ROWS = 16, 20_000
_SETTLED_NS = 2_000_000_000
"""A change may leave the time of another one that it follows closely: such a young file is asked anew."""


_LONGEST_S = 60.0
"""A log may get its last bytes long before they count: in the end all is asked anew."""


class Listings:
    """Remembers rows of queries; safe to use from several threads.

    Args:
        path: The SQLite file, which may have a write-ahead log.
        clock: Seconds.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = float("-inf")
        self._files = (path, path.with_name(f"{path.name}-wal"))
        self._lock = Lock()
        self._stamp: Stamp = ()
        self._known: dict[tuple[str, str], Rows] = {}

    def rows(self, query: str, values: Mapping[str, Any], read: Callable[[], Rows]) -> Rows:
        """Return what ``read`` does, or what it returned of the same question to the same file."""
        stamp, key = self._now(), (query, json.dumps(values, sort_keys=True))
        with self._lock:
            now = self._clock()
            if stamp != self._stamp or now > self._until:
                self._stamp, self._until = stamp, now + _LONGEST_S
                self._known.clear()
            known = self._known.get(key)
        if known is not None:
            return known
        rows = read()
        with self._lock:
            if len(rows) <= _MOST_ROWS and stamp == self._stamp == self._now() and _is_settled(stamp):
                self._known[key] = rows
                for old in list(self._known)[:-_MOST]:
                    del self._known[old]
        return rows

    def _now(self) -> Stamp:
        return tuple(map(_stamp_of, self._files))


def _stamp_of(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev


def _is_settled(stamp: Stamp) -> bool:
    now = time.time_ns()
    return all(one is None or now - one[0] > _SETTLED_NS for one in stamp)
