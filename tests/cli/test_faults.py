"""Runs that never arrive, stores that are busy, and a dashboard that is told to go."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress

import pytest
from mlflow.tracking import MlflowClient

from grokscope.cli.runs.finished import FinishedRuns, LatePointsError
from grokscope.collectors.recording.spool import Meta, prepare_spool, publish_spool
from grokscope.store import BusyStoreError


@pytest.fixture
def finished(blank_store, tmp_path, monkeypatch) -> FinishedRuns:
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    uri = f"sqlite:///{shutil.copy(blank_store, tmp_path / 'mlflow.db')}"
    MlflowClient(uri).create_experiment("e")
    return FinishedRuns(uri, "e")


def test_a_run_that_never_came_to_the_disk_is_an_error_that_says_so(finished):
    finished.add("lost")
    with pytest.raises(LatePointsError, match="neither on disk nor in sqlite"):
        list(finished.verdicts())


def test_a_busy_store_is_asked_again(finished):
    def busy(*_: object) -> None:
        raise BusyStoreError("locked")

    waiting = FinishedRuns(finished.uri, "e", opener=busy)
    waiting.add("lost")
    assert list(waiting.verdicts()) == []
    assert list(waiting.waiting) == ["lost"]
    late = FinishedRuns(finished.uri, "e", opener=busy, patience_s=0.0)
    late.add("lost")
    with pytest.raises(BusyStoreError):
        list(late.verdicts())


def test_points_that_stay_away_are_an_error_without_credentials(finished, tmp_path):
    late = FinishedRuns(finished.uri, "e", patience_s=0.0)
    late.uri = "http://ann:s3cr3t@127.0.0.1:9"
    publish_spool(
        prepare_spool(
            tmp_path / "home", Meta(run_id="r", store="http://127.0.0.1:9", experiment="e", name="n")
        )
    )
    late.add("r")
    with pytest.raises(LatePointsError, match="grokscope sync") as caught:
        list(late.verdicts())
    assert "s3cr3t" not in str(caught.value)


def test_a_terminated_command_takes_its_dashboard_with_it(finished, free_port, wait_until):
    port = free_port()
    command = [sys.executable, "-m", "grokscope.cli.main", "up", "--store", finished.uri, "--no-browser"]
    process = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
    )
    wait_until(lambda: _answers(port))
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 128 + signal.SIGTERM
    assert not _answers(port)


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
