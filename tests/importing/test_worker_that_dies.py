"""A worker that is killed or hangs at one file: that file is named, and the others are read."""

import os
import threading
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from grokscope.importing import Limits, find_source, parse_source


def worker():
    """Return the process of the worker that this one has started; other tests' servers may be there too."""
    started = {
        int(pid)
        for task in Path("/proc/self/task").iterdir()
        for pid in (task / "children").read_text().split()
        if b"grokscope.importing" in Path("/proc", pid, "cmdline").read_bytes()
    }
    (pid,) = started
    return pid


@pytest.fixture
def logs(tmp_path):
    """Give a folder of logs as it is listed, then with pipes in place of two of them."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for name, value in (("a", 0.25), ("m", 0.5), ("p", 1.0), ("q", 1.0), ("z", 0.75)):
        (folder / f"{name}.jsonl").write_text(row(value))
    source = find_source(str(folder))
    for name in ("p", "q"):
        (folder / f"{name}.jsonl").unlink()
        os.mkfifo(folder / f"{name}.jsonl")
    return source


def row(value):
    return f'{{"step": 1, "loss": {value}}}\n'


def opened(pipe):
    """Wait until the worker reads a pipe; give its other end, and put a new pipe in its place."""
    other = os.open(pipe, os.O_WRONLY)
    os.mkfifo(pipe.with_suffix(".new"))
    pipe.with_suffix(".new").rename(pipe)
    return other


def test_a_worker_that_hangs_and_one_that_is_killed_cost_the_file_they_were_at(logs):
    def look_on():
        for _ in range(2):  # each worker tells what the file is; the first one then hangs at the other pipe
            with os.fdopen(opened(logs.root / "p.jsonl"), "w") as told:
                told.write(row(1.0))
        held = opened(logs.root / "p.jsonl")
        (logs.root / "a.jsonl").write_text(row(9.0))  # it was read, and is not read again
        os.kill(worker(), 9)
        os.close(held)

    thread = threading.Thread(target=look_on)
    thread.start()
    parsed = parse_source(logs, limits=replace(Limits(), wall_s=6))
    thread.join()
    found = parsed.points.select(
        pl.col("run_id").replace({run.key: run.name for run in parsed.runs}), "value"
    )
    assert sorted(found.rows()) == [("a", 0.25), ("m", 0.5), ("z", 0.75)]
    assert [(one.path, one.is_error) for one in parsed.skipped] == [("p.jsonl", True), ("q.jsonl", True)]
    killed, hung = (one.reason for one in parsed.skipped)
    assert killed.startswith(
        "the process that reads it was killed (SIGKILL), most often because the machine has"
    )
    assert hung.startswith("reading it takes longer than 6 s; split it, simplify --pattern, or copy it to")
