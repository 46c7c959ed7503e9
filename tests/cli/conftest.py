from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient


@pytest.fixture(scope="session")
def blank_store(tmp_path_factory) -> Path:
    """An empty MLflow store, to be copied; MLflow takes seconds to make one."""
    path = tmp_path_factory.mktemp("blank") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch):
    """Let lines be as wide as where nothing tells a width; pytest-xdist tells its workers 80 columns."""
    monkeypatch.delenv("COLUMNS", raising=False)
