"""Which MLflow a database is of, by the revision that it notes, and whether the MLflow here may open it.

MLflow's client migrates an older database as soon as it opens it, without a word, and clients and servers of
the older version then fail. So this is asked before a database is opened through that client.
"""

import importlib
import re
import sqlite3
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from grokscope.schemas.addresses import Kind, UnknownAddressError, address_of
from grokscope.schemas.errors import GrokscopeError
from grokscope.schemas.extras import Extra, require

_BUSY_S = 5.0
_NOTED = re.compile(r"^(revision|down_revision) = [\"'](\w+)[\"']", re.MULTILINE)
CONNECT_S = 5
"""Longest time until a database server has answered that we may in."""

RELEASES: Mapping[str, str] = MappingProxyType(
    {
        "97727af70f4d": "1.29 to 2.2",
        "3500859a5d39": "2.3",
        "7f2a7d5fae7d": "2.4 to 2.7",
        "acf3f17fdcc7": "2.8 to 2.12",
        "867495a8f9d4": "2.13",
        "5b0e9adcef9c": "2.14",
        "4465047574b1": "2.15 to 2.16",
        "f5a4f2784254": "2.17",
        "0584bdc529eb": "2.18 to 2.22",
        "6953534de441": "3.0 to 3.1",
        "bda7b8c39065": "3.0 to 3.1",
        "770bee3ae1dd": "3.2",
        "1a0cddfcaa16": "3.3",
        "71994744cf8e": "3.4",
        "bf29a5ff90ea": "3.5 to 3.7",
        "1bd49d398cd23": "3.8",
        "d3e4f5a6b7c8": "3.9",
        "1b5f0d9ad7c1": "3.10",
        "c3d6457b6d8a": "3.11",
        "7d34483879f0": "3.12",
        "da6fb0208061": "3.13",
        "b7e4c1a90f23": "3.14",
        "6f8d9c3b2a1e": "3.15",
        "b7e2c1a4d9f3": "3.16",
        "dc11669786a5": "3.17",
        "f4a9b2c7d1e6": "3.18",
    }
)
"""The revision with which releases of MLflow leave a database -> those releases."""


class OtherVersionError(GrokscopeError):
    """A database of an older or newer MLflow than the one that is installed.

    Attributes:
        revision: What it notes; empty if it notes nothing.
        is_older: Whether the MLflow here could migrate it.
    """

    def __init__(self, message: str, *, revision: str, is_older: bool) -> None:
        super().__init__(message)
        self.revision = revision
        self.is_older = is_older


def check_version(uri: str, *, shown: str) -> None:
    """Return if MLflow's client may open ``uri``: it is a server, holds nothing yet, or is of its version.

    Args:
        uri: The store's address.
        shown: The address without credentials, for the message.

    Raises:
        MissingExtraError: If it is a database and nothing is installed that its client writes with.
        OtherVersionError: If the client would migrate the database, or cannot read it; the message is one
            sentence with the remedy.
        Exception: What sqlite3 or SQLAlchemy raise if the database cannot be asked.

    >>> check_version("http://127.0.0.1:5000", shown="http://127.0.0.1:5000")
    """
    require_database_parts(uri, shown=shown)
    known = installed_revisions()
    found = revision_of(uri)
    if found is None or not known or found == known[-1]:
        return
    here = f"MLflow {_installed()} here"
    if found in known or not found:
        raise OtherVersionError(
            f"{shown} is a store of {release_of(found)}, which {here} would migrate to its own schema "
            f"({known[-1]}); clients and servers of the older version then fail. Nothing is written to it. "
            f"{upgrade_remedy(shown)}; or keep it, and write through a server of that version",
            revision=found,
            is_older=True,
        )
    raise OtherVersionError(
        f"{shown} is a store of {release_of(found)}, which {here} does not know, so nothing is written to "
        "it. Install that version of MLflow here (pip install --upgrade mlflow)",
        revision=found,
        is_older=False,
    )


def require_database_parts(uri: str, *, shown: str) -> None:
    """Return if MLflow's client can write to ``uri`` with what is installed; a server needs nothing more.

    Raises:
        MissingExtraError: If it is a database, for which MLflow needs SQLAlchemy and Alembic.

    >>> require_database_parts("http://127.0.0.1:5000", shown="http://127.0.0.1:5000")
    """
    with suppress(UnknownAddressError):
        if address_of(uri).kind in (Kind.SQLITE, Kind.POSTGRES, Kind.DATABASE):
            require(Extra.APP, "sqlalchemy", "alembic", what=f"MLflow on {shown}")


def other_version(uri: str, *, shown: str) -> OtherVersionError | None:
    """Return what ``check_version`` raises; ``None`` too if the store cannot be asked now.

    For who tells it before MLflow is imported; whoever opens the store then finds out the rest.

    >>> other_version("sqlite:////no/such/file.db", shown="a file") is None
    True
    """
    try:
        check_version(uri, shown=shown)
    except OtherVersionError as error:
        return error
    except Exception:  # noqa: BLE001 - every driver raises its own
        return None
    return None


