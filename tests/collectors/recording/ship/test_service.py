"""The shipper's loop and its lock."""

import json
import os
import random
import subprocess
import sys
import time
from itertools import pairwise
from types import SimpleNamespace

import pytest

from grokscope.collectors.recording.ship import backlogs, ensure_shipper, has_failed, is_held
from grokscope.collectors.recording.ship import service as service_module
from grokscope.collectors.recording.ship.delivery.run_upload import RefusedForNow
from grokscope.collectors.recording.ship.lock import ShipLock
from grokscope.collectors.recording.ship.run_store import OtherVersion, RunGone, Unavailable
from grokscope.collectors.recording.ship.service import TICK_SECONDS, Service, state_path


class Away:
    """A store that is away for a number of calls and then takes everything."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.taken: list = []

    def open_run(self, meta):
        if meta.name == "gone":
            raise RunGone(meta.run_id)
        self.calls -= 1
        if self.calls >= 0:
            raise Unavailable("refused")
        return meta.run_id

    def send(self, run, scalars):
        self.taken += [(run, s.step) for s in scalars]

    def describe(self, run, labels): ...

    def heartbeat(self, run, time_ms): ...

    def end_run(self, run, ending):
        self.taken.append((run, ending.status))


def test_waits_grow_up_to_half_a_minute_and_nothing_is_lost(new_spool, tmp_path, store, monkeypatch):
    _, _, writer = new_spool()
    writer.points(1, 1000, {"m": 1.0})
    writer.close()
    waits: list[float] = []
    spread = set()
    monkeypatch.setattr(random, "uniform", lambda *bounds: spread.add(bounds) or 1.0)
    run_store = Away(calls=8)
    service = Service(tmp_path / "home", store, run_store=run_store, sleep=waits.append)
    assert service.run(idle_seconds=0.0)
    assert waits[:-2] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert waits[-2:] == [TICK_SECONDS] * 2  # the points, and then the end
    assert spread == {(0.75, 1.25)}  # so that many shippers do not come back at one instant
    assert run_store.taken == [("run-a", 1), ("run-a", "KILLED")]


@pytest.fixture
def slept(monkeypatch):
    """Give a function that lets time pass for the service alone, and the time that has passed."""
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], time_ns=time.time_ns)
    monkeypatch.setattr(service_module, "time", clock)
    return (lambda seconds: now.__setitem__(0, now[0] + seconds)), now


def test_a_store_that_stays_away_for_ten_minutes_is_left_to_the_next_run(new_spool, tmp_path, store, slept):
    sleep, now = slept
    _, _, writer = new_spool()
    writer.points(1, 1000, {"m": 1.0})
    writer.close()
    service = Service(tmp_path / "home", store, run_store=Away(calls=100), sleep=sleep)
    assert not service.run()
    assert 600 < now[0] < 600 + 1.25 * 30


def test_a_run_that_is_refused_for_now_is_asked_for_after_longer_and_longer_pauses(
    new_spool, tmp_path, store, slept
):
    sleep, now = slept
    new_spool()
    asked: list[float] = []

    class Refusing(Away):
        def open_run(self, meta):
            asked.append(now[0])
            raise RefusedForNow("it is locked")

    service = Service(tmp_path / "home", store, run_store=Refusing(calls=0), sleep=sleep)
    for _ in range(400):
        service.tick()
        sleep(0.25)
    assert [later - earlier for earlier, later in pairwise(asked)] == [
        0.5,
        1.0,
        2.0,
        4.0,
        8.0,
        16.0,
        30.0,
        30.0,
    ]


def test_a_shipper_without_work_stays_for_a_while(tmp_path, store, slept):
    sleep, now = slept
    assert Service(tmp_path / "home", store, run_store=Away(calls=0), sleep=sleep).run(idle_seconds=3.0)
    assert 3.0 <= now[0] < 3.0 + 2 * TICK_SECONDS


def test_while_a_store_is_away_its_state_says_why(new_spool, tmp_path, store):
    _, _, writer = new_spool()
    writer.points(1, 1000, {"m": 1.0})
    writer.close()
    Service(tmp_path / "home", store, run_store=Away(calls=1), sleep=lambda _: None).tick()
    said = json.loads(state_path(tmp_path / "home", store).read_text())
    assert (said["state"], said["why"]) == ("waiting", "refused")
    (backlog,) = backlogs(tmp_path / "home")
    assert (backlog.points, backlog.spools, backlog.why) == (1, 1, "refused")
    assert "1 points wait on disk" in backlog.overdue_message(3)


class Odd(Away):
    """A store of another version, or one whose client fails in a way of its own."""

    def __init__(self, error: Exception) -> None:
        super().__init__(calls=0)
        self.error = error
        self.asked = 0

    def open_run(self, meta):
        self.asked += 1
        raise self.error


def test_that_a_store_is_of_another_version_is_said_once(new_spool, tmp_path, store, caplog):
    new_spool(is_alive=True)
    waits: list[float] = []
    run_store = Odd(OtherVersion("of another MLflow"))
    service = Service(tmp_path / "home", store, run_store=run_store, sleep=waits.append)
    for _ in range(6):
        service.tick()
    assert [record.getMessage().count("of another MLflow") for record in caplog.records] == [1]
    assert 5 * 0.75 <= waits[-1] <= 5 * 1.25


def test_a_spool_that_cannot_be_shipped_is_left_alone_though_the_disk_takes_no_note_of_it(
    new_spool, tmp_path, store, monkeypatch
):
    def refuse(*_) -> None:
        raise OSError("no space left")

    new_spool()
    monkeypatch.setattr(service_module, "replace_json", refuse)
    run_store = Odd(ValueError("odd"))
    service = Service(tmp_path / "home", store, run_store=run_store, sleep=lambda _: None)
    assert [service.tick() for _ in range(3)] == [0, 0, 0]
    assert run_store.asked == 1
    assert not service.has_spools()


def test_a_spool_without_a_place_does_not_hold_up_the_others(new_spool, tmp_path, store):
    for run in ("gone", "fine"):
        _, _, writer = new_spool(run)
        writer.points(1, 1000, {"m": 1.0})
        writer.close()
    run_store = Away(calls=0)
    assert Service(tmp_path / "home", store, run_store=run_store).run(idle_seconds=0.0)
    assert run_store.taken == [("fine", 1), ("fine", "KILLED")]
    (backlog,) = backlogs(tmp_path / "home")
    assert (backlog.points, len(backlog.stuck)) == (0, 1)


@pytest.fixture
def broken_mlflow(tmp_path):
    """Give a folder whose mlflow fails wherever it is imported."""
    (tmp_path / "broken" / "mlflow").mkdir(parents=True)
    failing = "raise ImportError('no luck with http://a:s3cr3t@h')"
    (tmp_path / "broken" / "mlflow" / "__init__.py").write_text(failing)
    return tmp_path / "broken"


def test_only_one_process_ships_to_a_store(tmp_path, store, broken_mlflow, monkeypatch):
    """Another leaves before it imports mlflow."""
    monkeypatch.setenv("PYTHONPATH", str(broken_mlflow), prepend=os.pathsep)
    home = tmp_path / "home"
    lock = ShipLock(home, store)
    assert lock.acquire()
    command = [
        sys.executable,
        "-P",
        "-m",
        "grokscope.collectors.recording.ship",
        "--home",
        home,
        "--store",
        store,
    ]
    assert subprocess.run(command, check=False, timeout=60).returncode == 0
    lock.release()
    assert not is_held(home, store)


def test_a_shipper_that_cannot_work_says_why_and_is_not_started_over_and_over(
    new_spool, tmp_path, store, broken_mlflow, monkeypatch, wait_until
):
    """As where mlflow is broken: it is the shipper that fails, not the store."""
    home = tmp_path / "home"
    _, _, writer = new_spool()
    writer.points(1, 1000, {"m": 0.25})
    writer.close()
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", str(broken_mlflow), prepend=os.pathsep)
        ensure_shipper(home, store)
        wait_until(lambda: has_failed(home, store))
    (waiting,) = backlogs(home)
    assert "the shipper failed with ImportError('no luck with http://h')" in waiting.overdue_message(3)
    told = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"Traceback" in told
    assert b"s3cr3t" not in told
    assert Service(home, store, run_store=Away(calls=0)).run(idle_seconds=0.0)
    assert not has_failed(home, store)


def test_a_shipper_that_does_not_even_start_is_told(tmp_path, store, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(OSError, match=r"it ended at once with status 1; .*\.log says why"):
        ensure_shipper(tmp_path / "home", store)


def test_the_lock_dies_with_its_holder(tmp_path, store):
    child = os.fork()
    if child == 0:
        ShipLock(tmp_path, store).acquire()
        os._exit(0)
    os.waitpid(child, 0)
    assert ShipLock(tmp_path, store).acquire()


def test_a_shipper_started_in_the_background_delivers_and_goes(
    new_spool, client, tmp_path, store, wait_until
):
    home = tmp_path / "home"
    folder, _, writer = new_spool()
    writer.points(1, 1000, {"m": 0.25})
    writer.close({"event": "end", "status": "FINISHED", "time_ms": 2000})
    ensure_shipper(home, store)
    wait_until(lambda: not folder.exists())
    experiment = client.get_experiment_by_name("e")
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.data.metrics, run.info.status) == ({"m": 0.25}, "FINISHED")


def test_a_spool_that_an_earlier_version_wrote_with_a_secret_in_its_address_is_sent_and_never_shown(
    new_spool, tmp_path
):
    _, _, writer = new_spool(store="http://ann:pa/ss@h:5000/?api_key=s3cr3t")
    writer.points(1, 1000, {"m": 1.0})
    writer.close()
    (waiting,) = backlogs(tmp_path / "home")
    assert waiting.store == "http://h:5000/"
    run_store = Away(calls=0)
    assert Service(tmp_path / "home", waiting.store, run_store=run_store).run(idle_seconds=0.0)
    assert run_store.taken == [("run-a", 1), ("run-a", "KILLED")]
