"""Stores that answer badly or not at all, disks that refuse, and shippers that die at the wrong moment."""

import fcntl
import os
import sqlite3
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest

from grokscope.collectors.recording.ship import __main__ as program
from grokscope.collectors.recording.ship import backlogs, ensure_shipper, is_held, retry_stuck
from grokscope.collectors.recording.ship.delivery import shipped_spool
from grokscope.collectors.recording.ship.delivery.delivery import Delivery
from grokscope.collectors.recording.ship.lock import ShipLock
from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.run_store import Scalar, Unavailable
from grokscope.collectors.recording.ship.service import Service
from grokscope.collectors.recording.spool import read_cursor, segments
from grokscope.schemas.limits import METRICS_A_CALL


def filled(new_spool, count: int, run_id: str = "run-a", **changes):
    folder, meta, writer = new_spool(run_id, **changes)
    for step in range(count):
        writer.points(step, 1000 + step, {"m": float(step)})
    writer.close({"event": "end", "status": "FINISHED", "time_ms": 9000})
    return folder, meta


def rows(store: str) -> list[tuple[int, float]]:
    with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as connection:
        return connection.execute("select step, value from metrics order by step").fetchall()


def status(store: str) -> str:
    with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as connection:
        return connection.execute("select status from runs").fetchone()[0]


def test_a_point_is_acknowledged_only_once_it_is_stored_though_the_user_asks_for_async(
    new_spool, store, monkeypatch
):
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_LOGGING", "true")
    _, meta, writer = new_spool(params={"lr": "1"})
    writer.close()
    run_store = MlflowRunStore(store)
    run = run_store.open_run(meta)
    run_store.send(run, [Scalar("m", float(step), step, 1000) for step in range(900)])
    assert len(rows(store)) == 900


