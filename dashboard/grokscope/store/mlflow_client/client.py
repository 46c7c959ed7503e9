"""MLflow's own client: the one place of the reading side where it is opened."""

import importlib
from typing import Any

from grokscope.schemas import OtherVersionError, check_version
from grokscope.schemas.secrets import redacted
from grokscope.store.errors import SchemaError


def open_client(uri: str) -> tuple[Any, Any]:
    """Return the module ``mlflow``, and its client on ``uri``.

    Raises:
        SchemaError: If the store is of another MLflow: opening it would migrate it.
        Exception: Whatever MLflow, or what is below it, raises; see ``explained``.
    """
    require_version(uri)
    # By name, because mlflow costs seconds to import and is only needed from here on.
    mlflow: Any = importlib.import_module("mlflow")
    return mlflow, mlflow.MlflowClient(tracking_uri=uri)


def require_version(uri: str) -> None:
    """Return if MLflow's client may open ``uri``.

    Raises:
        SchemaError: If it would migrate the store, or cannot read it.
    """
    try:
        check_version(uri, shown=redacted(uri))
    except OtherVersionError as error:
        raise SchemaError(f"{error}.") from error
