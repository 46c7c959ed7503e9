"""Where a tracker writes: the spool on disk, kept in sync and shipped in the background."""

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from grokscope.collectors.interrupts import is_interrupt
from grokscope.collectors.provenance import provenance
from grokscope.collectors.recording.retrying_sink import RetryingSink
from grokscope.collectors.recording.ship import (
    dead_letters,
    ensure_shipper,
    has_failed,
    other_version,
    trouble,
)
from grokscope.collectors.recording.spool import (
    Attempt,
    Meta,
    SpoolWriter,
    WriterLock,
    heartbeat,
    next_attempt,
    prepare_spool,
    publish_spool,
    remove_spool,
    restore_spool,
    unshipped,
)
from grokscope.collectors.warning import contained, warn
from grokscope.schemas import NoHomeError, home
from grokscope.schemas.addresses import sqlite_path
from grokscope.schemas.arrays import LoggedArray
from grokscope.schemas.extras import MissingExtraError
from grokscope.schemas.files.private import NotPrivateError
from grokscope.schemas.limits import RUN_NAME_LENGTH, TAG_LENGTH
from grokscope.schemas.mlflow_versions import require_database_parts
from grokscope.schemas.names import plain_text, stored_experiment
from grokscope.schemas.runs.description import param
from grokscope.schemas.secrets import redacted, without_credentials

_SYNC_SECONDS = 1.0
_SHIPPER_CHECK_SECONDS = 5.0
# One that cannot even import mlflow costs seconds of a processor at every start.
_FAILED_CHECK_SECONDS = 60.0
_COUNT_SECONDS = 0.5


class Sink(Protocol):
    """Takes what a run has to log; never blocks on a network and never raises for want of space."""

    @property
    def dropped(self) -> int:
        """How many scalars could not be kept."""
        ...

    def points(self, step: int, time_ms: int, values: Mapping[str, float]) -> None:
        """Keep all scalars of one step."""
        ...

    def array(self, logged: LoggedArray) -> None:
        """Keep one array."""
        ...

    def end(self, status: str, time_ms: int, *, failed: str = "", is_withdrawn: bool = False) -> None:
        """Close the run as FINISHED, FAILED or KILLED; nothing comes after it.

        Args:
            status: One of the three.
            time_ms: When, Unix time in ms.
            failed: What of the evaluations has failed, as a sentence.
            is_withdrawn: Whether the run should not have been begun, and is deleted.
        """
        ...

    def wait_shipped(self, seconds: float) -> int:
        """Wait until everything has arrived, at most ``seconds``; return how many scalars have not."""
        ...


