"""Statements to a PostgreSQL server: read-only, with a time limit, and every failure named."""

import importlib
import re
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import Any

import polars as pl

from grokscope.schemas.mlflow_versions import CONNECT_S
from grokscope.schemas.secrets import redacted
from grokscope.store.database_check import unanswered
from grokscope.store.deadline import Deadline
from grokscope.store.errors import AccessError, BusyStoreError, SchemaError, StoreError

STATEMENT_S = 30
"""Longest time for one statement; then the server ends it."""

ANSWER_S = CONNECT_S + STATEMENT_S
"""Longest time for an answer, whatever is between the server and here."""

KEPT = 4
"""Connections that are kept for the next questions; questions asked at once have one each."""

# A connection whose other end is gone, or cut off, is found dead within half a minute.
_LIMITS = (
    f"connect_timeout={CONNECT_S}&tcp_user_timeout=30000"
    "&keepalives=1&keepalives_idle=10&keepalives_interval=5&keepalives_count=4"
)
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


# The server has ended the connection, or what lies between has: no word about the statement.
_LOST = (
    r"(?i)^08|^57P0|closed the connection|no connection to the server|broken pipe|"
    r"could not (receive|send) data|connection\b.*\b(lost|reset|closed|timed out)"
)


class PostgresCalls:
    """Connections through ADBC, opened when needed and again after a failure; for several threads.

    Args:
        uri: As MLflow takes it, with or without the name of a driver.
    """

    def __init__(self, uri: str) -> None:
        self._shown = redacted(uri)
        self._address = libpq_uri(uri)
        self._free: list[Any] = []  # first, since an object without a driver ends too
        self._driver: Any = importlib.import_module("adbc_driver_postgresql.dbapi")
        self._deadline = Deadline(self._shown)
        self._lock = Lock()

    def ask(self, statement: str, values: Sequence[Any] = ()) -> pl.DataFrame:
        """Return the rows of a statement with ``$1`` and so on for its values.

        Raises:
            StoreError: The subclass says what is wrong.
        """
        return self._deadline.ask(
            lambda _: self._answer(statement, values), silence_s=ANSWER_S, whole_s=ANSWER_S
        )

    def close(self) -> None:
        """End the connections; the next question opens another."""
        with self._lock:
            free, self._free = self._free, []
        for connection in free:
            self._end(connection)

    def __del__(self) -> None:
        for connection in self._free:
            self._end(connection)

    def _answer(self, statement: str, values: Sequence[Any]) -> pl.DataFrame:
        with self._lock:
            connection = self._free.pop() if self._free else None
        is_let_in = connection is not None
        try:
            if connection is None:
                connection = self._driver.connect(self._address, autocommit=True)
                for setting in _SETTINGS:
                    with connection.cursor() as cursor:
                        cursor.execute(setting)
                is_let_in = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                rows = pl.DataFrame(cursor.fetch_arrow())
        except (self._driver.Error, pl.exceptions.PolarsError) as error:  # the latter while rows arrive
            if connection is not None:
                self._end(connection)
            self.close()  # the others may be as broken, if the server has ended
            raise self._explained(error, is_let_in=is_let_in) from error
        self._keep(connection)
        return rows

    def _keep(self, connection: Any) -> None:
        with self._lock:
            if len(self._free) < KEPT:
                self._free.append(connection)
                return
        self._end(connection)

    def _end(self, connection: Any) -> None:
        with suppress(self._driver.Error):
            connection.close()

    def _explained(self, error: Exception, *, is_let_in: bool) -> StoreError:
        said = redacted(" ".join(str(error).split()))
        state = str(getattr(error, "sqlstate", "") or said)
        for sign, kind, remedy in _KINDS:
            if re.search(sign, state):
                return kind(f"{self._shown}: {said[:200]}. {remedy}")
        if is_let_in and not re.search(_LOST, f"{state} {said}"):
            return StoreError(f"{self._shown} could not be read: {said[:200]}. See the log of the server.")
        return unanswered(self._shown, said)


def libpq_uri(uri: str) -> str:
    """Return the address as PostgreSQL's own library takes it: no SQLAlchemy driver, but time limits.

    >>> libpq_uri("postgresql+psycopg2://ann@db/mlflow").split("&")[:2]
    ['postgresql://ann@db/mlflow?connect_timeout=5', 'tcp_user_timeout=30000']
    """
    plain = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", uri, flags=re.IGNORECASE)
    return f"{plain}{'&' if '?' in plain else '?'}{_LIMITS}"
