"""Who writes a spool, and whether they live: told by locks, never by names or process ids."""

import os
import signal
import subprocess
import sys
import time

import pytest

from grokscope.collectors.recording.spool import (
    LEASE_SECONDS,
    Meta,
    SpoolWriter,
    WriterLock,
    find_spools,
    forget_attempts,
    heartbeat,
    next_attempt,
    prepare_spool,
    publish_spool,
    read_ending,
    remove_retired,
    restore_spool,
    set_aside,
    writer_is_alive,
)
from grokscope.schemas.files.locks import try_lock

HOLD = """
import os, sys, time
from pathlib import Path
from grokscope.collectors.recording.spool import WriterLock
writer_lock = WriterLock(Path(sys.argv[1]))
if len(sys.argv) > 2 and os.fork():
    time.sleep(60)
print(os.getpid(), flush=True)
time.sleep(60)
"""


def spool(home, **changes):
    meta = Meta(**{"run_id": "r", "store": "sqlite:////x.db", "experiment": "e", "name": "n"} | changes)
    return publish_spool(prepare_spool(home, meta)), meta


def age(path, seconds: float) -> None:
    at = time.time() - seconds
    os.utime(path, (at, at))


def test_a_writer_lives_until_it_dies_though_nobody_has_asked_for_its_status(tmp_path):
    folder, meta = spool(tmp_path)
    assert not writer_is_alive(folder, meta)
    child = subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE)
    child.stdout.readline()
    assert writer_is_alive(folder, meta)
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and still a zombie
    assert not writer_is_alive(folder, meta)
    child.wait()
    child.stdout.close()


def test_another_container_sees_the_writer_though_host_names_and_process_ids_tell_it_nothing(tmp_path):
    folder, meta = spool(tmp_path, host="another-container", pid=2**22 + 1)
    writer_lock = WriterLock(folder)
    assert writer_is_alive(folder, meta)
    writer_lock.release()
    assert not writer_is_alive(folder, meta)


def test_a_forked_child_that_outlives_the_writer_is_no_writer(tmp_path):
    folder, meta = spool(tmp_path)
    child = subprocess.Popen([sys.executable, "-c", HOLD, folder, "fork"], stdout=subprocess.PIPE)
    orphan = int(child.stdout.readline())
    child.kill()
    child.wait()
    assert not writer_is_alive(folder, meta)
    os.kill(orphan, signal.SIGKILL)
    child.stdout.close()


@pytest.mark.parametrize(("silence", "is_alive"), [(0.0, True), (LEASE_SECONDS + 5, False)])
def test_a_writer_under_another_kernel_is_dead_once_it_has_been_silent(tmp_path, silence, is_alive):
    folder, meta = spool(tmp_path, host="elsewhere", kernel="another")
    WriterLock(folder).release()
    age(folder / "writer", silence)
    assert writer_is_alive(folder, meta) == is_alive
    heartbeat(folder)
    assert writer_is_alive(folder, meta)


def test_a_spool_of_an_earlier_version_has_a_living_writer_while_its_records_are_young(tmp_path):
    folder, meta = spool(tmp_path, kernel="")
    SpoolWriter(folder).close()
    assert writer_is_alive(folder, meta)
    age(folder / "000000.seg", LEASE_SECONDS + 5)
    assert not writer_is_alive(folder, meta)


