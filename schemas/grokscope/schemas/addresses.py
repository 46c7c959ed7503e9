"""Addresses of stores: which kind each is, and whether it is written and read. One rule for both sides."""

import re
from collections.abc import Container
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from grokscope.schemas.errors import GrokscopeError
from grokscope.schemas.secrets import redacted, redacted_source

_FORM = re.compile(r"(?P<scheme>[a-z][a-z0-9.-]*)(?:\+(?P<driver>\w+))?:(?P<slashes>//)?", re.IGNORECASE)
_HOST = re.compile(r"[\w.-]+:\d+(/.*)?")
_ALLOWED = "Allowed: sqlite:///PATH, http(s)://HOST, postgresql://HOST/DATABASE; parquet:///FOLDER to read"


class Kind(StrEnum):
    """How a store is reached."""

    SQLITE = "sqlite"
    SERVER = "server"
    POSTGRES = "postgres"
    DATABASE = "database"
    PARQUET = "parquet"
    MLFLOW = "mlflow"
    """Only through MLflow itself: Databricks, and schemes of its plugins."""


_KINDS = {
    "sqlite": Kind.SQLITE,
    "http": Kind.SERVER,
    "https": Kind.SERVER,
    "postgresql": Kind.POSTGRES,
    "mysql": Kind.DATABASE,
    "mssql": Kind.DATABASE,
    "parquet": Kind.PARQUET,
    "databricks": Kind.MLFLOW,
}
_FILES = (Kind.SQLITE, Kind.PARQUET)
_DATABASES = (Kind.SQLITE, Kind.POSTGRES, Kind.DATABASE)
# Hosts of databases give it so; SQLAlchemy has not taken it since its version 1.4.
_OTHER_NAMES = {"postgres": "postgresql"}


# SQLAlchemy decodes it.
_MISREAD = re.compile(r"%[0-9A-Fa-f]{2}")


class UnknownAddressError(GrokscopeError):
    """A text that is not the address of a store.

    Attributes:
        reason: Why, as the end of a sentence that begins with the address, without its full stop.
    """

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(f"{redacted_source(uri)!r} {reason}.")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a store is.

    Attributes:
        kind: How it is reached.
        uri: For a client, with credentials if it has some; the path of a file absolute.
        path: The file, or the folder of Parquet; ``None`` of what is not on this machine.
    """

    kind: Kind
    uri: str = field(repr=False)
    path: Path | None = None

    @property
    def shown(self) -> str:
        """The address without credentials."""
        return redacted(self.uri)

    @property
    def why_not_written(self) -> str | None:
        """Why nothing is written there, as the end of a sentence; ``None`` if MLflow writes to it."""
        if self.kind is Kind.PARQUET:
            return "is a folder of points, which is only read; write to sqlite:///PATH or to a server"
        if self.kind is Kind.SQLITE and _MISREAD.search(str(self.path)):
            return (
                "has a % with two hex digits in its path, which MLflow takes for another path; choose "
                "one without"
            )
        return None

    @property
    def why_not_read(self) -> str | None:
        """Why it is not read, as the end of a sentence; ``None`` if it is."""
        if self.kind is not Kind.MLFLOW:
            return None
        return "is a store that is only written to, through MLflow itself; look at its runs there"


def address_of(uri: str, *, plugins: Container[str] = ()) -> Address:
    """Return the store that ``uri`` is the address of.

    Three slashes start a path relative to the working folder, four an absolute one, as in SQLAlchemy. The
    name of a driver may follow that of a database; for SQLite it is left out.

    Args:
        uri: An address, as given.
        plugins: Further schemes that MLflow serves here; an empty one stands for paths.

    Raises:
        UnknownAddressError: If it is none.

    >>> address_of("sqlite+pysqlite:////data/mlflow.db")
    Address(kind=<Kind.SQLITE: 'sqlite'>, path=PosixPath('/data/mlflow.db'))
    >>> address_of("postgres://ann:secret@db/mlflow").shown
    'postgresql://db/mlflow'
    >>> address_of("wandb://x")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    UnknownAddressError: 'wandb://x' has the unknown scheme 'wandb'. Allowed: sqlite:///PATH, ...
    """
    found = _FORM.match(uri)
    scheme = found["scheme"].lower() if found else ""
    if scheme in plugins or uri == "databricks":
        return Address(kind=Kind.MLFLOW, uri=uri)
    if scheme == "file":
        raise UnknownAddressError(
            uri,
            "is a folder store, which MLflow 3 no longer opens. Move it into a database with `mlflow "
            f"migrate-filestore`. {_ALLOWED}",
        )
    if found is None or not found["slashes"]:
        raise UnknownAddressError(uri, f"is not the address of a store.{_hint(uri)} {_ALLOWED}")
    scheme = _OTHER_NAMES.get(scheme, scheme)
    kind = _KINDS.get(scheme)
    if kind is None or (found["driver"] and kind not in _DATABASES):
        raise UnknownAddressError(uri, f"has the unknown scheme {found[0].removesuffix('://')!r}. {_ALLOWED}")
    rest = uri[found.end() :]
    if kind in _FILES:
        path = _path(uri, scheme, rest)
        return Address(kind=kind, uri=f"{scheme}:///{path}", path=path)
    if kind is not Kind.MLFLOW and not rest.strip("/"):
        raise UnknownAddressError(uri, f"names no host. {_ALLOWED}")
    driver = f"+{found['driver']}" if found["driver"] else ""
    return Address(kind=kind, uri=f"{scheme}{driver}://{rest}")


def sqlite_path(uri: str) -> Path | None:
    """Return the file of a SQLite store, or ``None`` for any other address.

    >>> sqlite_path("sqlite:////data/mlflow.db")
    PosixPath('/data/mlflow.db')
    >>> sqlite_path("http://127.0.0.1:5000") is None
    True
    """
    try:
        address = address_of(uri)
    except UnknownAddressError:
        return None
    return address.path if address.kind is Kind.SQLITE else None


def _path(uri: str, scheme: str, rest: str) -> Path:
    name = rest.removeprefix("/").partition("?")[0]
    if not rest.startswith("/") or Path(name).name in ("", ":memory:"):
        raise UnknownAddressError(
            uri, f"names no file. Write {scheme}:///relative/path or {scheme}:////absolute/path. {_ALLOWED}"
        )
    path = Path(name).absolute()
    if "?" in str(path):  # of the working folder: no address can name it, for there its query would begin
        raise UnknownAddressError(
            uri, f"lies in {str(path.parent)!r}, and no address can hold a ?. {_ALLOWED}"
        )
    return path


def _hint(uri: str) -> str:
    shown = redacted(uri)
    if uri.endswith((".db", ".sqlite")):
        return f" Did you mean sqlite:///{shown.removeprefix('sqlite:')}?"
    return f" Did you mean http://{shown}?" if _HOST.fullmatch(uri) else ""
