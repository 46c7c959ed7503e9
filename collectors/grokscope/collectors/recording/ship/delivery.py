"""One spool on its way into a sink: batch, send, acknowledge, move the cursor."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grokscope.collectors.recording.ship.dead_letters import DeadLetters
from grokscope.collectors.recording.ship.ownership import renew_lease
from grokscope.collectors.recording.ship.sink import Refused, RunGone, RunMissing, Scalar, Sink, Unavailable
from grokscope.collectors.recording.ship.stored_run import BATCH, StoredRun, Waiting
from grokscope.collectors.recording.spool import (
    Cursor,
    Damage,
    Event,
    Meta,
    Read,
    SpoolReader,
    is_certain,
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

_BEAT_SECONDS = 10.0
# A cursor that lags costs only that a killed shipper's last second is sent again.
_CURSOR_SECONDS = 1.0
# Points of which the store has taken none so far, while it may take others of the run.
_MOST_DOUBTFUL = 2 * BATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
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
        clock: Seconds that only grow; they tell how long the sink has refused everything.
    """

    def __init__(
        self,
        folder: Path,
        meta: Meta,
        *,
        sink: Sink,
        dead: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_done = False
        self.is_behind = False
        self._folder = folder
        self._meta = meta
        self._dead = dead
        self._damage = Damage(folder)
        letters = DeadLetters(dead, run_id=meta.run_id)
        self._run = StoredRun(meta, sink=sink, letters=letters, clock=clock)
        self._reader = SpoolReader(folder, read_cursor(folder), damage=self._damage)
        self._records: Iterator[Read] = iter(())
        self._batch: _Batch | None = None
        self._next_beat = 0.0
        self._next_lease = 0.0
        self._delivered: Cursor | None = None
        self._next_cursor = time.monotonic() + _CURSOR_SECONDS
        self._last_ms = meta.start_ms

    @property
    def refused(self) -> int:
        """How many records the sink has refused."""
        return self._run.refused

    @property
    def is_live(self) -> bool:
        """Whether the process that writes the spool still runs."""
        return writer_is_alive(self._folder, self._meta)

    def advance(self) -> int:
        """Deliver one batch; return how many scalars that were.

        Raises:
            Unavailable: If the sink cannot take it now; nothing is lost, call again later.
        """
        patience = self._run.patience
        try:
            delivered = self._advance()
        except RunGone as error:
            if isinstance(error, RunMissing):
                patience.check(error)
            self._leave(f"has no place for the run ({error})", "Restore the run")
            return 0
        except Refused as error:
            patience.check(error)
            if self.is_live:
                # The next point may be one that it takes, and then it is the others that are bad.
                raise Waiting(f"it refuses a run ({error}); all of it is kept while it trains") from error
            self._leave(f"refuses the run ({error})", "Change what it complains of, there or in the spool,")
            return 0
        except Waiting:
            raise
        except Unavailable:
            patience.forget()
            raise
        else:
            patience.forget()
            return delivered
        finally:
            if not self.is_behind:
                self._move_cursor()

    def _advance(self) -> int:
        self.is_behind = False
        self._renew_lease()
        is_alive = self.is_live  # asked before reading: what a dead writer left is complete
        self._run.open()
        self._batch = self._batch or self._next_batch()
        if is_alive:
            self._beat()
        if self._batch is None:
            if not is_alive:
                self._close_silent()
            return 0
        delivered = self._send(self._batch) if self._run.waiting else 0
        if not self._run.waiting:
            self._acknowledge(self._batch)
            self._batch = None
        self.is_behind = self._batch is not None or delivered >= self._run.batch_size
        return delivered

    def _send(self, batch: _Batch) -> int:
        try:
            return self._run.send()
        except Refused:
            # If the store takes one of the next points, it is these that are bad.
            if batch.end is not None or self._run.waiting > _MOST_DOUBTFUL:
                raise
            more = self._next_batch()
            if more is None:
                raise
            self._batch = more
            return 0

    def _leave(self, why: str, remedy: str) -> None:
        """Leave the spool as it is until somebody has done something about the reason."""
        sentence = (
            f"{self._meta.store} {why}; its points stay in {self._folder}. {remedy} "
            "and run 'grokscope sync', or delete that folder"
        )
        replace_json(self._folder / "state.json", {"state": "orphaned", "why": sentence})
        self.is_done = True

    def _acknowledge(self, batch: _Batch) -> None:
        self._delivered = batch.after
        if batch.end is not None:
            self._close(batch.end)
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
        while len(scalars) < self._run.batch_size and end is None:
            try:
                read = self._next_read()
            except OSError:
                if after is None:
                    raise
                break  # what was read so far is not read again: it goes first, and the error comes again
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
        self._run.put(scalars)
        return _Batch(end=end, after=after)

    def _next_read(self) -> Read | None:
        read = next(self._records, None)
        if read is None:
            self._records = self._reader.read()
            read = next(self._records, None)
        return read

    def _beat(self) -> None:
        """Note in the store that the trainer lives."""
        if time.monotonic() >= self._next_beat:
            self._run.beat(time.time_ns() // 1_000_000)
            self._next_beat = time.monotonic() + _BEAT_SECONDS

    def _close_silent(self) -> None:
        """Close the run of a trainer that is dead, or taken for it, and has told no end among its records."""
        if not self._folder.exists():  # another shipper was faster
            self.is_done = True
        elif (end := read_ending(self._folder)) is not None:
            self._close(end)
        else:
            end = Event(content={"status": "KILLED", "time_ms": self._last_ms})
            self._close(end, may_return=not is_certain(self._meta))

    def _close(self, end: Event, *, may_return: bool = False) -> None:
        self._reader.look_for_damage()
        self._run.end(end.content, last_ms=self._last_ms, damage=self._damage.sentence)
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