def upgrade_remedy(shown: str) -> str:
    """Return how a store is brought to the version that is installed, in one sentence without its end.

    >>> print(upgrade_remedy("sqlite:////data/mlflow.db").partition(", make ")[2])
    a copy, and run 'grokscope up --store sqlite:////data/mlflow.db --upgrade-store' (or `mlflow db upgrade` \
with its address)
    """
    return (
        f"To upgrade it, stop what writes to it, make a copy, and run 'grokscope up --store {shown} "
        "--upgrade-store' (or `mlflow db upgrade` with its address)"
    )


def release_of(revision: str) -> str:
    """Return which MLflow leaves a database at ``revision``.

    >>> release_of("0584bdc529eb"), release_of("0123456789ab"), release_of("")
    ('MLflow 2.18 to 2.22 (schema 0584bdc529eb)', 'another MLflow (schema 0123456789ab)', 'MLflow 0')
    """
    if not revision:
        return "MLflow 0"
    if revision in RELEASES:
        return f"MLflow {RELEASES[revision]} (schema {revision})"
    known = installed_revisions()
    later = known[known.index(revision) :] if revision in known else ()
    following = next((RELEASES[name] for name in later if name in RELEASES), None)
    who = "another MLflow" if following is None else f"an MLflow before {following.partition(' ')[0]}"
    return f"{who} (schema {revision})"


def revision_of(uri: str) -> str | None:
    """Return the revision that a database notes, empty if none is noted in it.

    Returns:
        ``None`` for whatever MLflow's client cannot migrate: a server, a file that is not there, and a
        database without experiments, which is none of MLflow's yet or is just being made.

    >>> revision_of("sqlite:////no/such/file.db") is None
    True
    """
    try:
        address = address_of(uri)
    except UnknownAddressError:
        return None
    if address.path is not None:
        return _of_file(address.path) if address.kind is Kind.SQLITE and address.path.exists() else None
    if address.kind not in (Kind.POSTGRES, Kind.DATABASE):
        return None
    with open_database(address.uri) as database:
        return _noted(database)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database that is open: the names of its tables, and the first row of a query or ``None``."""

    tables: frozenset[str]
    first_row: Callable[[str], Any]


@contextmanager
def open_database(uri: str) -> Generator[Database]:
    """Connect through SQLAlchemy, which has ``CONNECT_S`` for it, and close the connection.

    Raises:
        ImportError: If SQLAlchemy or the driver is not installed.
        Exception: What the driver raises if nobody answers, or we may not in.
    """
    # By name: only who has such a database needs SQLAlchemy.
    sqlalchemy: Any = importlib.import_module("sqlalchemy")
    limit = {} if uri.startswith("mssql") else {"connect_timeout": CONNECT_S}
    engine = sqlalchemy.create_engine(uri, connect_args=limit, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        yield Database(
            tables=frozenset(sqlalchemy.inspect(connection).get_table_names()),
            first_row=lambda query: connection.execute(sqlalchemy.text(query)).first(),
        )


@cache
def installed_revisions() -> tuple[str, ...]:
    """Return the revisions that the installed MLflow knows, the oldest first; none without its SQL part."""
    spec = find_spec("mlflow")
    folders = (spec and spec.submodule_search_locations) or ()
    scripts = [p for f in folders for p in Path(f).glob("store/db_migrations/versions/*.py")]
    # Read, not imported: importing one imports all of MLflow.
    noted = [dict(_NOTED.findall(script.read_text("utf-8"))) for script in scripts]
    after = {script.get("down_revision", ""): script["revision"] for script in noted if "revision" in script}
    found: list[str] = []
    while (following := after.get(found[-1] if found else "")) is not None:
        found.append(following)
    return tuple(found)


def _installed() -> str:
    for name in ("mlflow", "mlflow-skinny"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return ""


def _of_file(path: Path) -> str | None:
    # Not read-only, so that a commit which a dead writer left half-written is rolled back, as by MLflow.
    address = f"{path.as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, uri=True, timeout=_BUSY_S)) as connection:
        listed = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = frozenset(str(name) for (name,) in listed)
        return _noted(Database(tables=tables, first_row=lambda query: connection.execute(query).fetchone()))


def _noted(database: Database) -> str | None:
    # MLflow writes its first experiment once all its tables are made.
    is_made = "experiments" in database.tables
    if not is_made or database.first_row("SELECT experiment_id FROM experiments") is None:
        return None
    if "alembic_version" not in database.tables:
        return ""
    row = database.first_row("SELECT version_num FROM alembic_version")
    return "" if row is None else str(row[0])
