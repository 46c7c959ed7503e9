"""Which store is behind an address."""

from pathlib import Path

from grokscope.schemas.secrets import redacted
from grokscope.store.cache.location import open_mirror
from grokscope.store.database_check import CONNECT_S, check_database
from grokscope.store.deadline import Deadline
from grokscope.store.errors import SchemaError, StoreError
from grokscope.store.mlflow_client.source import ClientSource
from grokscope.store.parquet import ParquetSource, ParquetStore
from grokscope.store.postgres.source import PostgresSource
from grokscope.store.protocol import Store
from grokscope.store.remote.store import RemoteStore
from grokscope.store.rest.source import RestSource
from grokscope.store.sqlite.file import InterruptedWriteError, reading, roll_back
from grokscope.store.sqlite.schema import obstacle
from grokscope.store.sqlite.store import SqliteStore
from grokscope.store.uris import Transport, local_path, transport_of

CHECK_S = 2.0 * CONNECT_S
"""Longest time until it is known whether MLflow's tables are in a database."""


def open_store(uri: str) -> Store:
    """Return the store at ``uri``, checked: somebody is there, and it is MLflow.

    Args:
        uri: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``http(s)://host``, ``postgresql://…``,
            ``parquet:///folder``, or another database that MLflow's own client can open.

    Raises:
        StoreError: The subclass says what is wrong, the message what to do about it.

    >>> from grokscope.store import UnknownStoreError
    >>> try:
    ...     open_store("ftp://host")
    ... except UnknownStoreError as error:
    ...     print(str(error).partition(". ")[0])
    'ftp://host' has the unknown scheme 'ftp'
    """
    transport = transport_of(uri)
    if transport is Transport.SQLITE:
        return _open_sqlite(uri)
    if transport is Transport.HTTP:
        source = RestSource(uri)
        source.experiments()
        return RemoteStore(uri, source=source, mirror=open_mirror(uri))
    if transport is Transport.PARQUET:
        folder = ParquetSource(local_path(uri))
        folder.experiments()
        return ParquetStore(uri, source=folder)
    return _open_database(uri)


def _open_database(uri: str) -> Store:
    shown = redacted(uri)
    Deadline(shown).ask(lambda _: check_database(uri), silence_s=CHECK_S, whole_s=CHECK_S)
    if not uri.lower().startswith("postgres"):
        notice = f"{shown} is read through MLflow's own client: only SQLite and PostgreSQL are read directly."
        return _open_by_client(uri, notice)
    try:
        source = PostgresSource(uri)
        notice = source.obstacle(shown)
    except ImportError as error:
        notice = (
            f"{shown} is read through MLflow's own client, which is slower: {error.name} is not installed."
        )
        return _open_by_client(uri, notice)
    except SchemaError:
        raise
    except StoreError as error:
        # SQLAlchemy knows ways to connect that PostgreSQL's own library does not.
        notice = f"It is read through MLflow's own client, which is slower: {error}"
        return _open_by_client(uri, notice)
    if notice is not None:
        return _open_by_client(uri, notice)
    return RemoteStore(uri, source=source, mirror=open_mirror(uri))


def _open_sqlite(uri: str) -> Store:
    path = local_path(uri)
    try:
        notice = _obstacle(path)
    except InterruptedWriteError:
        roll_back(path)
        notice = _obstacle(path)
    return (
        SqliteStore(uri, mirror=open_mirror(f"sqlite:///{path}"))
        if notice is None
        else _open_by_client(uri, notice)
    )


def _obstacle(path: Path) -> str | None:
    with reading(path) as connection:
        return obstacle(connection, path)


def _open_by_client(uri: str, notice: str | None) -> Store:
    source = ClientSource(uri)
    source.experiments()
    return RemoteStore(uri, source=source, notice=notice)
