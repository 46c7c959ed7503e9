"""What commands that train need before they begin: torch, and a store that takes runs."""

from contextlib import suppress
from importlib.util import find_spec

from grokscope.schemas import GrokscopeError
from grokscope.store import MissingStoreError, open_store, require_version


class MissingPartError(GrokscopeError):
    """A part of grokscope that is not installed."""


def require_torch() -> None:
    """Check that the experiments can train here.

    Raises:
        MissingPartError: If torch is not installed.
    """
    if find_spec("torch") is None:
        raise MissingPartError("experiments train with torch, which is not installed; run: pip install torch")


def require_store(uri: str) -> None:
    """Check that runs can be written to ``uri``: an MLflow store, or a SQLite file yet to be made.

    Raises:
        StoreError: If nobody answers there, it is something else, or of another MLflow.
    """
    with suppress(MissingStoreError):
        open_store(uri).close()
        require_version(uri)
