"""A real cluster on this machine: a head and another node, a CPU each, with another home than a test's."""

import importlib
import shutil
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from grokscope.experiments.cluster import connection


@pytest.fixture(scope="module")
def cluster_home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("nodes")


@pytest.fixture(scope="module")
def cluster(cluster_home):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (connection._ENVIRONMENT | connection._ONLY_LOOPBACK).items():
            patch.setenv(name, value)
        patch.setenv("GROKSCOPE_HOME", str(cluster_home))
        patch.delenv("RAY_ADDRESS", raising=False)
        cluster_utils = importlib.import_module("ray.cluster_utils")  # which reads the environment
        made = cluster_utils.Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
        made.add_node(num_cpus=1)
    made.home = cluster_home
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def blank_store(tmp_path_factory) -> Path:
    """An empty MLflow store, to be copied; MLflow takes seconds to make one."""
    path = tmp_path_factory.mktemp("blank") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Work in a folder of this test, with a home there."""
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def new_store(blank_store, place):
    """Give the address of a new store of this test."""

    def make(name: str = "mlflow") -> str:
        shutil.copy(blank_store, place / f"{name}.db")
        return f"sqlite:///{place}/{name}.db"

    return make


@pytest.fixture
def ray(cluster):
    with connection.connected(cluster.address) as ray:
        yield ray


@pytest.fixture
def children_gone():
    """Return, for the pid of a process, what tells whether the children that it has now have ended."""

    def now(pid):
        numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        children = [number for number in numbers if state_of(number)[1] == pid]
        return lambda: all(state_of(child)[0] in "XZ" for child in children)

    return now


def state_of(pid):
    """Return the state and the parent of a process; of one that has gone, those of a dead one."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return "X", 0
    return state, int(parent)
