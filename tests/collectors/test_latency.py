"""Whatever the store does, `log` asks the system for one write a call, and leaving waits five seconds.

Nothing here is timed: benchmarks/logging_away.py does that.
"""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from grokscope.collectors import Tracker
from grokscope.collectors.recording import sink as sink_module
from grokscope.collectors.recording.sink import open_sink
from grokscope.collectors.recording.spool import find_spools, read_spool
from grokscope.collectors.testing import MemorySink

CALLS = 2000
# What can wait is a function in C; those that only compute are left out.
SCRIPT = """
import collections, json, sys
from grokscope.collectors import Tracker
PURE = {"builtins", "dict", "list", "str", "Pattern", "Struct", "zlib", "sys", "RLock"}
calls = collections.Counter()
def note(frame, event, function):
    if event == "c_call":
        owner = function.__module__ or type(function.__self__).__name__
        calls[f"{owner}.{function.__name__}"] += owner not in PURE
with Tracker(experiment="e") as tracker:
    for step in range(int(sys.argv[1])):
        sys.setprofile(note)
        tracker.log(step, {"train/loss": 1.0, "test/loss": 2.0})
        sys.setprofile(None)
print(json.dumps(+calls))
"""


def start(home: Path, store: str) -> subprocess.Popen:
    environment = os.environ | {"GROKSCOPE_HOME": str(home), "MLFLOW_TRACKING_URI": store}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(CALLS)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def check(process: subprocess.Popen) -> None:
    """It has left although the store has still taken nothing, and no call has waited for anything."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out) == {"posix.getpid": 2 * CALLS, "posix.write": CALLS, "time.time_ns": CALLS}
    assert "are safe on disk" in err


def test_neither_a_refused_connection_nor_a_silent_server_slows_log_or_the_exit(tmp_path, free_port):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ports = {"refused": free_port(), "silent": silent.getsockname()[1]}
        processes = [start(tmp_path / name, f"http://127.0.0.1:{port}") for name, port in ports.items()]
        for process in processes:
            check(process)


def test_a_locked_database_delays_neither_log_nor_the_exit(tmp_path):
    """The lock of another process for as long as the run lasts; everything arrives after it."""
    database, home = tmp_path / "mlflow.db", tmp_path / "home"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("begin exclusive")
        check(start(home, f"sqlite:///{database}"))
        connection.execute("rollback")
    sync = subprocess.run(
        [sys.executable, "-m", "grokscope.cli.main", "sync"],
        env={**os.environ, "GROKSCOPE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert sync.returncode == 0, sync.stderr
    with closing(sqlite3.connect(database)) as stored:
        query = "select count(*), count(distinct step) from metrics where key = 'train/loss'"
        assert stored.execute(query).fetchone() == (CALLS, CALLS)


@pytest.fixture
def shippers(monkeypatch, tmp_path) -> list[dict[str, float]]:
    """Start none, and note how each was asked for."""
    asked: list[dict[str, float]] = []
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sink_module, "ensure_shipper", lambda *_, **bound: asked.append(bound))
    return asked


def test_log_goes_on_while_a_disk_does_not_come_to_the_end_of_a_sync(shippers, monkeypatch, tmp_path):
    begun, may_end, main = threading.Event(), threading.Event(), threading.get_ident()
    monkeypatch.setattr(
        os, "fsync", lambda _: threading.get_ident() == main or begun.set() or may_end.wait(60)
    )
    sink = open_sink("r", store="http://127.0.0.1:9", experiment="e", name=None, params={})
    assert begun.wait(60)
    for step in range(100):
        sink.points(step, 1000, {"m": 1.0})
    (folder,) = find_spools(tmp_path / "home")
    assert [read.record.step for read in read_spool(folder)] == list(range(100))
    assert not may_end.is_set()
    may_end.set()
    sink.end("FINISHED", 2000)


def test_leaving_waits_no_longer_than_it_is_told_and_looks_after_the_shipper_once_a_second(
    shippers, monkeypatch
):
    sink = open_sink("r", store="http://127.0.0.1:9", experiment="e", name=None, params={})
    sink.points(0, 1000, {"m": 1.0, "n": 2.0})
    sink.end("FINISHED", 2000)
    sink._thread.join()
    shippers.clear()
    now = [100.0]
    clock = SimpleNamespace(
        monotonic=lambda: now[0], sleep=lambda seconds: now.append(now.pop() + seconds), time_ns=lambda: 0
    )
    monkeypatch.setattr(sink_module, "time", clock)
    assert sink.wait_shipped(5.0) == 2
    assert 104.5 <= now[0] < 104.6  # and half a second to count what is left
    assert [bound["seconds"] for bound in shippers] == pytest.approx([3.45, 2.4, 1.35, 0.3])
    sink.wait_shipped(0.0)
    assert now[0] < 104.6


def test_a_tracker_that_is_closed_gives_the_shipper_five_seconds():
    told: list[float] = []

    class Waiting(MemorySink):
        def wait_shipped(self, seconds: float) -> int:
            told.append(seconds)
            return 0

    with Tracker(experiment="e", sink=Waiting()) as tracker:
        tracker.log(0, {"m": 1.0})
    assert told == [5.0]
