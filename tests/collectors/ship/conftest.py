"""A real, empty MLflow store in SQLite, made once and copied, since making one takes seconds."""

import shutil
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from grokscope.collectors.ship.mlflow_sink import MlflowSink
from grokscope.collectors.spool import Meta, SpoolWriter, create_spool, process_born


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("template") / "mlflow.db"
    MlflowSink(f"sqlite:///{path}")._connected()
    return path


@pytest.fixture
def store(empty_store, tmp_path) -> str:
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path}/mlflow.db"


@pytest.fixture
def client(store) -> MlflowClient:
    return MlflowClient(store)


@pytest.fixture
def new_spool(tmp_path, store):
    """Give a function that opens a spool whose writer is a process that has died, or this one."""

    def make(run_id: str = "run-a", *, is_alive: bool = False, **changes):
        born = process_born(1) if is_alive else "1"
        meta = Meta(
            **{"run_id": run_id, "store": store, "experiment": "e", "name": run_id, "start_ms": 1000}
            | {"pid": 1, "born": born}
            | changes
        )
        folder = create_spool(tmp_path / "home", meta)
        return folder, meta, SpoolWriter(folder)

    return make
