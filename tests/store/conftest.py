"""Real stores: one SQLite file made by MLflow, and MLflow's own server process on it."""

import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from grokscope.store import open_store
from grokscope.store.mlflow_client.transport import ClientTransport
from grokscope.store.remote.store import RemoteStore

SERVER_START_S = 90


def _uri(path):
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def master(tmp_path_factory):
    """An empty MLflow store; its first creation takes seconds, so tests copy it."""
    path = tmp_path_factory.mktemp("master") / "mlflow.db"
    MlflowClient(tracking_uri=_uri(path)).search_experiments()
    return path


@pytest.fixture
def file(master, tmp_path):
    """A fresh store of the test's own."""
    return Path(shutil.copy(master, tmp_path / "mlflow.db"))


@pytest.fixture(scope="session")
def shared_file(master, tmp_path_factory):
    """The store behind the server; tests tell their runs apart by experiment."""
    return Path(shutil.copy(master, tmp_path_factory.mktemp("shared") / "mlflow.db"))


@pytest.fixture(scope="session")
def server(shared_file):
    """Address of a real ``mlflow server`` on the shared file."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    options += ["--backend-store-uri", _uri(shared_file), "--artifacts-destination", str(shared_file.parent)]
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *options],
        env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _await(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        # The server starts workers of its own; they share the group that this fixture made.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _await(url, process):
    for _ in range(SERVER_START_S * 5):
        assert process.poll() is None, "mlflow server ended"
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("mlflow server did not start")


@pytest.fixture(scope="session")
def client(shared_file):
    """MLflow's own client on the shared file: the writer, and the reference."""
    return MlflowClient(tracking_uri=_uri(shared_file))


@pytest.fixture(params=["sqlite", "client", "rest"])
def store(request, shared_file):
    """Each way of reading the shared file."""
    if request.param == "sqlite":
        return open_store(_uri(shared_file))
    if request.param == "client":
        return RemoteStore(_uri(shared_file), transport=ClientTransport(_uri(shared_file)))
    return open_store(request.getfixturevalue("server"))


@pytest.fixture(scope="session")
def new_run(client, shared_file):
    """Start a run in an experiment of its own: ``new_run()``, or in a given one."""

    def start(experiment_id=None, **options):
        if experiment_id is None:
            artifacts = str(shared_file.parent / "artifacts")
            experiment_id = client.create_experiment(f"experiment {uuid4().hex[:8]}", artifacts)
        return client.create_run(experiment_id, **options).info.run_id

    return start


@pytest.fixture(scope="session")
def log(client):
    """Log rows ``(metric, step, time_ms, value)`` into a run."""

    def log_rows(run_id, *rows):
        metrics = [
            Metric(key=key, step=step, timestamp=time_ms, value=value) for key, step, time_ms, value in rows
        ]
        client.log_batch(run_id, metrics=metrics)

    return log_rows


@pytest.fixture(scope="session")
def reference(client):
    """What ``get_metric_history`` gives, reduced and mapped by a few plain lines: the truth of every test."""

    def read(run_ids, metrics=None):
        best = {}
        for run_id in run_ids:
            for key in client.get_run(run_id).data.metrics:
                for m in client.get_metric_history(run_id, key) if key in (metrics or [key]) else ():
                    value = math.copysign(math.inf, m.value) if abs(m.value) >= 1.797e308 else m.value
                    # NaN ranks above every number, as in polars.
                    rank = (m.timestamp, math.isnan(value), value)
                    place = (run_id, key, m.step)
                    if place not in best or rank > best[place][0]:
                        best[place] = (rank, (*place, m.timestamp, value))
        schema = ["run_id", "metric", "step", "time_ms", "value"]
        types = dict(zip(schema, [pl.String, pl.String, pl.Int64, pl.Int64, pl.Float64], strict=True))
        return pl.DataFrame([best[place][1] for place in sorted(best)], schema=types, orient="row")

    return read


@pytest.fixture(scope="session")
def empty_database(postgres):
    """Give the address of a new database without tables."""

    def create():
        name = f"mlflow_{uuid4().hex[:8]}"
        subprocess.run([postgres.bin / "createdb", name], check=True, env=postgres.environment)
        return postgres.uri.rpartition("/")[0] + f"/{name}"

    return create


@pytest.fixture(scope="session")
def database(postgres, empty_database):
    """Address of a PostgreSQL database with MLflow's tables."""
    uri = empty_database()
    MlflowClient(tracking_uri=uri).search_experiments()
    yield uri
    # MLflow keeps some connections open, and the server waits for them before it stops.
    statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ~ '^mlflow_'"
    command = [postgres.bin / "psql", "-c", statement]
    subprocess.run(command, check=True, capture_output=True, env=postgres.environment)


@pytest.fixture
def writer(database):
    """MLflow's own client on the database."""
    return MlflowClient(tracking_uri=database)


@pytest.fixture
def logged(writer):
    """Start a run in the database with rows ``(metric, step, time_ms, value)``."""

    def start(*rows):
        run_id = writer.create_run("0").info.run_id
        metrics = [Metric(key=k, step=step, timestamp=time, value=value) for k, step, time, value in rows]
        writer.log_batch(run_id, metrics=metrics)
        return run_id

    return start
