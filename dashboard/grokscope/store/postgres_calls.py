"""Statements to a PostgreSQL server: read-only, with a time limit, and every failure named."""

import importlib
import re
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import Any

import polars as pl

from grokscope.schemas.secrets import redacted
from grokscope.store.database_check import CONNECT_S, unanswered
from grokscope.store.errors import AccessError, BusyStoreError, SchemaError, StoreError

STATEMENT_S = 30
"""Longest time for one statement; then the server ends it."""

_SETTINGS = (
    "SET default_transaction_read_only = on",
    f"SET statement_timeout = '{STATEMENT_S}s'",
)
# SQLSTATE classes, as the driver gives them at the end of its message or by itself.
_KINDS: tuple[tuple[str, type[StoreError], str], ...] = (
    (
        "57014|55P03|statement timeout",
        BusyStoreError,
        "It is tried again at the next refresh; look at the server's load.",
    ),
    ("42501", AccessError, "Give the user the right to SELECT from MLflow's tables."),
    ("42P01|42703", SchemaError, "Stop its writers, make a copy, and run `mlflow db upgrade` on it."),
)


class PostgresCalls:
    """One connection through ADBC, opened when needed and again after a failure; for several threads.

    Args:
        uri: As MLflow takes it, with or without the name of a driver.
    """

    def __init__(self, uri: str) -> None:
        self._shown = redacted(uri)
        self._address = libpq_uri(uri)
        self._connection: Any = None  # first, since an object without a driver ends too
        self._driver: Any = importlib.import_module("adbc_driver_postgresql.dbapi")
        self._lock = Lock()

    def ask(self, statement: str, values: Sequence[Any] = ()) -> pl.DataFrame:
        """Return the rows of a statement with ``$1`` and so on for its values.

        Raises:
            StoreError: The subclass says what is wrong.
        """
        with self._lock:
            try:
                return self._rows(statement, values)
            except (self._driver.Error, pl.exceptions.ComputeError) as error:  # the latter while rows arrive
                was_open = self._connection is not None
                self.close()
                raise self._explained(error, was_open=was_open) from error

    def close(self) -> None:
        """End the connection; the next question opens another."""
        if self._connection is not None:
            with suppress(self._driver.Error):
                self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        self.close()

    def _rows(self, statement: str, values: Sequence[Any]) -> pl.DataFrame:
        if self._connection is None:
            self._connection = self._driver.connect(self._address, autocommit=True)
            for setting in _SETTINGS:
                with self._connection.cursor() as cursor:
                    cursor.execute(setting)
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return pl.DataFrame(cursor.fetch_arrow())

    def _explained(self, error: Exception, *, was_open: bool) -> StoreError:
        said = redacted(" ".join(str(error).split()))
        state = str(getattr(error, "sqlstate", "") or said)
        for sign, kind, remedy in _KINDS:
            if re.search(sign, state):
                return kind(f"{self._shown}: {said[:200]}. {remedy}")
        if was_open and "onnection" not in said:
            return StoreError(f"{self._shown} could not be read: {said[:200]}. See the log of the server.")
        return unanswered(self._shown, said)


def libpq_uri(uri: str) -> str:
    """Return the address as PostgreSQL's own library takes it: no SQLAlchemy driver, but a time limit.

    >>> libpq_uri("postgresql+psycopg2://ann@db/mlflow")
    'postgresql://ann@db/mlflow?connect_timeout=5'
    """
    plain = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", uri, flags=re.IGNORECASE)
    return f"{plain}{'&' if '?' in plain else '?'}connect_timeout={CONNECT_S}"
