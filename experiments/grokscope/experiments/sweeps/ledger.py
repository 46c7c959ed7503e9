"""What has become of each cell: a small record on the local disk, locked by whoever trains it.

A record is a file of JSON lines that only grows: one as an attempt begins, one as it ends. Whoever trains the
cell holds its lock, the sweep and its job together, so that a sweep that was killed leaves a cell free only
once its job is gone too. An attempt without an end was broken off.
"""

import errno
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from grokscope.collectors.recording.given_run import take_back
from grokscope.collectors.recording.ship.withdrawal import withdraw_run
from grokscope.collectors.recording.spool import find_spools, read_meta, was_begun, whole_number
from grokscope.experiments.sweeps.cells.cell import Cell, run_id_of
from grokscope.schemas.files.locks import try_lock
from grokscope.schemas.files.private import opened, private_folder
from grokscope.schemas.secrets import without_credentials

FOLDER = "sweeps"
FINISHED, FAILED = "finished", "failed"
_MLFLOWS_FINISHED, _MLFLOWS_RUNNING = "FINISHED", "RUNNING"
_MOST_BYTES = 1 << 20
# Attempts on other machines, of which no record is here, are looked for in the store up to this one.
_ATTEMPTS_ELSEWHERE = 64
_AGAIN = "its training was broken off or failed, and was begun anew"
_LOST = "its machine was lost too often"


Runs = Mapping[str, str]


def _unknown() -> None:
    """Say nothing of the store's runs."""


