"""Real releases of MLflow, each in an environment of its own, and what they write.

An environment holds that MLflow and the few packages that it needs in another version; all else it takes from
the suite's own. pip fetches them from the package index, once a session.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

NEEDS = {
    "2.22.5": ("sqlalchemy==2.0.58", "protobuf==6.33.6", "psycopg2-binary==2.9.11"),
    "3.18.0": (),
}
LONG = 2600  # more than a server gives of one history without choosing some
WRITER = f"""
import json, sys
import mlflow
from mlflow.entities import Metric, Param, RunTag
client = mlflow.MlflowClient(sys.argv[1])
number = client.create_experiment("modular", artifact_location="file:///x")
run = client.create_run(number, run_name="first", start_time=500).info.run_id
metrics = [Metric("test/accuracy", v, 1000 + s, s) for s, v in ((1, 0.5), (2, float("nan")), (3, 1.0))]
metrics.append(Metric("test/accuracy", 0.25, 900, 1))
client.log_batch(run, metrics, [Param("optim.lr", "0.1")], [RunTag("note", "its α")])
for at in range(0, {LONG}, 1000):
    steps = range(at, min(at + 1000, {LONG}))
    client.log_batch(run, [Metric("loss", 1.0 / (s + 1), s, s) for s in steps])
client.set_terminated(run, end_time=5000)
print(mlflow.__version__, run)
"""
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


@pytest.fixture(scope="session")
def releases(tmp_path_factory):
    """Make all environments, and a SQLite store with each, side by side: release -> future."""
    folders = {version: tmp_path_factory.mktemp("mlflow") for version in NEEDS}
    with ThreadPoolExecutor() as pool:
        yield {version: pool.submit(_made, folder, version) for version, folder in folders.items()}
    for folder in folders.values():
        shutil.rmtree(folder)  # hundreds of MB


class Release(NamedTuple):
    python: Path
    store: Path
    run: str


def _made(folder, version):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"]
    command = [sys.executable, "-m", "pip", "--python", python, "install", *options]
    done = subprocess.run(
        [*command, f"mlflow=={version}", *NEEDS[version]], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (site,) = folder.glob("env/lib/python*/site-packages")
    (site / "suite.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Release(python, folder / "mlflow.db", _log(python, version, f"sqlite:///{folder}/mlflow.db"))


def _log(python, version, uri):
    done = _run(python, WRITER, uri)
    assert done.returncode == 0, done.stderr
    written_by, run = done.stdout.split()
    assert written_by == version
    return run


def _run(python, program, *arguments):
    command = [python, "-W", "ignore", "-c", program, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=_variables(), timeout=120)


def _variables():
    # Its own packages come first: neither ours nor those on the suite's PYTHONPATH.
    inherited = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONWARNINGS")}
    return {**inherited, **QUIET}


@pytest.fixture(scope="session")
def call(releases):
    """Run a program with a release of MLflow; give what ``subprocess.run`` gives."""
    return lambda version, program, *arguments: _run(releases[version].result().python, program, *arguments)


@pytest.fixture(scope="session")
def log(releases):
    """Log the run of ``WRITER`` into a store, with a release; give the run's id."""
    return lambda version, uri: _log(releases[version].result().python, version, uri)


@pytest.fixture(scope="session")
def written(releases):
    """Give the SQLite store that a release has made; tests that change it copy it."""
    return lambda version: releases[version].result().store


@pytest.fixture
def store_of(releases, tmp_path):
    """Give ``(uri, file, run)``: a store of the test's own that a release has made."""

    def copied(version):
        made = releases[version].result()
        mine = Path(shutil.copy(made.store, tmp_path / "mlflow.db"))
        return f"sqlite:///{mine}", mine, made.run

    return copied


@pytest.fixture(scope="session")
def servers(releases, free_port, tmp_path_factory):
    """Start each release's server on a copy of the store that it has made: release -> ``(process, port)``."""
    started = {}
    for version, future in releases.items():
        port = free_port()
        started[version] = _started(future.result(), tmp_path_factory.mktemp("server"), port), port
    yield started
    for process, _ in started.values():
        # It starts workers of its own; they share the group that was made for it.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="session", params=NEEDS)
def server(request, servers, releases):
    """Give ``(address, run)`` of a release's own server."""
    process, port = servers[request.param]
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/search",
        json.dumps({"max_results": 1}).encode(),
        {"content-type": "application/json"},
    )
    deadline = time.monotonic() + 90
    while True:
        assert process.poll() is None, "mlflow server ended"
        assert time.monotonic() < deadline, "mlflow server did not start"
        try:
            with urllib.request.urlopen(asked, timeout=60):  # its first answer takes longest
                return f"http://127.0.0.1:{port}", releases[request.param].result().run
        except OSError:
            time.sleep(0.1)


def _started(made, folder, port):
    shutil.copy(made.store, folder / "mlflow.db")
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    options += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", folder]
    return subprocess.Popen(
        [made.python, "-W", "ignore", "-m", "mlflow", "server", *options],
        env=_variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.fixture
def findings(grokscope):
    """Give what ``grokscope doctor`` finds in a store: subject -> finding."""

    def examine(uri):
        _, printed, _ = grokscope("doctor", "--store", uri, "--format", "json")
        return {finding["subject"]: finding for finding in map(json.loads, printed.splitlines())}

    return examine
