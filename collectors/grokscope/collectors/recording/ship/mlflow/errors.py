"""What MLflow's errors mean for a shipper: try again, smaller, or never."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import mlflow.exceptions

from grokscope.collectors.recording.ship.run_store import Refused, RunGone, TooSlow, Unavailable
from grokscope.schemas.secrets import redacted

# Codes that will not change by asking again. Everything else is worth another try.
_FINAL = frozenset(
    {"INVALID_PARAMETER_VALUE", "BAD_REQUEST", "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS"}
)
# SQLite, PostgreSQL, MySQL: somebody else has written the same row at the same instant, and is done with it.
_RACE = re.compile(r"UNIQUE constraint failed|UniqueViolation|Duplicate entry")


@contextmanager
def translated() -> Generator[None]:
    """Raise what a shipper understands for what MLflow raises.

    Raises:
        Refused: If MLflow says that it will never do this.
        TooSlow: If it did not answer in time.
        Unavailable: If it may do it later.
    """
    try:
        yield
    except (RunGone, Refused, Unavailable):
        raise
    except mlflow.exceptions.MlflowException as error:
        text = _first_line(error)
        if _is_final(error):
            raise Refused(text) from error
        if "timed out" in text.lower():
            raise TooSlow(text) from error
        raise Unavailable(text) from error
    except Exception as error:
        # For instance protobuf's ParseError, when something else than MLflow answers with JSON of its own.
        raise Unavailable(_first_line(error)) from error


@contextmanager
def reading() -> Generator[None]:
    """Do as ``translated``, but take no refusal: a store that cannot even be read is in trouble."""
    try:
        with translated():
            yield
    except Refused as error:
        raise Unavailable(str(error)) from error


def _first_line(error: Exception) -> str:
    # SQLAlchemy may begin with when it noticed, instead of with what.
    lines = [x for x in redacted(str(error)).splitlines() if not x.startswith("(raised as a")]
    return lines[0] if lines else type(error).__name__


def _is_final(error: mlflow.exceptions.MlflowException) -> bool:
    code: Any = error.error_code
    # A REST answer without a code of MLflow's comes from something else, for instance a proxy.
    text = str(error)
    return code in _FINAL and "API request to" not in text and _RACE.search(text) is None
