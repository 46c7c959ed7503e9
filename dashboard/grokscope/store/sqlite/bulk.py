"""Many rows of a SQLite file at once: by ADBC where it is installed, which makes no Python object a value."""

import importlib
import sqlite3
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from grokscope.schemas import POINT_SCHEMA
from grokscope.store.sqlite.file import BUSY_S, CACHE_KIB

ROW_TYPES = pl.Schema({**POINT_SCHEMA, "is_nan": pl.Int64()})
LARGE = 200_000
"""Rows in the store from which ADBC is worth its import."""

_DRIVER = "adbc_driver_sqlite.dbapi"
_SETTINGS = (
    "query_only = ON",
    "trusted_schema = OFF",
    f"busy_timeout = {int(BUSY_S * 1000)}",
)
_WITH_CACHE = (*_SETTINGS, f"cache_size = -{CACHE_KIB}")

Rows = Callable[[str, Sequence[Any]], pl.DataFrame]
"""A statement with ``?`` for its values, and the values -> its rows, columns named as in the statement."""


@dataclass(frozen=True, slots=True)
class BulkReader:
    """Both ways into one file: ``connection`` for single answers, ``rows`` for many."""

    connection: sqlite3.Connection
    rows: Rows


@contextmanager
def bulk_reading(
    path: Path, connection: sqlite3.Connection, *, rereads: bool = True
) -> Generator[BulkReader]:
    """Give a reader of many rows; every statement is its own short transaction.

    Whatever ADBC cannot do is asked again on ``connection``, whose errors are the ones that are explained.

    Args:
        path: The file.
        connection: Open on it.
        rereads: Whether several curves of a run will be asked for, whose rows lie on the same pages: these
            are then kept, which for a single curve costs a sixth of the time and gains nothing.
    """
    with ExitStack() as opened:
        settings = _WITH_CACHE if rereads else _SETTINGS
        driver = cache(lambda: _cursor(path, opened, settings) if _is_large(connection) else None)

        def rows(statement: str, values: Sequence[Any]) -> pl.DataFrame:
            if (cursor := driver()) is not None:
                with suppress(Exception):  # the same statement below says what is wrong
                    cursor.execute(statement, values)
                    return _typed(pl.DataFrame(cursor.fetch_arrow()))
            found = connection.execute(statement, values)
            types = _types([column[0] for column in found.description])
            return pl.DataFrame(found.fetchall(), schema=types, orient="row")

        yield BulkReader(connection, rows)


def _is_large(connection: sqlite3.Connection) -> bool:
    # Importing the driver takes a second, once; before that, it has to be worth it.
    last = connection.execute("SELECT MAX(rowid) FROM metrics").fetchone()[0] or 0
    return last >= LARGE or _DRIVER in sys.modules


def _cursor(path: Path, opened: ExitStack, settings: Sequence[str]) -> Any | None:
    try:
        driver: Any = importlib.import_module(_DRIVER)
        # Without autocommit, one reading transaction would last until the connection ends, and stop writers.
        connection = opened.enter_context(driver.connect(f"{path.as_uri()}?mode=ro", autocommit=True))
        cursor = opened.enter_context(connection.cursor())
        for setting in settings:
            cursor.execute(f"PRAGMA {setting}")
    except Exception:  # noqa: BLE001 -- not installed, or refused: the other way is always there
        return None
    return cursor


def _types(names: Sequence[str]) -> pl.Schema:
    return pl.Schema({name: ROW_TYPES[name] for name in names})


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    # An empty answer, or one that begins with whole numbers, says little about its types.
    types = _types(frame.columns)
    return frame if frame.schema == types else frame.cast(types)
