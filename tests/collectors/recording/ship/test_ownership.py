"""Spools written under another host's name: taken over once nobody there can be at work, and given back."""

import os
import sqlite3
import time
from contextlib import closing

import pytest

from grokscope.collectors.recording.ship import backlogs
from grokscope.collectors.recording.ship.lock import ShipLock
from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.service import Service
from grokscope.collectors.recording.spool import (
    LEASE_SECONDS,
    WriterLock,
    find_spools,
    restore_spool,
    segments,
)

END = {"event": "end", "status": "FINISHED", "time_ms": 9000}


def stored(store: str) -> tuple[list[int], list[str]]:
    with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as connection:
        steps = connection.execute("select step from metrics order by step").fetchall()
        statuses = connection.execute("select status from runs").fetchall()
    return [step for (step,) in steps], [status for (status,) in statuses]


@pytest.fixture
def service(tmp_path, store):
    return Service(tmp_path / "home", store, run_store=MlflowRunStore(store), sleep=lambda _: None)


def test_a_restarted_container_sends_what_the_one_before_has_left(new_spool, store, service):
    _, _, writer = new_spool(host="the-container-before")
    for step in range(5):
        writer.points(step, 1000, {"m": 1.0})
    writer.close()
    assert service.run(idle_seconds=0.0)
    assert stored(store) == ([0, 1, 2, 3, 4], ["KILLED"])


def test_the_spool_of_a_container_at_work_is_left_to_it(new_spool, tmp_path, store, service):
    folder, meta, writer = new_spool(host="a-neighbour", is_alive=True)
    writer.points(0, 1000, {"m": 1.0})
    assert service.tick() == 0
    (waiting,) = backlogs(tmp_path / "home")
    assert "was written on a-neighbour, which is still at work" in waiting.stuck[0]
    writer.close(END)
    lock = ShipLock(tmp_path / "home", store, host="a-neighbour")
    assert lock.acquire()  # its trainer has ended, and its shipper lives
    assert not service.has_spools()
    lock.release()
    assert folder in find_spools(tmp_path / "home")
    assert meta.host == "a-neighbour"


def test_the_spool_of_another_machine_is_taken_over_once_all_there_is_silent(new_spool, store, service):
    folder, _, writer = new_spool(host="elsewhere", kernel="another")
    writer.points(0, 1000, {"m": 1.0})
    writer.close(END)
    assert not service.has_spools()
    at = time.time() - LEASE_SECONDS - 5
    for path in (folder / "writer", folder / "000000.seg"):
        os.utime(path, (at, at))
    (folder / "shipper").touch()
    assert not service.has_spools()
    os.utime(folder / "shipper", (at, at))
    assert service.run(idle_seconds=0.0)
    assert stored(store) == ([0], ["FINISHED"])
    assert not folder.exists()


def test_a_writer_taken_for_dead_gets_its_spool_back_and_nothing_is_lost(new_spool, store, service):
    """Stopped for longer than the lease on another machine, it comes back and goes on in the same file."""
    folder, _, writer = new_spool(host="elsewhere", kernel="another")
    writer.points(0, 1000, {"m": 1.0})
    at = time.time() - LEASE_SECONDS - 5
    for path in (folder / "writer", folder / "000000.seg"):
        os.utime(path, (at, at))
    assert service.run(idle_seconds=0.0)
    assert stored(store) == ([0], ["KILLED"])
    writer.points(1, 2000, {"m": 2.0})  # into a file that has lost its name
    restore_spool(folder)
    os.utime(folder / "writer")
    writer.points(2, 3000, {"m": 3.0})
    writer.close(END)
    for path in (folder / "writer", folder / "000000.seg", folder / "shipper"):
        os.utime(path, (at, at))
    assert service.run(idle_seconds=0.0)
    assert stored(store) == ([0, 1, 2], ["FINISHED"])


def test_two_shippers_on_one_spool_store_each_point_once_and_tell_the_same_end(new_spool, tmp_path, store):
    """What two hosts may do that each take the other for gone; under one name the lock forbids it."""
    folder, _, writer = new_spool(segment_bytes=20_000)
    for step in range(3500):
        writer.points(step, 1000, {"m": 1.0})
    writer.close(END)
    assert len(list(segments(folder))) > 3
    first, second = (Service(tmp_path / "home", store, run_store=MlflowRunStore(store)) for _ in range(2))
    while folder.exists():
        first.tick()
        second.tick()
    assert first.run(idle_seconds=0.0)
    assert second.run(idle_seconds=0.0)
    assert stored(store) == (list(range(3500)), ["FINISHED"])


def test_a_full_disk_at_the_very_end_does_not_turn_a_finished_run_into_a_killed_one(
    new_spool, store, service
):
    folder, _, writer = new_spool()
    writer.points(0, 1000, {"m": 1.0})
    writer_lock = WriterLock(folder)
    real = os.write
    os.write = lambda fd, data: real(fd, data[:-1])  # as a disk that fills up within the frame
    try:
        assert not writer.close(END)
    finally:
        os.write = real
    writer_lock.leave_ending(END | {"dropped": 7})
    writer_lock.release()
    assert service.run(idle_seconds=0.0)
    assert stored(store) == ([0], ["FINISHED"])
    with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as connection:
        tags = dict(connection.execute("select key, value from tags").fetchall())
    assert tags["grokscope.dropped"] == "7"
