"""A store of another MLflow: never opened through MLflow's client, and migrated only by who asks for it."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

from grokscope.collectors.recording.ship.credentials import VARIABLE
from grokscope.collectors.recording.ship.run_store import OtherVersion
from grokscope.schemas import GrokscopeError, OtherVersionError, check_version, release_of, sqlite_path
from grokscope.schemas.files.locks import try_lock
from grokscope.schemas.files.replacing import remove_unfinished, replacing
from grokscope.schemas.secrets import redacted, without_credentials

_UPGRADE = f"import os, mlflow.db; mlflow.db.upgrade.callback(os.environ['{VARIABLE}'])"


# Longer than a row of processes needs that make or migrate a store one after the other.
_LOCK_SECONDS = 120.0


class UpgradeError(GrokscopeError):
    """A store that could not be migrated."""


@contextmanager
def first_open(uri: str) -> Generator[None]:
    """Let one process at a time create or migrate a SQLite store: MLflow's own set-up races with itself.

    The lock is the folder itself, so nothing is left behind.

    Raises:
        OtherVersion: If MLflow's client would migrate what is there, or cannot read it.
    """
    path = sqlite_path(uri)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path):
        try:
            check_version(uri, shown=without_credentials(uri))
        except OtherVersionError as error:
            raise OtherVersion(str(error)) from error
        yield


def upgrade_store(uri: str, *, say: Callable[[str], None]) -> bool:
    """Migrate an older MLflow database to the schema of the MLflow here; say before what that means.

    A SQLite file is copied beside itself first. A database server is not: its backup is its owner's.

    Args:
        uri: The store's address, with credentials if it has some.
        say: Takes one sentence.

    Returns:
        Whether there was anything to migrate.

    Raises:
        OtherVersionError: If the store is of a newer MLflow.
        UpgradeError: If the store cannot be asked, copied or migrated.
    """
    shown, path = without_credentials(uri), sqlite_path(uri)
    if path is not None and not path.exists():
        return False
    try:
        with _alone(path):
            return _upgraded(uri, path, say)
    except GrokscopeError:
        raise
    except Exception as error:  # every database raises its own
        raise UpgradeError(f"{shown} could not be migrated ({_last_line(str(error))})") from error


def _upgraded(uri: str, path: Path | None, say: Callable[[str], None]) -> bool:
    shown = without_credentials(uri)
    try:
        check_version(uri, shown=shown)
    except OtherVersionError as error:
        if not error.is_older:
            raise
        found = error.revision
    else:
        return False
    kept = None if path is None else _free_name(path, found)
    safety = "its backup is yours to have made" if kept is None else f"a copy from before is kept as {kept}"
    say(
        f"{shown} is migrated from {release_of(found)} to the schema of the MLflow here; clients and servers "
        f"of the older version then fail; {safety}"
    )
    if path is not None and kept is not None:
        _copy(path, kept)
    if trouble := _migrated(uri):
        if path is not None and kept is not None:
            safety = _put_back(path, kept)
        raise UpgradeError(f"{shown} could not be migrated ({trouble}); {safety}")
    check_version(uri, shown=shown)
    say(f"{shown} is migrated")
    return True


def _migrated(uri: str) -> str:
    """Migrate; return what went wrong, empty if nothing did."""
    # A process of its own: it ends with its connections, and the address is in no argument.
    done = subprocess.run(
        [sys.executable, "-P", "-c", _UPGRADE],
        env={**os.environ, VARIABLE: uri},
        check=False,
        capture_output=True,
        text=True,
    )
    return _last_line(done.stderr) if done.returncode else ""


def _free_name(path: Path, revision: str) -> Path:
    kept = path.with_name(f"{path.name}.before-upgrade-from-{revision or 'nothing'}")
    if kept.exists():
        raise UpgradeError(
            f"{kept} is there already, where {path} is copied before it is migrated; move it elsewhere"
        )
    return kept


def _copy(path: Path, kept: Path) -> None:
    """Copy a SQLite file as it is between two commits: whole, or not at all."""
    remove_unfinished(path.parent, kept.name)
    with replacing(kept) as half:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(half)) as copy:
            source.backup(copy)
        shutil.copymode(path, half)


def _put_back(path: Path, kept: Path) -> str:
    """Make of a half migrated file what it was; return what became of the copy."""
    try:
        # Through SQLite, which first takes back what is half written.
        with closing(sqlite3.connect(kept)) as source, closing(sqlite3.connect(path)) as target:
            source.backup(target)
    except sqlite3.Error as error:
        return f"it is half migrated ({error}); put {kept} in its place before anything else"
    kept.unlink()
    return "it is as it was before"


def _last_line(text: str) -> str:
    # SQLAlchemy ends with the statement and a link to its manual; the error stands before them.
    lines = redacted(text).partition("\n(Background")[0].strip().splitlines()
    errors = [line for line in lines if "Error" in line.partition(":")[0]]
    return (errors or lines or ["it says nothing"])[-1][:300]


@contextmanager
def _alone(path: Path | None) -> Generator[None]:
    if path is None:
        yield
        return
    fd = os.open(path.parent, os.O_RDONLY)
    try:
        _lock(fd)
        yield
    finally:
        os.close(fd)


def _lock(fd: int) -> None:
    """Lock, or go on: NFS locks no folders, and whoever can read one can keep its lock for ever."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while time.monotonic() < deadline:
        try:
            if try_lock(fd):
                return
        except OSError:
            return
        time.sleep(0.05)