class SpoolSink:
    """The sink of a real run: a spool, its sync once a second, and a shipper that is kept alive.

    Raises:
        OSError: If the spool cannot be created.
    """

    def __init__(self, home: Path, meta: Meta, *, attempt: Attempt) -> None:
        self._home = home
        self._store = meta.store
        self._meta = replace(meta, store=without_credentials(meta.store), attempt=attempt.number)
        self._attempt = attempt
        self._warned: set[str] = set()
        hidden = prepare_spool(home, self._meta)
        self._writer_lock = WriterLock(hidden)
        self.folder = publish_spool(hidden)
        try:
            self._writer = SpoolWriter(self.folder)
        except OSError:
            self._writer_lock.release()
            remove_spool(self.folder)
            raise
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="grokscope-sink", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """How many scalars could not be kept."""
        return self._writer.dropped

    def points(self, step: int, time_ms: int, values: Mapping[str, float]) -> None:
        """Append one record to the spool."""
        self._writer.points(step, max(time_ms, self._attempt.earliest_ms), values)

    def array(self, logged: LoggedArray) -> None:
        """Append one record to the spool."""
        self._writer.array(replace(logged, time_ms=max(logged.time_ms, self._attempt.earliest_ms)))

    def end(self, status: str, time_ms: int, *, failed: str = "", is_withdrawn: bool = False) -> None:
        """Append the end and close the spool, in one: a thread that still logs cannot come in between."""
        last: dict[str, object] = {"event": "end", "status": status}
        last["time_ms"] = max(time_ms, self._attempt.earliest_ms)
        if dropped := self._writer.dropped:
            last["dropped"] = dropped
        if is_withdrawn and self._attempt.number == 1:  # of a later one the run was there before
            last["withdrawn"] = True
        more = {"failed": plain_text(redacted(failed))[:TAG_LENGTH]} if failed else {}
        if not self._writer.close(last | more):
            self._writer_lock.leave_ending(last)  # which has room for little
        self._writer_lock.release()
        self._attempt.heartbeat()
        self._stop.set()
        self._warn_of_dropped()

    def wait_shipped(self, seconds: float) -> int:
        """Wait until the shipper has removed the spool, which it does when all of it has arrived.

        What has not arrived by then is told, and what becomes of it.
        """
        deadline = time.monotonic() + max(0.0, seconds - _COUNT_SECONDS)
        self._thread.join(timeout=max(0.0, seconds - _COUNT_SECONDS))  # it may be starting the shipper
        next_check = time.monotonic() + _SYNC_SECONDS
        # Both ends poll; the shipper's tick bounds what can be gained by asking more often.
        while self.folder.exists() and time.monotonic() < deadline:
            if (self.folder / "state.json").exists() or self._warn_of_other_version():
                break
            if time.monotonic() >= next_check:  # nobody else replaces a shipper that dies now
                self._ensure_shipper(seconds=max(0.1, deadline - time.monotonic()))
                next_check = time.monotonic() + _SYNC_SECONDS
            time.sleep(0.05)
        for letters in dead_letters(self._home, self._meta.run_id):
            warn(f"{letters}.")
        if waiting := unshipped(self.folder, seconds=_COUNT_SECONDS):
            self._tell_waiting(waiting)
        return waiting

    def _tell_waiting(self, waiting: int) -> None:
        store = self._meta.store
        if why := trouble(self._home, store, since_ms=self._meta.start_ms):
            told = "" if any(why in sentence for sentence in self._warned) else f" ({why})"
            warn(
                f"{waiting} points or more have not reached {store} yet{told}; they are safe on disk. If "
                "the store stays away, run 'grokscope sync' later."
            )
            return
        more = "nothing has to be done."
        if sqlite_path(store) is None:
            more = "if the store should stay away, run 'grokscope sync' later."
        warn(
            f"{waiting} points or more are safe on disk and on their way to {store}; a process in the "
            f"background goes on sending them, and {more}"
        )

    def _keep(self) -> None:
        next_check = 0.0
        while True:
            if time.monotonic() >= next_check:
                self._heartbeat()
                self._ensure_shipper()
                is_broken = has_failed(self._home, self._meta.store)
                next_check = time.monotonic() + (
                    _FAILED_CHECK_SECONDS if is_broken else _SHIPPER_CHECK_SECONDS
                )
            self._warn_of_other_version()
            try:
                self._writer.sync()
            except OSError as error:
                self._warn_once(f"the spool cannot be synced ({error})")
            if self._writer.dropped:
                self._warn_once(
                    f"points cannot be kept in {self.folder} and are dropped ({self._why_dropped}). "
                    "Free the disk, or bring the store back. Training goes on"
                )
            if self._stop.wait(_SYNC_SECONDS):
                return

    def _heartbeat(self) -> None:
        self._attempt.heartbeat()
        if not self.folder.exists():  # it was stopped for so long that another machine took this one for dead
            restore_spool(self.folder)
        heartbeat(self.folder)

    def _ensure_shipper(self, **bound: float) -> None:
        try:
            ensure_shipper(self._home, self._store, **bound)
        except Exception as error:  # the points are on disk all the same
            if is_interrupt(error):
                raise
            self._warn_once(f"no shipper could be started ({error}); points stay on disk until one can")

    def _warn_of_other_version(self) -> bool:
        """Say that the store is of another MLflow, as a shipper has found; return whether it is."""
        why = other_version(self._home, self._meta.store, since_ms=self._meta.start_ms)
        if why:
            self._warn_once(
                f"points stay on disk, and 'grokscope sync' sends them once that is settled: {why}"
            )
        return bool(why)

    def _warn_of_dropped(self) -> None:
        if self._writer.dropped:
            self._warn_once(f"{self._writer.dropped} points of this run were dropped ({self._why_dropped})")

    @property
    def _why_dropped(self) -> str:
        return str(self._writer.error or "its cap is reached")

    def _warn_once(self, sentence: str) -> None:
        if sentence not in self._warned:
            self._warned.add(sentence)
            warn(f"{sentence}.")


def _tell_what_is_missing(store: str) -> None:
    try:
        require_database_parts(store, shown=redacted(store))
    except MissingExtraError as error:
        warn(f"{error}. Until then points are kept on disk, and 'grokscope sync' sends them.")


def open_sink(run_id: str, *, store: str, experiment: str, name: str | None, params: dict[str, str]) -> Sink:
    """Open the sink of a run under ``GROKSCOPE_HOME``.

    Where the disk refuses, training goes on with a sink that counts what is lost, says so, and tries
    again.
    """
    _tell_what_is_missing(store)
    label = plain_text(redacted(name or _default_name(params) or run_id[:8]))
    if len(label) > RUN_NAME_LENGTH:
        warn(f"a run's name has at most {RUN_NAME_LENGTH} characters, got {len(label)}; the rest is cut off.")

    def open_spool() -> Sink:
        place = home()
        meta = Meta(
            run_id=run_id,
            store=store,
            experiment=stored_experiment(experiment),
            name=label[:RUN_NAME_LENGTH],
            params=params,
            tags=_made_by(),
            start_ms=time.time_ns() // 1_000_000,
        )
        return SpoolSink(place, meta, attempt=next_attempt(place, run_id))

    try:
        return open_spool()
    except (OSError, NoHomeError) as error:
        if is_interrupt(error):
            raise
        is_told = isinstance(error, (NoHomeError, NotPrivateError))  # which say themselves what would help
        remedy = "" if is_told else "Free the disk or set GROKSCOPE_HOME to a folder that can be written. "
        warn(
            f"cannot write a spool ({error}); nothing is kept until that is possible. {remedy}"
            "Training goes on."
        )
        return RetryingSink(open_spool)


def _made_by() -> dict[str, str]:
    with contained(warn, "where this run comes from was not recorded"):
        return {tag: plain_text(redacted(told)) for tag, told in provenance().items()}
    return {}


def _default_name(params: Mapping[str, str]) -> str | None:
    group, seed = param(params, "group"), param(params, "seed")
    return f"{group}, seed {seed}" if group and seed else group
