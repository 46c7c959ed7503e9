"""A trainer with its own ledger, servers, and what MLflow's own client finds in a store."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

Row = tuple[int, str, float]
TRAINER = Path(__file__).with_name("ledger_trainer.py")


@dataclass
class Trainer:
    """A real training process; ``folder`` holds its ledgers, ``home`` its spool."""

    folder: Path
    home: Path
    store: str
    wait_until: Callable[..., None]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "GROKSCOPE_HOME": str(self.home), "MLFLOW_TRACKING_URI": self.store}

    def start(self, *, steps: int, pause: float = 0.0) -> "subprocess.Popen[str]":
        self.folder.mkdir(parents=True, exist_ok=True)
        return subprocess.Popen(
            [sys.executable, str(TRAINER), str(self.folder), str(steps), str(pause)],
            env=self.environment,
            cwd=self.folder,
            stderr=subprocess.PIPE,
            text=True,
        )

    def sync(self, *options: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "grokscope.cli.main", "sync", *options],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def ledger(self, name: str) -> list[Row]:
        """Return the whole lines of a ledger; a kill may have torn the last one."""
        text = (self.folder / name).read_text()
        return [tuple(json.loads(line)) for line in text[: text.rfind("\n") + 1].splitlines()]

    def wait_for(self, rows: int) -> None:
        self.wait_until(lambda: (self.folder / "kept").exists() and len(self.ledger("kept")) >= rows)


@pytest.fixture(name="stored")
def _stored() -> Callable[..., list[Row]]:
    return stored


def stored(uri: str, experiment: str = "ledger") -> list[Row]:
    """Return every point of an experiment's only run, read with MLflow's own client."""
    client = MlflowClient(uri)
    (run,) = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    history = (m for key in run.data.metrics for m in client.get_metric_history(run.info.run_id, key))
    return sorted((m.step, m.key, m.value) for m in history)


@pytest.fixture
def trainer(tmp_path, wait_until) -> Trainer:
    return Trainer(tmp_path / "run", tmp_path / "home", f"sqlite:///{tmp_path}/mlflow.db", wait_until)


@dataclass
class Server:
    """MLflow's real server on a SQLite file, which can be killed and started again."""

    database: Path
    port: int
    wait_until: Callable[..., None]
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = ["server", "--backend-store-uri", f"sqlite:///{self.database}", "--workers", "1"]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--artifacts-destination", str(self.database.parent / "artifacts")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *command],
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            cwd=self.database.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.wait_until(self._is_up)

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, 9)
            self.process.wait()
            self.process = None

    def _is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=2) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False


@pytest.fixture
def server(tmp_path, free_port, wait_until) -> Iterator[Server]:
    server = Server(tmp_path / "server.db", free_port(), wait_until)
    yield server
    server.kill()


@pytest.fixture(scope="session")
def dashboard(free_port, running):
    """Serve a store's dashboard while a block lasts; give its address: ``dashboard(store, home)``."""

    @contextmanager
    def served(store, home):
        port = free_port()
        up = [sys.executable, "-m", "grokscope.cli.main", "up", "--store", store]
        up += ["--port", str(port), "--no-browser"]
        environment = {**os.environ, "GROKSCOPE_HOME": str(home)}
        with running(up, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            yield f"http://localhost:{port}"

    return served
