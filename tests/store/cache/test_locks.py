"""Reading never changes the file, never holds a writer back for long, and survives what writers do."""

import hashlib
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from grokscope.store import BusyStoreError, StoreError, open_store
from grokscope.store.sqlite import file as sqlite_file
from grokscope.store.sqlite.file import reading


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def run(file):
    """A run with a curve of 500 points."""
    client = MlflowClient(tracking_uri=f"sqlite:///{file}")
    run_id = client.create_run("0").info.run_id
    metrics = [Metric(key="m", value=1.0, timestamp=i, step=i) for i in range(500)]
    client.log_batch(run_id, metrics=metrics)
    return run_id


def test_reading_leaves_the_file_byte_for_byte_as_it_was_and_leaves_no_file_beside_it(file, run):
    before, beside = digest(file), sorted(file.parent.iterdir())
    store = open_store(f"sqlite:///{file}")
    store.experiments(), store.runs(), store.params([run]), store.tags([run]), store.metrics([run])
    store.points([run]), store.points([run])
    store.close()
    assert (digest(file), sorted(file.parent.iterdir())) == (before, beside)


def test_our_connection_cannot_write(file):
    with reading(file) as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("CREATE TABLE mine (x)")


def test_a_writer_without_patience_commits_between_our_readings(file, run):
    store = open_store(f"sqlite:///{file}")
    writer = sqlite3.connect(file, timeout=0, isolation_level=None)
    for step in range(500, 510):
        store.points([run])
        writer.execute("INSERT INTO metrics VALUES ('m', 2.0, ?, ?, ?, 0)", (step, run, step))
    writer.close()
    assert store.points([run])["step"].to_list() == list(range(510))


def test_a_writer_that_holds_the_file_makes_the_store_busy_and_it_goes_on_afterwards(file, run, monkeypatch):
    monkeypatch.setattr(sqlite_file, "BUSY_S", 0.1)
    store = open_store(f"sqlite:///{file}")
    seen = store.points([run])
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(BusyStoreError, match="is locked by a writer"):
        store.points([run])
    writer.execute("INSERT INTO metrics VALUES ('m', 2.0, 1, ?, 500, 0)", (run,))
    writer.execute("COMMIT")
    writer.close()
    assert store.points([run]).height == seen.height + 1


def test_readers_and_a_writer_at_the_same_time_meet_no_error_and_lose_no_row(file, run):
    store, errors = open_store(f"sqlite:///{file}"), []

    def read():
        try:
            for _ in range(20):
                store.points([run])
        except StoreError as error:
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    writer = sqlite3.connect(file, timeout=20, isolation_level=None)
    for step in range(500, 600):
        writer.execute("INSERT INTO metrics VALUES ('m', 2.0, ?, ?, ?, 0)", (step, run, step))
    writer.close()
    for reader in readers:
        reader.join()
    assert errors == []
    assert store.points([run])["step"].to_list() == list(range(600))


DYING_WRITER = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")  # so that pages reach the file before the commit
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE metrics SET value = 7.0")
connection.executemany("INSERT INTO metrics VALUES ('x', 1.0, ?, ?, ?, 0)",
                       [(i, sys.argv[2], i) for i in range(5000)])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_commit_that_a_killed_writer_left_half_written_is_rolled_back_on_opening(file, run):
    died = subprocess.run([sys.executable, "-c", DYING_WRITER, file, run], check=False)
    assert died.returncode == -signal.SIGKILL
    assert file.with_name("mlflow.db-journal").stat().st_size > 0
    store = open_store(f"sqlite:///{file}")
    assert store.notice is None
    assert store.points([run])["value"].unique().to_list() == [1.0]
    assert store.metrics([run]).rows() == [(run, "m")]
