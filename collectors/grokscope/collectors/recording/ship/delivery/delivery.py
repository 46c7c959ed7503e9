"""One spool on its way into a store: batch, send, acknowledge, move the cursor."""

import time
from collections.abc import Callable
from pathlib import Path

from grokscope.collectors.recording.ship.delivery.array_files import ArrayFiles
from grokscope.collectors.recording.ship.delivery.dead_letters import DeadLetters
from grokscope.collectors.recording.ship.delivery.interval import Interval
from grokscope.collectors.recording.ship.delivery.run_upload import RefusedForNow, RunUpload
from grokscope.collectors.recording.ship.delivery.shipped_spool import ShippedSpool
from grokscope.collectors.recording.ship.delivery.spool_batches import SpoolBatch, SpoolBatches
from grokscope.collectors.recording.ship.ownership import renew_lease
from grokscope.collectors.recording.ship.run_store import Refused, RunGone, RunMissing, RunStore, Unavailable
from grokscope.collectors.recording.spool import (
    Cursor,
    Event,
    Meta,
    is_certain,
    read_ending,
    writer_is_alive,
)
from grokscope.schemas.limits import METRICS_A_CALL

_HEARTBEAT_SECONDS = 10.0
# Points of which the store has taken none so far, while it may take others of the run.
_MOST_DOUBTFUL = 2 * METRICS_A_CALL


class Delivery:
    """Delivers one spool; every call of ``advance`` is one batch of at most ``METRICS_A_CALL`` scalars.

    A crash between sending and moving the cursor makes the batch go out twice, which the store keeps once,
    since each scalar's time was fixed when it was logged.

    Args:
        folder: The spool.
        meta: What it is.
        run_store: Where it goes.
        dead_letters: File that takes the records which the store refuses.
        clock: Seconds that only grow; they tell how long the store has refused everything.

    Attributes:
        is_done: Whether nothing is left to do.
        is_behind: Whether more waits to be sent at once.
    """

    def __init__(
        self,
        folder: Path,
        meta: Meta,
        *,
        run_store: RunStore,
        dead_letters: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_done = False
        self.is_behind = False
        self._meta = meta
        self._spool = ShippedSpool(folder, kept=dead_letters.parent)
        self._batches = SpoolBatches(folder, self._spool.damage, start_ms=meta.start_ms)
        self._batch: SpoolBatch | None = None
        letters = DeadLetters(dead_letters, run_id=meta.run_id)
        self._run = RunUpload(meta, run_store=run_store, letters=letters, clock=clock)
        writer = folder.name.removeprefix(f"{meta.run_id}.")
        self._arrays = ArrayFiles(self._run, writer=writer, kept=dead_letters.parent)
        self._arrays.add(self._batches.unfinished)
        self._after: Cursor | None = None
        self._heartbeats = Interval(_HEARTBEAT_SECONDS)
        self._lease_renewals = Interval(_HEARTBEAT_SECONDS)

    @property
    def is_live(self) -> bool:
        """Whether the process that writes the spool still runs."""
        return writer_is_alive(self._spool.folder, self._meta)

    def advance(self) -> int:
        """Deliver one batch; return how many scalars and arrays that were.

        Raises:
            Unavailable: If the store cannot take it now; nothing is lost, call again later.
        """
        refusals = self._run.refusals
        try:
            delivered = self._advance()
        except RunGone as error:
            if isinstance(error, RunMissing):
                refusals.check(error)
            self._leave(f"has no place for the run ({error})", "Restore the run")
            return 0
        except Refused as error:
            refusals.check(error)
            if self.is_live:
                # The next point may be one that it takes, and then it is the others that are bad.
                why = f"it refuses a run ({error}); all of it is kept while it trains"
                raise RefusedForNow(why) from error
            self._leave(f"refuses the run ({error})", "Change what it complains of, there or in the spool,")
            return 0
        except RefusedForNow:
            raise
        except Unavailable:
            refusals.forget()
            raise
        else:
            refusals.forget()
            return delivered
        finally:
            if not self.is_behind:
                self._spool.move_cursor()

    def _advance(self) -> int:
        self.is_behind = False
        if not self._spool.folder.exists():  # another shipper was faster, or the run was withdrawn
            self.is_done = True
            return 0
        self._renew_lease()
        is_alive = self.is_live  # asked before reading: what a dead writer left is complete
        self._run.open()
        self._batch = self._batch or self._next_batch()
        if is_alive:
            self._heartbeat()
        if self._batch is None:
            if is_alive:
                self._send_arrays()
            else:
                self._close_silent()
            return 0
        delivered = self._send(self._batch) if self._run.waiting else 0
        is_full = self._batch.is_full
        if not self._run.waiting:
            self._acknowledge(self._batch)
            delivered += len(self._batch.arrays)
            self._batch = None
        self.is_behind = self._batch is not None or is_full
        return delivered

    def _send(self, batch: SpoolBatch) -> int:
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
        self._spool.leave(
            f"{self._meta.store} {why}; its points stay in {self._spool.folder}. {remedy} "
            "and run 'grokscope sync', or delete that folder"
        )
        self.is_done = True

    def _acknowledge(self, batch: SpoolBatch) -> None:
        if batch.end is not None:
            self._close(batch.end)
        else:
            self._arrays.advance(until=batch.after)
            self._after = batch.after
            self._spool.acknowledge(batch.after, arrays=self._arrays.begin)

    def _send_arrays(self) -> None:
        """Send the file of arrays that still grows if it is due."""
        begin = self._arrays.begin
        self._arrays.advance(until=self._after or Cursor())
        if self._after is not None and self._arrays.begin != begin:
            self._spool.acknowledge(self._after, arrays=self._arrays.begin)

    def _next_batch(self) -> SpoolBatch | None:
        batch = self._batches.next(self._run.batch_size)
        if batch is not None:
            self._run.add(batch.scalars)
            self._arrays.add(batch.arrays)
        return batch

    def _heartbeat(self) -> None:
        """Note in the store that the trainer lives."""
        if self._heartbeats.is_due():
            self._run.heartbeat(time.time_ns() // 1_000_000)
            self._heartbeats.begin()

    def _close_silent(self) -> None:
        """Close the run of a trainer that is dead, or taken for it, and has told no end among its records."""
        if (end := read_ending(self._spool.folder)) is not None:
            self._close(end)
        else:
            end = Event(content={"status": "KILLED", "time_ms": self._batches.last_ms})
            self._close(end, may_return=not is_certain(self._meta))

    def _close(self, end: Event, *, may_return: bool = False) -> None:
        self._arrays.advance(until=self._after or Cursor(), is_end=True)
        self._batches.look_for_damage()
        self._run.end(end.content, last_ms=self._batches.last_ms, damage=self._spool.damage.sentence)
        self._spool.close(run_id=self._meta.run_id, may_return=may_return)
        self.is_done = True

    def _renew_lease(self) -> None:
        if self._lease_renewals.is_due():
            renew_lease(self._spool.folder)
            self._lease_renewals.begin()
