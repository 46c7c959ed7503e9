"""Is there a database, may we in, and is it MLflow's? Asked before MLflow's client is.

The client would retry a dead address for many minutes, and would write its own tables into a database that
has none.
"""

from grokscope.schemas.extras import Extra, missing
from grokscope.schemas.mlflow_versions import open_database
from grokscope.schemas.secrets import redacted
from grokscope.store.errors import (
    AccessError,
    MissingStoreError,
    SchemaError,
    StoreError,
    UnknownStoreError,
    UnreachableError,
)

_REFUSALS = ("authentication failed", "no password supplied", "Access denied", "permission denied")


def check_database(uri: str) -> None:
    """Return if MLflow's tables are at ``uri``.

    Raises:
        StoreError: The subclass says what is wrong.
    """
    tables = _tables(uri)
    if not {"alembic_version", "experiments", "runs", "metrics"} <= tables:
        found = ", ".join(sorted(tables)[:5]) or "none"
        raise SchemaError(
            f"{redacted(uri)} is a database but not MLflow's: tables experiments, runs, metrics and "
            f"alembic_version expected, found {found}. Point --store at an MLflow store."
        )


def _tables(uri: str) -> frozenset[str]:
    shown = redacted(uri)
    try:
        with open_database(uri) as database:
            return database.tables
    except ImportError as error:
        said = missing(shown, error.name or "its driver", Extra.APP)
        raise StoreError(f"{said}, and add the driver if the database is not PostgreSQL") from error
    except Exception as error:  # every driver raises its own
        # SQLAlchemy adds a second line with a link to its manual.
        raise unanswered(shown, redacted(str(error)).partition("(Background")[0].strip()) from error


def unanswered(shown: str, said: str) -> StoreError:
    """Return the error for a database ``shown`` that did not let us in, whose driver ``said`` why."""
    said = " ".join(said.split())[:200]
    if "Can't load plugin" in said or "Could not parse" in said:
        return UnknownStoreError(
            f"{shown} is not an address that SQLAlchemy knows: {said}. Check its first part."
        )
    if any(sign in said for sign in _REFUSALS):
        return AccessError(f"{shown} refuses: {said}. Check user, password and rights in the address.")
    if "does not exist" in said or "Unknown database" in said:
        return MissingStoreError(f"{shown} is not there: {said}. Create the database, or check its name.")
    return UnreachableError(f"{shown} cannot be reached: {said}. Start the database, or check the address.")
