"""What MLflow's own client says, as a ``StoreError``."""

import re
from collections.abc import Generator
from contextlib import contextmanager

from grokscope.schemas.extras import Extra, MissingExtraError, missing
from grokscope.schemas.secrets import redacted
from grokscope.store.errors import (
    AccessError,
    BusyStoreError,
    NoRoomError,
    RunNotFoundError,
    SchemaError,
    ServerFailedError,
    StoreError,
    UnreachableError,
)

_SHOWN = 200

# SQLAlchemy adds the statement with what was to be written, which may say anything, and a link to its manual.
_ADDED = re.compile(r"\s*(\[SQL: |\[parameters: |\(Background on this error at: ).*")

# SQLite's words, PostgreSQL's, and the system's.
_FULL = (
    r"database or disk is full|disk I/O error|could not (extend|write to) file|"
    "No space left on device|File too large|[Qq]uota exceeded"
)

# First match wins; MLflow's error code stands in front of its words.
_SIGNS: tuple[tuple[str, type[StoreError], str], ...] = (
    (
        _FULL,
        NoRoomError,
        "The disk is full, or takes no more: free some room and run it again, which goes on from here.",
    ),
    (
        r"out-of-date database schema|Can't locate revision|no such (table|column)|UndefinedColumn",
        SchemaError,
        "Stop its writers, make a copy, and run `mlflow db upgrade` on it.",
    ),
    (r"^RESOURCE_DOES_NOT_EXIST", RunNotFoundError, "Choose another run, or restore it."),
    (
        r"^UNAUTHENTICATED|^PERMISSION_DENIED|error code 40[13]\b|readonly database|[Pp]ermission denied",
        AccessError,
        "Check the credentials (MLFLOW_TRACKING_USERNAME and _PASSWORD, or _TOKEN) and rights.",
    ),
    (
        r"database is locked|^TEMPORARILY_UNAVAILABLE|[Tt]imed out|timeout exception",
        BusyStoreError,
        "Try again; if this lasts, look for a stuck process, or at the server's load.",
    ),
    (
        r"Connection refused|Max retries exceeded|connection failed|Connection reset",
        UnreachableError,
        "Start the server, or check the address.",
    ),
)


@contextmanager
def explained(uri: str) -> Generator[None]:
    """Raise a ``StoreError`` in place of whatever MLflow's client, or what is below it, raises."""
    try:
        yield
    except (StoreError, MissingExtraError):
        raise
    except ImportError as error:
        needed = error.name or "all of mlflow"
        raise StoreError(
            f"{missing(redacted(uri), needed, Extra.APP)}, or install {needed} itself"
        ) from error
    except Exception as error:  # MLflow lets errors of every library below it through
        raise _translated(error, redacted(uri)) from error


def _translated(error: Exception, shown: str) -> StoreError:
    words = redacted(_ADDED.sub("", " ".join(str(error).split()))).rstrip(".")
    coded = f"{getattr(error, 'error_code', '')} {words}"
    said = words if len(words) <= _SHOWN else words[:_SHOWN] + "…"
    for sign, kind, remedy in _SIGNS:
        if re.search(sign, coded):
            return kind(f"{shown}: {said}. {remedy}")
    if isinstance(error, OSError) and isinstance(error.filename, str) and error.strerror:
        place = redacted(error.filename)
        return AccessError(
            f"{shown}: {place} cannot be used: {error.strerror}. Check the path and its rights."
        )
    return ServerFailedError(f"{shown} failed: {said}. See the log of the store for the cause.")
