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
from pathlib import Path

import pytest

from grokscope.cli.main import run

NEEDS = {
    "2.22.5": ("sqlalchemy==2.0.58", "protobuf==6.33.6", "psycopg2-binary==2.9.11"),
    "3.18.0": (),
}
LONG = 2600  # more than a server gives of one history without choosing some
WRITER = f"""
import json, sys
import mlflow
from mlflow.entities import Metric, Param, RunTag
for uri in sys.argv[1:]:
    client = mlflow.MlflowClient(uri)
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
def python_of(tmp_path_factory):
    """Give the Python of the environment of a release, made at the first call."""
    made = {}

    def path(version):
        if version not in made:
            made[version] = _environment(tmp_path_factory.mktemp("mlflow") / version, version)
        return made[version]

    return path


def _environment(folder, version):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"]
    command = [sys.executable, "-m", "pip", "--python", python, "install", *options]
    done = subprocess.run(
        [*command, f"mlflow=={version}", *NEEDS[version]], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "suite.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def _environment_variables():
    # Its own packages come first: neither ours nor those on the suite's PYTHONPATH.
    inherited = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONWARNINGS")}
    return {**inherited, **QUIET}


@pytest.fixture(scope="session")
def call(python_of):
    """Run a program with a release of MLflow; give what ``subprocess.run`` gives."""

    def run(version, program, *arguments):
        command = [python_of(version), "-W", "ignore", "-c", program, *arguments]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, env=_environment_variables(), timeout=120
        )

    return run


@pytest.fixture(scope="session")
def log(call):
    """Log the run of ``WRITER`` into stores, with a release; give the run's id in the last of them."""

    def write(version, *uris):
        done = call(version, WRITER, *uris)
        assert done.returncode == 0, done.stderr
        written_by, run = done.stdout.split()
        assert written_by == version
        return run

    return write


@pytest.fixture(scope="session")
def written(log, tmp_path_factory):
    """Give ``(file, run)``: a SQLite store that a release has made; tests copy it."""
    made = {}

    def store(version):
        if version not in made:
            file = tmp_path_factory.mktemp("written") / "mlflow.db"
            made[version] = file, log(version, f"sqlite:///{file}")
        return made[version]

    return store


@pytest.fixture
def store_of(written, tmp_path):
    """Give ``(uri, file, run)``: a store of the test's own that a release has made."""

    def copied(version):
        file, run = written(version)
        mine = Path(shutil.copy(file, tmp_path / "mlflow.db"))
        return f"sqlite:///{mine}", mine, run

    return copied


@pytest.fixture(scope="session", params=NEEDS)
def server(request, python_of, written, free_port, tmp_path_factory):
    """Give ``(address, run)`` of a release's own server, on a store that it has made."""
    version, port = request.param, free_port()
    file, run = written(version)
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(file, folder / "mlflow.db")
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    options += [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        str(folder),
    ]
    with (folder / "log").open("wb") as said:
        process = subprocess.Popen(
            [python_of(version), "-W", "ignore", "-m", "mlflow", "server", *options],
            env=_environment_variables(),
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        _await(f"http://127.0.0.1:{port}/health", process, folder / "log")
        yield f"http://127.0.0.1:{port}", run
    finally:
        # It starts workers of its own; they share the group that this fixture made.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _await(url, process, log):
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"no server: {log.read_text()[-2000:]}")


@pytest.fixture
def grokscope(monkeypatch, capfd, tmp_path):
    """Run the command; give its status, stdout and stderr."""
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["grokscope", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            run()
        said = capfd.readouterr()
        return ended.value.code or 0, said.out, said.err

    return call


@pytest.fixture
def findings(grokscope):
    """Give what ``grokscope doctor`` finds in a store: subject -> finding."""

    def examine(uri):
        _, printed, _ = grokscope("doctor", "--store", uri, "--format", "json")
        return {finding["subject"]: finding for finding in map(json.loads, printed.splitlines())}

    return examine