def test_on_a_full_disk_points_still_leave_and_make_room(new_spool, store, tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    folder, meta, first = new_spool(is_alive=True, segment_bytes=20_000)
    for step in range(3000):
        first.points(step, 1000, {"m": float(step)})
    assert len(list(segments(folder))) > 3
    monkeypatch.setattr(shipped_spool, "write_cursor", full)
    monkeypatch.setattr("grokscope.collectors.recording.ship.service.replace_json", full)
    service = Service(tmp_path / "home", store, run_store=MlflowRunStore(store), sleep=lambda _: None)
    assert sum(service.tick() for _ in range(4)) == 3000
    assert len(list(segments(folder))) == 1
    monkeypatch.undo()
    again = Delivery(folder, meta, run_store=MlflowRunStore(store), dead_letters=tmp_path / "dead.jsonl")
    first.points(3000, 1000, {"m": 3000.0})
    first.close({"event": "end", "status": "FINISHED", "time_ms": 9000})
    while not again.is_done:
        again.advance()
    assert rows(store) == [(step, float(step)) for step in range(3001)]


class Recorder:
    """A place that takes everything but what ``trouble`` names, and notes who came when."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.trouble = trouble
        self.taken: list[tuple[str, int]] = []

    def open_run(self, meta):
        if self.trouble is not None and meta.run_id == "trouble":
            raise self.trouble
        return meta.run_id

    def send(self, run, scalars):
        self.taken.append((run, len(scalars)))

    def describe(self, run, labels): ...

    def heartbeat(self, run, time_ms): ...

    def end_run(self, run, ending): ...


@pytest.mark.parametrize("trouble", [Unavailable("never"), OSError(5, "EIO")])
def test_a_run_in_trouble_keeps_no_other_waiting(new_spool, tmp_path, store, trouble):
    for run in ("trouble", "fine"):
        filled(new_spool, 10, run)
    run_store, waits = Recorder(trouble), []
    service = Service(tmp_path / "home", store, run_store=run_store, sleep=waits.append)
    service.tick()
    service.tick()
    assert run_store.taken == [("fine", 10)]
    assert sum(waits) < 3


def test_a_giant_backlog_delays_another_run_by_one_batch(new_spool, tmp_path, store):
    _, _, writer = new_spool("giant")
    for step in range(20):
        writer.points(step, 1000, {f"m/{i}": 1.0 for i in range(5000)})
    writer.close()
    service = Service(tmp_path / "home", store, run_store=(run_store := Recorder()), sleep=lambda _: None)
    service.tick()
    _, _, late = new_spool("late", is_alive=True)
    for step in range(3):
        late.points(step, 1000, {"m": 1.0})
        service.tick()
    late.close()
    assert run_store.taken == [("giant", METRICS_A_CALL)] + [("giant", METRICS_A_CALL), ("late", 1)] * 3


def test_who_asks_for_the_lock_does_not_keep_a_shipper_from_it(tmp_path, store):
    probe = ShipLock(tmp_path, store)
    assert probe.acquire()
    assert not ShipLock(tmp_path, store).acquire()
    threading.Timer(0.03, probe.release).start()
    assert ShipLock(tmp_path, store).acquire(tries=10)


def test_a_file_system_without_locks_is_told_from_a_lock_that_is_taken(tmp_path, store, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    assert not is_held(tmp_path, store)
    ShipLock(tmp_path, store).acquire()
    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="No locks available"):
        ensure_shipper(tmp_path, store)
    MlflowRunStore(store)._connected()  # NFS locks no folders


def test_a_spool_born_while_a_shipper_decides_to_stop_is_shipped(new_spool, tmp_path, store, monkeypatch):
    """Its tracker finds the lock taken a last time, and starts no other."""
    filled(new_spool, 3)
    run, release = Service.run, ShipLock.release
    born = []

    def release_late(lock: ShipLock) -> None:
        if not born and lock._held is not None:
            born.append(filled(new_spool, 5, "run-b"))
        release(lock)

    monkeypatch.setattr(Service, "run", lambda service: run(service, idle_seconds=0.0))
    monkeypatch.setattr(ShipLock, "release", release_late)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setattr(sys, "argv", ["ship", "--home", str(tmp_path / "home"), "--store", store])
    assert program.main() == 0
    assert len(rows(store)) == 8
    assert backlogs(tmp_path / "home") == []


BOUNDARIES = (
    (MlflowRunStore, "open_run"),
    (MlflowRunStore, "send"),
    (shipped_spool, "write_cursor"),
    (Path, "unlink"),
    (MlflowRunStore, "end_run"),
    (Path, "rename"),
    (shipped_spool, "remove_spool"),
)


@pytest.mark.parametrize(("place", "name"), BOUNDARIES)
def test_a_shipper_killed_at_any_boundary_loses_doubles_and_misreports_nothing(
    new_spool, store, tmp_path, place, name
):
    folder, _, writer = new_spool(segment_bytes=30_000)
    for step in range(1500):
        writer.points(step, 1000, {"m": float(step)})
    writer.close({"event": "end", "status": "FINISHED", "time_ms": 9000})
    child = os.fork()
    if child == 0:
        real = getattr(place, name)

        def die_after(*given, **named):
            real(*given, **named)
            os._exit(7)

        setattr(place, name, die_after)
        with suppress(BaseException):
            Service(tmp_path / "home", store, run_store=MlflowRunStore(store)).run(idle_seconds=0.0)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert Service(tmp_path / "home", store, run_store=MlflowRunStore(store)).run(idle_seconds=0.0)
    assert rows(store) == [(step, float(step)) for step in range(1500)]
    assert status(store) == "FINISHED"
    assert list(folder.parent.iterdir()) == []


def test_a_segment_damaged_on_disk_is_kept_and_what_can_be_read_is_sent(new_spool, store, tmp_path):
    folder, meta, writer = new_spool(segment_bytes=500)
    for step in range(40):
        writer.points(step, 1000, {"m": float(step)})
    writer.close({"event": "end", "status": "FINISHED", "time_ms": 9000})
    second = folder / "000001.seg"
    broken = bytearray(second.read_bytes())
    broken[len(broken) // 2] ^= 1
    second.write_bytes(broken)
    moving = Delivery(
        folder, meta, run_store=MlflowRunStore(store), dead_letters=tmp_path / "dead" / "run-a.jsonl"
    )
    while not moving.is_done:
        moving.advance()
    found = [step for step, _ in rows(store)]
    assert len(found) == 39
    assert {*found} < {*range(40)}
    assert [path.read_bytes() for path in (tmp_path / "dead").glob("*.seg")] == [bytes(broken)]
    assert status(store) == "FINISHED"


def test_points_of_a_deleted_run_arrive_once_it_is_restored(new_spool, client, store, tmp_path):
    home = tmp_path / "home"
    folder, _, writer = new_spool()
    writer.points(0, 1000, {"m": 0.0})
    service = Service(home, store, run_store=MlflowRunStore(store))
    experiment = client.create_experiment("e")
    run = client.create_run(experiment, tags={"grokscope.client_run_id": "run-a"}).info.run_id
    client.delete_run(run)
    writer.close({"event": "end", "status": "FINISHED", "time_ms": 9000})
    service.tick()
    (stuck,) = backlogs(home)
    assert "Restore the run and run 'grokscope sync'" in stuck.stuck[0]
    client.restore_run(run)
    retry_stuck(home)
    service.tick()
    assert rows(store) == [(0, 0.0)]
    assert not folder.exists()


def test_a_spool_that_cannot_be_read_is_reported_and_not_passed_over(new_spool, tmp_path):
    folder, _ = filled(new_spool, 1)
    (folder / "meta.json").write_text("torn")
    (unreadable,) = backlogs(tmp_path / "home")
    assert "damaged or of a later version" in unreadable.stuck[0]
    assert read_cursor(folder).segment == 0


def test_a_run_that_still_trains_is_no_backlog(new_spool, tmp_path):
    _, _, writer = new_spool(is_alive=True)
    writer.points(0, 1000, {"m": 0.0})
    writer.close()
    (waiting,) = backlogs(tmp_path / "home")
    assert (waiting.points, waiting.spools) == (0, 0)
