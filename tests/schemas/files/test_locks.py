"""A lock has one holder, and is free once that one has released it, was forgotten, or was killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grokscope.schemas.files import locks
from grokscope.schemas.files.locks import FileLock, try_lock
from grokscope.schemas.files.private import NotPrivateError

HOLD = """
import sys
from pathlib import Path
from grokscope.schemas.files.locks import FileLock
held = FileLock.acquire(Path(sys.argv[1]))
print(held is not None, flush=True)
sys.stdin.read()
"""


def test_one_holds_it_until_it_is_released_which_may_be_done_twice(tmp_path):
    first = FileLock.acquire(tmp_path / "lock")
    assert FileLock.acquire(tmp_path / "lock", tries=2) is None
    first.release()
    first.release()
    second = FileLock.acquire(tmp_path / "lock")
    assert second is not None
    second.release()


def test_a_lock_that_nobody_released_ends_with_its_object(tmp_path):
    held = FileLock.acquire(tmp_path / "lock")
    assert held is not None
    del held
    assert FileLock.acquire(tmp_path / "lock") is not None


def test_a_lock_dies_with_its_process_however_that_ends(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "True\n"
    assert FileLock.acquire(tmp_path / "lock") is None
    holder.kill()
    holder.communicate()
    assert FileLock.acquire(tmp_path / "lock") is not None


def test_who_only_looks_keeps_no_other_who_only_looks_from_it(tmp_path):
    fds = [os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT) for _ in range(3)]
    assert try_lock(fds[0], shared=True)
    assert try_lock(fds[1], shared=True)
    assert not try_lock(fds[2])
    for fd in fds:
        os.close(fd)


def test_a_lock_through_a_link_or_in_a_file_that_others_write_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "open").touch()
    (tmp_path / "open").chmod(0o666)
    for name in ("link", "open"):
        with pytest.raises(NotPrivateError):
            FileLock.acquire(tmp_path / name)
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_system_without_locks_is_said_and_nothing_stays_open(tmp_path, monkeypatch):
    def refuse(fd, **_):
        raise OSError(f"no locks on {fd}")

    monkeypatch.setattr(locks, "try_lock", refuse)
    with pytest.raises(OSError, match="no locks"):
        FileLock.acquire(tmp_path / "lock")
    open_files = [os.path.realpath(fd) for fd in Path("/proc/self/fd").iterdir()]
    assert str(tmp_path / "lock") not in open_files
