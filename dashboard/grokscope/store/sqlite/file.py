"""An MLflow SQLite file, opened so that reading can neither change it nor hold a writer back."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from grokscope.store.errors import (
    AccessError,
    BusyStoreError,
    CorruptStoreError,
    MissingStoreError,
    SchemaError,
    StoreError,
)

BUSY_S = 3.0
"""How long a reading call waits for a writer's commit before it says that the store is busy."""

CACHE_KIB = 64 * 1024
"""A run's rows lie scattered among those of its siblings; with SQLite's own 2 MiB, pages are read many times
(a million points: 3.5 s, with 64 MiB 1.3 s)."""

_PRIMARY = 0xFF  # extended result codes carry the primary one in their low byte


class InterruptedWriteError(BusyStoreError):
    """A writer died in the middle of a commit: somebody who may write has to roll it back."""


@contextmanager
def reading(path: Path) -> Generator[sqlite3.Connection]:
    """Open the file at ``path`` for reading, and close it.

    Read-only by the file mode and by ``query_only``; ``trusted_schema`` is off because a database from
    elsewhere may carry views that call functions. Each statement is its own short transaction, so that a
    writer waits for one statement at most (MLflow's files are not in WAL mode).

    Raises:
        StoreError: One of its subclasses for whatever SQLite says, in or before the block.
    """
    if not path.exists():
        raise MissingStoreError(
            f"there is no store at {path}. Start one by logging a run, or point --store at an existing one."
        )
    if not path.is_file():
        raise CorruptStoreError(f"{path} is a folder, not a SQLite file. Name the file in it.")
    try:
        with closing(
            sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=BUSY_S, isolation_level=None)
        ) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            yield connection
    except sqlite3.Error as error:
        raise _explained(error, path) from error


def roll_back(path: Path) -> None:
    """Undo the commit in which a writer died, as any ordinary opening of the file does.

    Raises:
        StoreError: If the file, or its folder, cannot be written.
    """
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=BUSY_S)) as connection:
            connection.execute("SELECT name FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise _explained(error, path) from error


def _explained(error: sqlite3.Error, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return CorruptStoreError(
            f"{path} is not a readable SQLite database ({error}). "
            "Restore it from a copy, or point --store at another file."
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return BusyStoreError(
            f"{path} is locked by a writer ({error}). It is tried again at the next refresh; "
            "if this lasts, look for a stuck process that writes to it."
        )
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return AccessError(f"{path} cannot be opened ({error}). Check that it is a file and may be read.")
    if code == sqlite3.SQLITE_READONLY:
        return InterruptedWriteError(
            f"{path} holds a half-written commit of a process that died ({error}). "
            "The next write to it repairs it: allow writing to the file and its folder."
        )
    if code == sqlite3.SQLITE_ERROR:
        return SchemaError(
            f"{path} does not have the tables of MLflow as grokscope knows them ({error}). "
            "Point --store at an MLflow store, or upgrade it with its own MLflow (`mlflow db upgrade`)."
        )
    return StoreError(f"{path} could not be read ({error}). Check the disk that it is on.")
