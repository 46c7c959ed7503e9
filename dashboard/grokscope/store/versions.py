"""Of which MLflow a store is, as the reading side asks: may its client open it, and what is said of it."""

from importlib.metadata import version

from grokscope.schemas import OtherVersionError, check_version, release_of, revision_of, upgrade_remedy
from grokscope.schemas.secrets import redacted
from grokscope.store.errors import SchemaError
from grokscope.store.findings import Finding, Health


def require_version(uri: str) -> None:
    """Return if MLflow's client may open ``uri``.

    Raises:
        SchemaError: If it would migrate the store, or cannot read it.
        Exception: What the database's driver raises if it cannot be asked.
    """
    try:
        check_version(uri, shown=redacted(uri))
    except OtherVersionError as error:
        raise SchemaError(f"{error}.") from error


def require_version_to_read(uri: str, *, shown: object, lacks: str) -> None:
    """Return if MLflow's client can read a store that is not read directly.

    Args:
        uri: Its address.
        shown: What to call it.
        lacks: Why it is not read directly.

    Raises:
        SchemaError: If the client would migrate it, or cannot read it either.
    """
    try:
        check_version(uri, shown=redacted(uri))
    except OtherVersionError as error:
        remedy = (
            f"{upgrade_remedy(redacted(uri))}; clients and servers of the older version then fail"
            if error.is_older
            else "Install a grokscope that knows it (pip install --upgrade grokscope mlflow)"
        )
        raise SchemaError(
            f"{shown} is a store of {release_of(error.revision)} and cannot be read: {lacks}. {remedy}."
        ) from error


def installed() -> str:
    """Return which MLflow is here, as a part of a sentence.

    >>> installed().startswith("mlflow ")
    True
    """
    return f"mlflow {version('mlflow-skinny')} here"


def database_version(uri: str) -> Finding:
    """Return of which MLflow a database is, and whether the one here writes to it.

    Raises:
        Exception: What the database's driver raises if it cannot be asked.
    """
    revision = revision_of(uri)
    says = f"{'no version noted' if revision is None else release_of(revision)} there, {installed()}"
    try:
        check_version(uri, shown=redacted(uri))
    except OtherVersionError as error:
        says = f"{says}, which reads it and writes nothing to it"
        return Finding(subject="version", health=Health.WARN, says=says, remedy=f"{error}.")
    return Finding(subject="version", health=Health.OK, says=says)
