"""The arrays in the store are the arrays that were logged, whatever was killed on the way."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl

from grokscope.schemas.arrays import arrays_in
from grokscope.store import open_store

TRAINER = Path(__file__).with_name("array_trainer.py")


def started(trainer, steps: int):
    trainer.folder.mkdir()
    command = [sys.executable, str(TRAINER), str(trainer.folder), str(steps)]
    return subprocess.Popen(command, env=trainer.environment, cwd=trainer.folder, stderr=subprocess.DEVNULL)


def files(trainer) -> list[Path]:
    return sorted(Path(trainer.store.removeprefix("sqlite:///")).parent.rglob("grokscope/arrays/*"))


def check(trainer) -> None:
    """Nothing acknowledged is missing, nothing stands in two files, and nothing was made up."""
    store = open_store(trainer.store)
    (run,) = store.runs("arrays")["run_id"]
    read = store.arrays([run])
    assert read.left_out == ()
    assert read.frame["values"].list.n_unique().unique().to_list() == [1]
    rows = read.frame.select("step", "name", pl.col("values").list.first()).rows()
    assert set(trainer.ledger("kept")) <= set(rows) <= set(trainer.ledger("sent"))
    frames = [arrays_in(path.read_bytes(), run_id=run) for path in files(trainer)]
    assert sum(frame.height for frame in frames) == len(rows)
    assert store.runs("arrays")["status"].to_list() == ["KILLED"]


def test_a_killed_shipper_and_a_killed_trainer_lose_no_array_and_double_none(
    trainer, command_lines, wait_until
):
    words = {"grokscope.collectors.recording.ship", str(trainer.home)}
    process = started(trainer, 10**6)
    wait_until(lambda: files(trainer))
    for pid in [pid for pid, command in command_lines().items() if words <= {*command}]:
        os.kill(pid, signal.SIGKILL)
    for path in files(trainer):  # as a shipper that is killed in the middle of writing leaves it
        path.write_bytes(path.read_bytes()[:100])
    wait_until(lambda: all(path.stat().st_size > 100 for path in files(trainer)))
    trainer.wait_for(rows=500)
    time.sleep(random.random() / 10)
    process.kill()
    process.wait()
    done = trainer.sync()
    assert done.returncode == 0, done.stderr
    check(trainer)