def test_where_nothing_can_be_locked_the_file_s_time_tells(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    folder, meta = spool(tmp_path)
    monkeypatch.setattr("fcntl.flock", refuse)
    WriterLock(folder).release()
    assert writer_is_alive(folder, meta)
    age(folder / "writer", LEASE_SECONDS + 5)
    assert not writer_is_alive(folder, meta)


def test_an_ending_that_found_no_room_among_the_records_is_read_from_its_reserve(tmp_path):
    folder, _ = spool(tmp_path)
    writer_lock = WriterLock(folder)
    assert read_ending(folder) is None
    size = (folder / "writer").stat().st_size
    content = {"event": "end", "status": "FINISHED", "time_ms": 2**53, "dropped": 10**12}
    writer_lock.leave_ending(content)
    writer_lock.release()
    assert read_ending(folder).content == content
    assert (folder / "writer").stat().st_size == size
    assert (folder / "writer").stat().st_mode & 0o777 == 0o600


def test_a_spool_that_was_set_aside_comes_back_to_its_writer_and_is_removed_after_a_week(tmp_path):
    folder, _ = spool(tmp_path)
    writer = SpoolWriter(folder)
    set_aside(folder)
    assert find_spools(tmp_path) == []
    writer.points(1, 1000, {"m": 1.0})
    remove_retired(tmp_path)
    restore_spool(folder)
    assert find_spools(tmp_path) == [folder]
    assert (folder / "000000.seg").stat().st_size > 8
    set_aside(folder)
    (hidden,) = (tmp_path / "spool").iterdir()
    age(hidden, 8 * 86_400)
    remove_retired(tmp_path)
    assert list((tmp_path / "spool").iterdir()) == []


def test_attempts_count_up_for_each_run_by_itself(tmp_path):
    assert [next_attempt(tmp_path, run).number for run in ("a", "a", "b", "a")] == [1, 2, 1, 3]


def test_an_attempt_is_later_than_the_one_before_though_the_clock_was_set_back_twice(tmp_path, monkeypatch):
    hour = 3600 * 10**9
    now = time.time_ns()
    first = next_attempt(tmp_path, "r")
    first.heartbeat()
    assert first.earliest_ms == 0
    monkeypatch.setattr(time, "time_ns", lambda: now - hour)
    second = next_attempt(tmp_path, "r")
    assert second.earliest_ms > now // 10**6
    monkeypatch.setattr(time, "time_ns", lambda: now - 2 * hour)
    assert next_attempt(tmp_path, "r").earliest_ms > second.earliest_ms
    monkeypatch.setattr(time, "time_ns", lambda: now + hour)
    assert next_attempt(tmp_path, "r").earliest_ms == 0


def test_an_attempt_begins_ten_seconds_after_the_last_sign_of_the_one_before(tmp_path, monkeypatch):
    next_attempt(tmp_path, "r")
    last_ms = 2_000_000_000_000
    for now_ms, earliest_ms in ((last_ms, 0), (last_ms - 1, last_ms + 10_000)):
        os.utime(tmp_path / "runs" / "r.json", ns=(last_ms * 10**6, last_ms * 10**6))
        monkeypatch.setattr(time, "time_ns", lambda now_ms=now_ms: now_ms * 10**6)
        assert next_attempt(tmp_path, "r").earliest_ms == earliest_ms


def test_counts_of_old_runs_are_forgotten_once_all_of_them_is_shipped(tmp_path):
    for run in ("old", "waiting", "young"):
        next_attempt(tmp_path, run)
    spool(tmp_path, run_id="waiting")
    for run in ("old", "waiting"):
        age(tmp_path / "runs" / f"{run}.json", 91 * 86_400)
    forget_attempts(tmp_path)
    assert sorted(path.stem for path in (tmp_path / "runs").iterdir()) == ["waiting", "young"]


def test_a_lock_that_is_released_twice_closes_its_own_file_and_no_other(tmp_path, monkeypatch):
    writer_lock, closed = WriterLock(tmp_path), list[int]()
    monkeypatch.setattr(os, "close", closed.append)
    for _ in range(2):
        writer_lock.release()
    monkeypatch.undo()
    (fd,) = closed
    os.close(fd)


def test_of_two_that_look_at_one_instant_neither_takes_the_other_for_the_writer(tmp_path):
    folder, meta = spool(tmp_path)
    WriterLock(folder).release()
    with (folder / "writer").open("rb") as looked_at:
        assert try_lock(looked_at.fileno(), shared=True)
        assert not writer_is_alive(folder, meta)


def test_counts_that_a_killed_process_has_half_written_go_after_ninety_days(tmp_path):
    next_attempt(tmp_path, "r")
    for name, days in ((".r.json.old", 91), (".r.json.young", 89)):
        (tmp_path / "runs" / name).touch()
        age(tmp_path / "runs" / name, days * 86_400)
    forget_attempts(tmp_path)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [".r.json.young", "r.json"]
