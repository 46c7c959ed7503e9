"""Eight writers and a reader on one SQLite store: no error on either side, and every point is read."""

import os
import subprocess
import sys

import pytest
from mlflow import MlflowClient

from grokscope.store import open_store

SECONDS = float(os.environ.get("GROKSCOPE_WRITERS_SECONDS", "6"))
"""Sixty show it at length: ``GROKSCOPE_WRITERS_SECONDS=60 pytest tests/store/test_many_writers.py``."""

WRITERS = 8

# Forked after the imports and before a connection: eight imports of mlflow would take longer than the test.
_WRITING = """
import os, sys, time
from mlflow import MlflowClient
from mlflow.entities import Metric

def write(uri, run, seconds):
    client, step, until = MlflowClient(tracking_uri=uri), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        now = int(time.time() * 1000)
        client.log_batch(run, metrics=[Metric(key, step / 7, now, step) for key in ("a", "b", "c", "d", "e")])
        step += 1
    print(run, step, flush=True)

uri, seconds, *runs = sys.argv[1:]
children = []
for run in runs:
    child = os.fork()
    if child == 0:
        write(uri, run, float(seconds))
        os._exit(0)
    children.append(child)
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


@pytest.fixture
def writing(file):
    """Start the writers; give the store's address, their runs, and the process that ends when all have."""
    uri = f"sqlite:///{file}"
    client = MlflowClient(tracking_uri=uri)
    runs = [client.create_run("0").info.run_id for _ in range(WRITERS)]
    command = [sys.executable, "-c", _WRITING, uri, str(SECONDS), *runs]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield uri, runs, process
        process.kill()


def test_eight_writers_and_a_reader_meet_no_error_and_every_point_is_read(writing):
    uri, runs, process = writing
    store, seen, readings = open_store(uri), 0, 0
    while process.poll() is None:
        found = store.points(runs).height
        assert found >= seen
        seen, readings = found, readings + 1
        store.runs()
    said, complaints = process.communicate()
    assert process.returncode == 0, complaints
    steps = {run: int(count) for run, count in map(str.split, said.splitlines())}
    assert set(steps) == set(runs)
    assert min(steps.values()) > 0
    assert readings > WRITERS
    whole = store.points(runs)
    assert dict(whole.group_by("run_id").len().iter_rows()) == {run: 5 * n for run, n in steps.items()}
    store.close()
    assert open_store(uri).points(runs).equals(whole)
