"""What commands that train need before they begin: torch, and a store that takes runs."""

from contextlib import suppress

from grokscope.schemas.extras import Extra, require
from grokscope.schemas.mlflow_versions import require_database_parts
from grokscope.schemas.secrets import redacted
from grokscope.store import MissingStoreError, open_store, require_version


def require_torch() -> None:
    """Check that the experiments can train here.

    Raises:
        MissingExtraError: If torch is not installed.
    """
    require(Extra.TORCH, "torch", what="training an experiment")


def require_store(uri: str) -> None:
    """Check that runs can be written to ``uri``: an MLflow store, or a SQLite file yet to be made.

    Raises:
        MissingExtraError: If it is a database, and what writes to one is not installed.
        StoreError: If nobody answers there, it is something else, or of another MLflow.
    """
    require_database_parts(uri, shown=redacted(uri))
    with suppress(MissingStoreError):
        open_store(uri).close()
        require_version(uri)
