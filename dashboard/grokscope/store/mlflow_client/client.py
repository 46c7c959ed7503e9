"""MLflow's own client: the one place of the reading side where it is opened."""

import importlib
from typing import Any

from grokscope.schemas.files.new_sqlite import made_whole
from grokscope.store.errors import no_experiment
from grokscope.store.versions import require_version


def open_client(uri: str) -> tuple[Any, Any]:
    """Return the module ``mlflow``, and its client on ``uri``; a SQLite file that is missing is made.

    Raises:
        SchemaError: If the store is of another MLflow: opening it would migrate it.
        Exception: Whatever MLflow, or what is below it, raises; see ``explained``.
    """
    require_version(uri)
    # By name, because mlflow costs seconds to import and is only needed from here on.
    mlflow: Any = importlib.import_module("mlflow")
    made_whole(uri, lambda new: mlflow.MlflowClient(tracking_uri=new).search_experiments(max_results=1))
    return mlflow, mlflow.MlflowClient(tracking_uri=uri)


def experiment_named(client: Any, name: str) -> Any:
    """Return MLflow's record of an active experiment.

    Raises:
        ExperimentNotFoundError: If none has the name.
        Exception: Whatever MLflow raises; see ``explained``.
    """
    found = client.get_experiment_by_name(name)
    if found is None or found.lifecycle_stage != "active":
        raise no_experiment(name)
    return found
