"""Addresses of stores: which one is meant, and what kind it is."""

import re
from enum import StrEnum
from pathlib import Path

from grokscope.schemas.secrets import redacted
from grokscope.store.errors import UnknownStoreError

_SCHEME = re.compile(r"^([a-z][a-z0-9]*)(?:\+[a-z0-9]+)?://", re.IGNORECASE)
_ALLOWED = "Allowed: sqlite:///PATH, http(s)://HOST, postgresql://HOST/DATABASE, parquet:///FOLDER."


class Transport(StrEnum):
    """How a store is reached."""

    SQLITE = "sqlite"
    HTTP = "http"
    DATABASE = "database"
    PARQUET = "parquet"


_TRANSPORTS = {
    "sqlite": Transport.SQLITE,
    "http": Transport.HTTP,
    "https": Transport.HTTP,
    "parquet": Transport.PARQUET,
    "postgresql": Transport.DATABASE,
    "postgres": Transport.DATABASE,
    "mysql": Transport.DATABASE,
    "mssql": Transport.DATABASE,
}


def transport_of(uri: str) -> Transport:
    """Return how ``uri`` is reached.

    Raises:
        UnknownStoreError: If it is no address of a store, or of a kind that is not read.

    >>> str(transport_of("https://mlflow.example.org"))
    'http'
    """
    found = _SCHEME.match(uri)
    if found is None:
        hint = f" Did you mean sqlite:///{redacted(uri)}?" if uri.endswith((".db", ".sqlite")) else ""
        raise UnknownStoreError(f"{redacted(uri)!r} is not the address of a store.{hint} {_ALLOWED}")
    scheme = found.group(1).lower()
    if scheme == "file":
        raise UnknownStoreError(
            f"{redacted(uri)!r} is a folder store, which MLflow 3 no longer opens. "
            f"Move it into a database with `mlflow migrate-filestore`. {_ALLOWED}"
        )
    if scheme not in _TRANSPORTS:
        raise UnknownStoreError(f"{redacted(uri)!r} has the unknown scheme {scheme!r}. {_ALLOWED}")
    return _TRANSPORTS[scheme]


def local_path(uri: str) -> Path:
    """Return the absolute path behind a ``sqlite:`` or ``parquet:`` address.

    Three slashes start a path relative to the working folder, four an absolute one, as in SQLAlchemy.

    Raises:
        UnknownStoreError: If the address names no file.

    >>> local_path("sqlite:////data/mlflow.db").as_posix()
    '/data/mlflow.db'
    """
    scheme, _, rest = uri.partition("://")
    name = rest.removeprefix("/").partition("?")[0]
    if not rest.startswith("/") or name in ("", ":memory:"):
        raise UnknownStoreError(
            f"{redacted(uri)!r} names no file. Write {scheme}:///relative/path or {scheme}:////absolute/path."
        )
    return Path(name).absolute()


sqlite_path = local_path
