"""One spool on its way into a sink: batch, send, acknowledge, move the cursor."""

import json
import logging
import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grokscope.collectors.ship.adoption import renew_lease
from grokscope.collectors.ship.sink import Ending, Refused, RunGone, Scalar, Sink, TooSlow
from grokscope.collectors.spool import (
    Cursor,
    Damage,
    Event,
    Meta,
    Read,
    SpoolReader,
    is_certain,
    opened,
    read_cursor,
    read_ending,
    remove_spool,
    replace_json,
    segments,
    set_aside,
    spent_segments,
    write_cursor,
    writer_is_alive,
)

_log = logging.getLogger(__name__)

BATCH = 1000
_SMALLEST_BATCH = 50
_BEAT_SECONDS = 10.0
# A cursor that lags costs only that a killed shipper's last second is sent again.
_CURSOR_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    parts: deque[tuple[Scalar, ...]]
    end: Event | None
    after: Cursor


class Delivery:
    """Delivers one spool; every call of ``advance`` is one batch of at most ``BATCH`` scalars.

    A crash between sending and moving the cursor makes the batch go out twice, which the sink stores
    once, since each scalar's time was fixed when it was logged.

    Args:
        folder: The spool.
        meta: What it is.
        sink: Where it goes.
        dead: File that takes the records which the sink refuses.
    """

    def __init__(self, folder: Path, meta: Meta, *, sink: Sink, dead: Path) -> None:
        self.is_done = False
        self.is_behind = False
        self.refused = 0
        self._folder = folder
        self._meta = meta
        self._sink = sink
        self._dead = dead
        self._damage = Damage(folder)
        self._reader = SpoolReader(folder, read_cursor(folder), damage=self._damage)
        self._records: Iterator[Read] = iter(())
        self._batch: _Batch | None = None
        self._batch_size = BATCH
        self._run: str | None = None
        self._next_beat = 0.0
        self._next_lease = 0.0
        self._delivered: Cursor | None = None
        self._next_cursor = time.monotonic() + _CURSOR_SECONDS
        self._last_ms = meta.start_ms

    @property
    def is_live(self) -> bool:
        """Whether the process that writes the spool still runs."""
        return writer_is_alive(self._folder, self._meta)

    def advance(self) -> int:
        """Deliver one batch; return how many scalars that were.

        Raises:
            Unavailable: If the sink cannot take it now; nothing is lost, call again later.
        """
        try:
            return self._advance()
        except (RunGone, Refused) as error:
            why = (
                f"{self._meta.store} has no place for the run ({error}); its points stay in {self._folder}. "
                "Restore the run and run 'grokscope sync', or delete that folder"
            )
            replace_json(self._folder / "state.json", {"state": "orphaned", "why": why})
            self.is_done = True
            return 0
        finally:
            if not self.is_behind:
                self._move_cursor()

    def _advance(self) -> int:
        self.is_behind = False
        self._renew_lease()
        is_alive = self.is_live  # asked before reading: what a dead writer left is complete
        if self._run is None:
            self._run = self._sink.open_run(self._meta)
        batch = self._batch = self._batch or self._next_batch()
        if is_alive:
            self._beat(self._run)
        if batch is None:
            if not is_alive:
                self._close_silent(self._run)
            return 0
        delivered = self._send_part(self._run, batch.parts) if batch.parts else 0
        if not batch.parts:
            self._acknowledge(self._run, batch)
            self._batch = None
        self.is_behind = self._batch is not None or delivered >= self._batch_size
        return delivered

    def _acknowledge(self, run: str, batch: _Batch) -> None:
        self._delivered = batch.after
        if batch.end is not None:
            self._close(run, batch.end)
            return
        spent = list(spent_segments(self._folder, batch.after))
        if spent or time.monotonic() >= self._next_cursor:
            self._move_cursor()
        for path in spent:
            self._keep_if_damaged(path)
            path.unlink(missing_ok=True)
        if spent:  # a cursor that found no room may find some now; segments that it does not tell seem lost
            self._move_cursor()

    def _move_cursor(self) -> None:
        """Note on disk what has arrived, before any of it is deleted."""
        if self._delivered is None or self.is_done:
            return
        self._next_cursor = time.monotonic() + _CURSOR_SECONDS
        try:
            self._damage.save()
            write_cursor(self._folder, self._delivered)
        except OSError as error:
            # A full disk. Going on is safe: an old cursor only means that points are sent once more, and
            # deleting what is sent is what makes room.
            _log.warning("%s: the cursor cannot be written (%s)", self._folder, error)
        else:
            self._delivered = None

    def _next_batch(self) -> _Batch | None:
        scalars: list[Scalar] = []
        end, after = None, None
        while len(scalars) < self._batch_size and end is None:
            read = next(self._records, None)
            if read is None:
                self._records = self._reader.read()
                read = next(self._records, None)
            if read is None:
                break
            record, after = read.record, read.after
            if isinstance(record, Event):
                end = record if record.content.get("event") == "end" else None
            else:
                pairs = zip(record.keys, record.values, strict=True)
                scalars += [Scalar(k, v, record.step, record.time_ms) for k, v in pairs]
                self._last_ms = record.time_ms
        if after is None:
            return None
        return _Batch(parts=deque(_parts(tuple(scalars), self._batch_size)), end=end, after=after)

    def _send_part(self, run: str, parts: deque[tuple[Scalar, ...]]) -> int:
        """Deliver the first part; halve it around a record that the sink refuses, and bury that one."""
        while True:
            part = parts[0]
            try:
                self._sink.send(run, part)
            except TooSlow:
                self._batch_size = max(_SMALLEST_BATCH, self._batch_size // 2)
                rest = tuple(scalar for part in parts for scalar in part)
                parts.clear()
                parts.extend(_parts(rest, self._batch_size))
                raise
            except Refused as error:
                if len(part) > 1:
                    parts.popleft()
                    parts.extendleft(reversed(list(_parts(part, (len(part) + 1) // 2))))
                    continue
                for scalar in part:
                    self._bury(scalar, str(error))
            parts.popleft()
            return len(part)

    def _bury(self, scalar: Scalar, why: str) -> None:
        self.refused += 1
        self._dead.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = opened(self._dead, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        with os.fdopen(fd, "a", encoding="utf-8") as file:
            file.write(json.dumps({**scalar._asdict(), "run": self._meta.run_id, "why": why}) + "\n")

    def _beat(self, run: str) -> None:
        """Note in the store that the trainer lives."""
        if time.monotonic() >= self._next_beat:
            self._sink.beat(run, time.time_ns() // 1_000_000)
            self._next_beat = time.monotonic() + _BEAT_SECONDS

    def _close_silent(self, run: str) -> None:
        """Close the run of a trainer that is dead, or taken for it, and has told no end among its records."""
        if not self._folder.exists():  # another shipper was faster
            self.is_done = True
        elif (end := read_ending(self._folder)) is not None:
            self._close(run, end)
        else:
            end = Event(content={"status": "KILLED", "time_ms": self._last_ms})
            self._close(run, end, may_return=not is_certain(self._meta))

    def _close(self, run: str, end: Event, *, may_return: bool = False) -> None:
        content = end.content
        self._reader.look_for_damage()
        ending = Ending(
            status=str(content.get("status", "KILLED")),
            time_ms=int(content.get("time_ms", self._last_ms)),
            attempt=self._meta.attempt,
            dropped=int(content.get("dropped", 0)),
            damage=self._damage.sentence,
        )
        self._sink.end_run(run, ending)
        if self._damage:
            self._damage.save()
            self._damage.report(self._dead.with_name(self._folder.name), run=self._meta.run_id)
        for _, path in segments(self._folder):
            self._keep_if_damaged(path)
        if may_return:
            self._move_cursor()
            set_aside(self._folder)
        else:
            remove_spool(self._folder)
        self.is_done = True

    def _renew_lease(self) -> None:
        if time.monotonic() >= self._next_lease:
            renew_lease(self._folder)
            self._next_lease = time.monotonic() + _BEAT_SECONDS

    def _keep_if_damaged(self, path: Path) -> None:
        """Save a segment that holds bytes nobody could read from being deleted."""
        if self._damage.holds(int(path.stem)):
            place = self._dead.with_name(f"{self._folder.name}.{path.name}")
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.replace(place)
            _log.warning(
                "a segment was damaged on disk; what could be read is sent, and it is kept as %s", place
            )


def _parts(scalars: tuple[Scalar, ...], size: int) -> Iterator[tuple[Scalar, ...]]:
    return (scalars[b : b + size] for b in range(0, len(scalars), size))