class Ledger:
    """The records of cells that are logged in one store.

    Args:
        home: Where records and spools live.
        store: MLflow tracking URI.
        stored: Reads the store's runs that are not deleted: client run id -> MLflow's status; ``None`` of it
            if the store cannot be asked, and records alone are believed.
    """

    def __init__(self, home: Path, store: str, *, stored: Callable[[], Runs | None] = _unknown) -> None:
        self.home = home
        self.store = store
        key = hashlib.sha256(without_credentials(store).encode()).hexdigest()[:16]
        self._folder = private_folder(private_folder(home, FOLDER), key)
        self._since_ms = _now_ms()
        # In this order: what leaves the disk meanwhile is in the store by then.
        metas = (read_meta(folder) for folder in find_spools(home))
        self._on_the_way = {meta.run_id for meta in metas if meta is not None}
        self.stored = stored()

    def claim(self, cell: Cell) -> "Claim | None":
        """Return the cell's record, locked; ``None`` while another process trains it.

        What is finished is told without the lock, which something may hold that a training has left behind.

        Raises:
            OSError: If the record cannot be opened.
        """
        fd = opened(self._record(cell), os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            is_free = _is_locked(fd)
        except BaseException:
            os.close(fd)
            raise
        claim = Claim(self, cell, fd)
        if is_free or claim.finished is not None:
            return claim
        claim.release()
        return None

    def finished(self, cell: Cell) -> str | None:
        """Return the id of the run that makes another one needless, as far as a look without waiting tells.

        Raises:
            OSError: If the record cannot be opened.
        """
        is_known = cell.run_id(1) in (self.stored or {}) or self._record(cell).exists()
        if not is_known or (claim := self.claim(cell)) is None:
            return None
        claim.release()
        return claim.finished

    def _record(self, cell: Cell) -> Path:
        return self._folder / f"{cell.identity}.jsonl"

    def has(self, run_id: str, ended: Mapping[str, Any]) -> bool:
        """Say whether a run is still there of which a record says that it ended well.

        It is in the store, or on its way; else somebody has deleted it.
        """
        if self.stored is None or (whole_number(ended.get("time_ms")) or 0) >= self._since_ms:
            return True  # the store was not asked since
        if ended.get("is_on_its_way"):  # from the disk of another machine, which may be gone
            return self.stored.get(run_id) == _MLFLOWS_FINISHED
        is_there = run_id in self.stored or run_id in self._on_the_way
        return is_there or ended.get("is_tracked") is not True


class Claim:
    """A cell that this process may train, until it is released.

    Attributes:
        fd: The open record, locked; a job that inherits it holds the lock too.
        finished: Id of the run that needs no other; ``None`` if there is none.
        attempt: The number of the next attempt.
    """

    def __init__(self, ledger: Ledger, cell: Cell, fd: int) -> None:
        self.fd = fd
        self._ledger = ledger
        self._cell = cell
        self._identity = cell.identity
        self._elsewhere: set[str] = set()
        begun, ended = self._read()
        stored = ledger.stored or {}
        elsewhere = [n for n in range(1, _ATTEMPTS_ELSEWHERE + 1) if stored and self._run_id(n) in stored]
        self._attempts = sorted({*begun, *elsewhere})
        self.attempt = 1 + max(self._attempts, default=0)
        good = [n for n in self._attempts if self._is_good(n, ended.get(n))]
        self.finished = self._run_id(good[-1]) if good else None

    def begin(self, *, is_elsewhere: bool = False) -> str:
        """Note that the next attempt begins, and return its run id; runs of earlier ones are withdrawn.

        Args:
            is_elsewhere: It may train on another machine, and ends with this process all the same.

        Raises:
            OSError: If the disk refuses.
        """
        home, stored = self._ledger.home, self._ledger.stored or {}
        for run_id in map(self._run_id, self._attempts):
            take_back(run_id, store=self._ledger.store)
            # One that goes on elsewhere, for all that is known, is not ours to delete. One that we have sent
            # there has ended with whoever did, whatever its run still says: a node that is lost says nothing.
            was_elsewhere = run_id in self._elsewhere
            is_ours = was_elsewhere or was_begun(home, run_id)
            if is_ours or stored.get(run_id, _MLFLOWS_RUNNING) != _MLFLOWS_RUNNING:
                withdraw_run(
                    run_id,
                    store=self._ledger.store,
                    experiment=self._cell.experiment,
                    why=_AGAIN,
                    is_elsewhere=was_elsewhere,
                )
        run_id = self._run_id(self.attempt)
        noted = {"attempt": self.attempt, "run_id": run_id, "time_ms": _now_ms()}
        append(self.fd, noted | ({"is_elsewhere": True} if is_elsewhere else {}))
        self._attempts.append(self.attempt)
        return run_id

    def withdraw(self) -> None:
        """Take back the attempt that was begun: its machine is lost, and no other attempt is to come."""
        withdraw_run(
            self._run_id(self.attempt),
            store=self._ledger.store,
            experiment=self._cell.experiment,
            why=_LOST,
            is_elsewhere=True,
        )

    def end(self, code: int, *, is_tracked: bool | None = None, is_on_its_way: bool = False) -> str:
        """Note how the attempt ended, unless its job has done so; return ``FINISHED`` or ``FAILED``.

        Args:
            code: Exit status; 0 is success.
            is_tracked: Whether the store has its run, from which it is gone if somebody deletes it; by
                default whether a tracker has written to it on this machine.
            is_on_its_way: Whether points of it wait on another machine: it is done once they have arrived.
        """
        take_back(self._run_id(self.attempt), store=self._ledger.store)
        _, ended = self._read()
        told = ended.get(self.attempt)
        if told is None:
            told = ending(self.attempt, code, home=self._ledger.home, run_id=self._run_id(self.attempt))
            told = told if is_tracked is None else told | {"is_tracked": is_tracked}
            append(self.fd, told | ({"is_on_its_way": True} if is_on_its_way else {}))
        return str(told["end"])

    def release(self) -> None:
        """Let others train the cell, once its job is gone too."""
        os.close(self.fd)

    def _is_good(self, attempt: int, told: Mapping[str, Any] | None) -> bool:
        run_id = self._run_id(attempt)
        if told is None:
            return (self._ledger.stored or {}).get(run_id) == _MLFLOWS_FINISHED
        # Its tracker may have been closed in good order before it failed.
        return told["end"] == FINISHED and self._ledger.has(run_id, told)

    def _run_id(self, attempt: int) -> str:
        return run_id_of(self._identity, attempt)

    def _read(self) -> tuple[set[int], dict[int, Mapping[str, Any]]]:
        begun: set[int] = set()
        ended: dict[int, Mapping[str, Any]] = {}
        for line in _lines(self.fd):
            begun.add(line["attempt"])
            if line.get("is_elsewhere") is True:
                self._elsewhere.add(self._run_id(line["attempt"]))
            if line.get("end") in (FINISHED, FAILED):
                ended[line["attempt"]] = line
        return begun, ended


def ending(attempt: int, code: int, *, home: Path, run_id: str) -> dict[str, Any]:
    """Return what a record says of an attempt that has ended.

    Args:
        attempt: Its number.
        code: Exit status; 0 is success.
        home: Where spools live.
        run_id: Its run.
    """
    return {
        "attempt": attempt,
        "end": FAILED if code else FINISHED,
        "code": code,
        "time_ms": _now_ms(),
        "is_tracked": was_begun(home, run_id),
    }


def append(fd: int, content: Mapping[str, Any]) -> None:
    """Append a line to a record so that it survives a crash.

    Raises:
        OSError: If the disk refuses.
    """
    # It begins a line of its own, since a full disk may have cut the one before.
    line = b"\n" + json.dumps(content).encode() + b"\n"
    if os.write(fd, line) < len(line):
        raise OSError(errno.ENOSPC, "the disk is full, and a sweep's record was cut")
    os.fsync(fd)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _is_locked(fd: int) -> bool:
    try:
        return try_lock(fd)
    except OSError:  # a file system that locks nothing: then two sweeps at once are not told apart
        return True


def _lines(fd: int) -> Iterator[dict[str, Any]]:
    for line in os.pread(fd, _MOST_BYTES, 0).splitlines():
        try:
            found: object = json.loads(line)
        except (ValueError, RecursionError):
            continue
        told = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
        if type(told.get("attempt")) is int and told["attempt"] > 0:
            yield told
