"""The points in MLflow are the points that were logged, whatever was killed on the way."""

import os
import random
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import replace

import pytest
from mlflow.tracking import MlflowClient

SEED = random.randrange(2**32)


def check(trainer, stored) -> None:
    """Nothing acknowledged is missing, nothing is there twice, and nothing was made up."""
    rows, kept, sent = stored, trainer.ledger("kept"), trainer.ledger("sent")
    assert len(set(rows)) == len(rows)
    assert set(kept) <= set(rows) <= set(sent)


@pytest.fixture
def shippers(trainer, command_lines):
    """Give a function that finds the processes which ship for the trainer."""
    words = {"grokscope.collectors.recording.ship", str(trainer.home)}
    return lambda: [pid for pid, command in command_lines().items() if words <= {*command}]


def test_a_run_that_ends_well_is_stored_exactly(trainer, stored, wait_until):
    process = trainer.start(steps=400)
    assert process.wait(timeout=120) == 0
    process.stderr.close()
    wait_until(lambda: not list((trainer.home / "spool").iterdir()))
    assert sorted(trainer.ledger("kept")) == stored(trainer.store)
    client = MlflowClient(trainer.store)
    (run,) = client.search_runs([client.get_experiment_by_name("ledger").experiment_id])
    assert (run.info.status, run.data.params) == ("FINISHED", {"group": "g", "seed": "0"})


@pytest.mark.parametrize("kill", range(4))
def test_a_killed_trainer_loses_nothing_that_log_has_returned_from(trainer, stored, kill):
    rng = random.Random(f"{SEED} {kill}")
    process = trainer.start(steps=10**6, pause=0.0005)
    trainer.wait_for(rows=rng.randrange(50, 2000))
    time.sleep(rng.random() / 10)
    process.kill()
    process.wait()
    process.stderr.close()
    done = trainer.sync()
    assert done.returncode == 0, done.stderr
    check(trainer, stored(trainer.store))
    again = trainer.sync()
    assert (again.returncode, again.stdout.partition(":")[0]) == (0, "nothing to send")


def test_a_killed_shipper_is_replaced_and_doubles_nothing(trainer, stored, shippers, wait_until):
    process = trainer.start(steps=10**6, pause=0.002)
    trainer.wait_for(rows=300)
    database = trainer.store.removeprefix("sqlite:///")
    for count in (1, 2):
        wait_until(lambda: _count(database) > 0 and shippers())
        before = _count(database)
        for pid in shippers():
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda before=before: _count(database) > before)
        assert process.poll() is None, count
    process.kill()
    process.wait()
    process.stderr.close()
    assert trainer.sync().returncode == 0
    check(trainer, stored(trainer.store))


def test_a_stopped_shipper_keeps_neither_the_trainer_nor_a_sync_and_goes_on_later(
    trainer, stored, shippers, wait_until
):
    process = trainer.start(steps=1500, pause=0.002)
    wait_until(shippers)
    trainer.wait_for(rows=100)
    stopped = shippers()  # the one that only started it has left
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    live = trainer.sync()
    assert (live.returncode, live.stdout.partition(":")[0]) == (0, "nothing to send")
    trainer.wait_for(rows=4800)
    assert process.wait(timeout=60) == 0  # while they stand still
    assert "are safe on disk" in process.stderr.read()
    process.stderr.close()
    assert trainer.sync("--patience", "1").returncode != 0
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    assert trainer.sync().returncode == 0
    assert stored(trainer.store) == sorted(trainer.ledger("kept"))


def test_training_goes_on_while_the_server_is_away_and_nothing_is_lost(trainer, stored, server, wait_until):
    trainer.store = server.uri
    process = trainer.start(steps=10**6, pause=0.005)  # the server is not up yet
    trainer.wait_for(rows=200)
    server.start()
    wait_until(lambda: _count(server.database) > 0)
    server.kill()
    at_the_kill = len(trainer.ledger("kept"))
    trainer.wait_for(rows=at_the_kill + 600)
    process.kill()
    process.wait()
    process.stderr.close()
    away = trainer.sync("--patience", "2")
    assert away.returncode != 0
    assert "none is lost" in away.stderr
    server.start()
    done = trainer.sync()
    assert done.returncode == 0, done.stderr
    check(trainer, stored(server.uri))


def test_many_seeds_can_start_at_once_on_a_fresh_store(tmp_path, trainer):
    """Each has a home of its own, so four shippers open the new store in the same moment."""
    trainers = [replace(trainer, folder=tmp_path / f"run{i}", home=tmp_path / f"home{i}") for i in range(4)]
    processes = [t.start(steps=50) for t in trainers]
    for process in processes:
        assert process.wait(timeout=120) == 0
        process.stderr.close()
    for t in trainers:
        assert t.sync().returncode == 0
    client = MlflowClient(trainer.store)
    runs = client.search_runs([client.get_experiment_by_name("ledger").experiment_id])
    assert [run.info.status for run in runs] == ["FINISHED"] * 4
    for run in runs:
        losses = client.get_metric_history(run.info.run_id, "train/loss")
        assert sorted(m.step for m in losses) == list(range(50))


def _count(database) -> int:
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return connection.execute("select count(*) from metrics").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
