"""One spool on its way into a sink: batch, send, acknowledge, move the cursor."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grokscope.collectors.ship.sink import Refused, RunGone, Scalar, Sink, TooSlow
from grokscope.collectors.spool import (
    Cursor,
    Event,
    Meta,
    Read,
    SpoolReader,
    read_cursor,
    replace_json,
    spent_segments,
    write_cursor,
    writer_is_alive,
)

BATCH = 1000
_SMALLEST_BATCH = 50
_BEAT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    scalars: tuple[Scalar, ...]
    end: Event | None
    after: Cursor


class Delivery:
    """Delivers one spool; every call of ``advance`` is one batch.

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
        self.refused = 0
        self._folder = folder
        self._meta = meta
        self._sink = sink
        self._dead = dead
        self._reader = SpoolReader(folder, read_cursor(folder))
        self._records: Iterator[Read] = iter(())
        self._batch: _Batch | None = None
        self._batch_size = BATCH
        self._run: str | None = None
        self._next_beat = 0.0
        self._last_ms = meta.start_ms

    @property
    def is_live(self) -> bool:
        """Whether the process that writes the spool still runs."""
        return writer_is_alive(self._meta)

    def advance(self) -> int:
        """Deliver one batch; return how many scalars that were.

        Raises:
            Unavailable: If the sink cannot take it now; nothing is lost, call again later.
        """
        try:
            return self._advance()
        except (RunGone, Refused) as error:
            why = f"{self._meta.store} has no place for the run ({error}); its points stay in {self._folder}"
            replace_json(self._folder / "state.json", {"state": "orphaned", "why": why})
            self.is_done = True
            return 0

    def _advance(self) -> int:
        is_alive = self.is_live  # asked before reading: what a dead writer left is complete
        if self._run is None:
            self._run = self._sink.open_run(self._meta)
        batch = self._batch = self._batch or self._next_batch()
        if batch is None:
            self._rest(self._run, is_alive=is_alive)
            return 0
        self._send(self._run, batch.scalars)
        if batch.end is not None:
            self._close(self._run, str(batch.end.content["status"]), int(batch.end.content["time_ms"]))
        else:
            write_cursor(self._folder, batch.after)
            for path in spent_segments(self._folder, batch.after):
                path.unlink()
        self._batch = None
        return len(batch.scalars)

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
        return None if after is None else _Batch(scalars=tuple(scalars), end=end, after=after)

    def _send(self, run: str, scalars: tuple[Scalar, ...]) -> None:
        try:
            for part in _parts(scalars, self._batch_size):
                self._send_or_bisect(run, part)
        except TooSlow:
            self._batch_size = max(_SMALLEST_BATCH, self._batch_size // 2)
            raise

    def _send_or_bisect(self, run: str, scalars: tuple[Scalar, ...]) -> None:
        """Deliver all but the records that the sink refuses; those go to the dead-letter file."""
        try:
            self._sink.send(run, scalars)
        except Refused as error:
            if len(scalars) == 1:
                self._bury(scalars[0], str(error))
                return
            half = len(scalars) // 2
            self._send_or_bisect(run, scalars[:half])
            self._send_or_bisect(run, scalars[half:])

    def _bury(self, scalar: Scalar, why: str) -> None:
        self.refused += 1
        self._dead.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(self._dead, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "a", encoding="utf-8") as file:
            file.write(json.dumps({**scalar._asdict(), "run": self._meta.run_id, "why": why}) + "\n")

    def _rest(self, run: str, *, is_alive: bool) -> None:
        """Nothing to send: note that the trainer lives, or close the run of one that died silently."""
        now = time.monotonic()
        if is_alive:
            if now >= self._next_beat:
                self._sink.beat(run, time.time_ns() // 1_000_000)
                self._next_beat = now + _BEAT_SECONDS
        else:
            self._close(run, "KILLED", self._last_ms)

    def _close(self, run: str, status: str, time_ms: int) -> None:
        self._sink.end_run(run, status, time_ms)
        shutil.rmtree(self._folder)
        self.is_done = True


def _parts(scalars: tuple[Scalar, ...], size: int) -> Iterator[tuple[Scalar, ...]]:
    return (scalars[b : b + size] for b in range(0, len(scalars), size))
