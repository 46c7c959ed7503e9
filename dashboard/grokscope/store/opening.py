"""Which store is behind an address."""

from pathlib import Path

from grokscope.schemas.addresses import Address, Kind, UnknownAddressError, address_of
from grokscope.schemas.mlflow_versions import CONNECT_S
from grokscope.store.cache.location import open_mirror
from grokscope.store.database_check import check_database
from grokscope.store.deadline import Deadline
from grokscope.store.errors import SchemaError, StoreError, UnknownStoreError
from grokscope.store.mlflow_client.transport import ClientTransport
from grokscope.store.parquet import ParquetStore, ParquetTransport
from grokscope.store.postgres.transport import PostgresTransport
from grokscope.store.protocol import Store
from grokscope.store.remote.store import RemoteStore
from grokscope.store.rest.transport import RestTransport
from grokscope.store.sqlite.file import InterruptedWriteError, reading, roll_back
from grokscope.store.sqlite.schema import obstacle
from grokscope.store.sqlite.store import SqliteStore

CHECK_S = 2.0 * CONNECT_S
"""Longest time until it is known whether MLflow's tables are in a database."""


def open_store(uri: str, *, mirrored: bool = True) -> Store:
    """Return the store at ``uri``, checked: somebody is there, and it is MLflow.

    Args:
        uri: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``http(s)://host``, ``postgresql://…``,
            ``parquet:///folder``, or another database that MLflow's own client can open.
        mirrored: Keep what is read on the local disk, and begin with what is kept there.

    Raises:
        StoreError: The subclass says what is wrong, the message what to do about it.

    >>> from grokscope.store import UnknownStoreError
    >>> try:
    ...     open_store("ftp://host")
    ... except UnknownStoreError as error:
    ...     print(str(error).partition(". ")[0])
    'ftp://host' has the unknown scheme 'ftp'
    """
    try:
        address = address_of(uri)
    except UnknownAddressError as error:
        raise UnknownStoreError(str(error)) from None
    match address:
        case Address(kind=Kind.SQLITE, path=Path() as path):
            return _open_sqlite(path, mirrored=mirrored)
        case Address(kind=Kind.PARQUET, path=Path() as path):
            return _open_folder(path)
        case Address(kind=Kind.SERVER):
            return _open_server(address, mirrored=mirrored)
        case Address(kind=Kind.POSTGRES):
            return _open_postgres(address, mirrored=mirrored)
        case Address(kind=Kind.DATABASE):
            return _open_database(address)
        case _:
            raise UnknownStoreError(f"{address.shown!r} {address.why_not_read}.")


def _open_sqlite(path: Path, *, mirrored: bool) -> Store:
    uri = f"sqlite:///{path}"
    try:
        notice = _obstacle(path)
    except InterruptedWriteError:
        roll_back(path)
        notice = _obstacle(path)
    if notice is not None:
        return _open_by_client(uri, notice)
    return SqliteStore(path, mirror=open_mirror(uri) if mirrored else None)


def _open_server(address: Address, *, mirrored: bool) -> Store:
    transport = RestTransport(address.uri)
    transport.experiments()
    return RemoteStore(
        address.uri, transport=transport, mirror=open_mirror(address.uri) if mirrored else None
    )


def _open_folder(path: Path) -> Store:
    transport = ParquetTransport(path)
    transport.experiments()
    return ParquetStore(f"parquet:///{path}", transport=transport)


def _open_database(address: Address) -> Store:
    _check_database(address)
    notice = (
        f"{address.shown} is read through MLflow's own client: only SQLite and PostgreSQL are read directly."
    )
    return _open_by_client(address.uri, notice)


def _open_postgres(address: Address, *, mirrored: bool) -> Store:
    _check_database(address)
    try:
        transport = PostgresTransport(address.uri)
        notice = transport.obstacle(address.shown)
    except ImportError as error:
        notice = (
            f"{address.shown} is read through MLflow's own client, which is slower: {error.name} is not "
            "installed."
        )
        return _open_by_client(address.uri, notice)
    except SchemaError:
        raise
    except StoreError as error:
        # SQLAlchemy knows ways to connect that PostgreSQL's own library does not.
        notice = f"It is read through MLflow's own client, which is slower: {error}"
        return _open_by_client(address.uri, notice)
    if notice is not None:
        return _open_by_client(address.uri, notice)
    return RemoteStore(
        address.uri, transport=transport, mirror=open_mirror(address.uri) if mirrored else None
    )


def _open_by_client(uri: str, notice: str) -> Store:
    transport = ClientTransport(uri)
    transport.experiments()
    return RemoteStore(uri, transport=transport, notice=notice)


def _check_database(address: Address) -> None:
    Deadline(address.shown).ask(lambda _: check_database(address.uri), silence_s=CHECK_S, whole_s=CHECK_S)


def _obstacle(path: Path) -> str | None:
    with reading(path) as connection:
        return obstacle(connection, path)
