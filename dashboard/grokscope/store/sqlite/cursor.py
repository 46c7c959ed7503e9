"""Where reading stopped in a SQLite file: the number of the last row, and what was in it.

Row numbers are given in order of insertion, and SQLite has one writer at a time, so "greater than the cursor"
is exactly what is new, whatever its step or time. Row numbers can be given again after the last rows were
purged (``mlflow gc``), and VACUUM may renumber: then the row at the cursor is another one, and everything is
read again.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grokscope.store.cache.point_cache import PointCache
from grokscope.store.sqlite.bulk import BulkReader
from grokscope.store.sqlite.queries import LAST_ROW, arrived

_ROW = "SELECT run_uuid, key, step, timestamp, value, is_nan FROM metrics WHERE rowid = ?"
_GREATEST = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCursor:
    """The last row that was read, and the file that it was in."""

    number: int
    content: tuple[Any, ...] | None
    file: tuple[int, int]


def move(reader: BulkReader, path: Path, *, cursor: RowCursor | None, cache: PointCache) -> RowCursor:
    """Bring ``cache`` up to date and return the new cursor; empty it if rows are not what they were."""
    status, connection = path.stat(), reader.connection
    number = int(connection.execute(LAST_ROW).fetchone()[0] or 0)
    now = RowCursor(number=number, content=_content(connection, number), file=(status.st_dev, status.st_ino))
    if cursor is None or not _continues(connection, cursor, now):
        cache.clear()
    elif number > cursor.number and cache.runs():
        for points in arrived(reader.rows, cache.runs(), after=cursor.number, until=number):
            cache.extend(points)
    return now


def cursor_from(state: Any) -> RowCursor | None:
    """Return the cursor that ``asdict`` and JSON made ``state`` of; ``None`` if it is of something else."""
    try:
        content, file, number = state["content"], state["file"], int(state["number"])
        return (
            RowCursor(
                number=number,
                content=None if content is None else tuple(content),
                file=(int(file[0]), int(file[1])),
            )
            if 0 <= number <= _GREATEST
            else None
        )
    except (TypeError, KeyError, ValueError, IndexError, OverflowError):
        return None


def _continues(connection: sqlite3.Connection, cursor: RowCursor, now: RowCursor) -> bool:
    return (
        now.file == cursor.file
        and now.number >= cursor.number
        and _content(connection, cursor.number) == cursor.content
    )


def _content(connection: sqlite3.Connection, number: int) -> tuple[Any, ...] | None:
    return connection.execute(_ROW, (number,)).fetchone()
