"""The mirror: points on the local disk, so that a new process asks a store only for what is new.

A folder a store, in it numbered Parquet files of points and ``manifest.json``, which names those that count,
says which curves are complete in them, and up to where the store was read. A file is never changed: a saving
adds one, merged with its smaller predecessors, and then replaces the manifest. Whoever reads the manifest has
a whole state, at every moment and after every crash. One process writes: the first that takes the lock.

Nothing in a mirror is needed: whatever is odd about it empties it, and the store is read again.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any

import polars as pl

from grokscope.schemas import empty_points
from grokscope.store.curves import Curve, Key, curves_of
from grokscope.store.mirror_files import Complete, Manifest, Segment, write_segment
from grokscope.store.writer_lock import WriterLock

SAVE_S = 30.0
"""Longest time between savings of a process that keeps reading; what is not saved yet is read again."""

SAVE_ROWS = 200_000
MAX_ROWS = 20_000_000
"""Points of one store (some 250 MB); beyond, the next saving keeps the runs used last, up to half of this."""


class MirrorError(Exception):
    """A file of the mirror is not what the manifest says: read the store instead."""


class Mirror:
    """The mirror of one store; see ``open_mirror``. Safe to use from several threads.

    Args:
        folder: Where it is.
        store: Address without credentials, kept in the manifest.
        lock: Open file whose lock makes this process the writer; ``None`` for a reader.
    """

    def __init__(self, folder: Path, *, store: str, lock: WriterLock | None) -> None:
        self._folder = folder
        self._lock = lock
        self._guard = Lock()
        self._manifest = Manifest.read(folder, store=store)
        self._saved_s = float("-inf")

    @property
    def state(self) -> Any:
        """What the last saving said about where the store was read up to; ``None`` in an empty mirror."""
        return self._manifest.state

    @property
    def complete(self) -> Complete:
        """Run -> metrics whose points are all here up to ``state`` (``None``: all that it has)."""
        return dict(self._manifest.complete)

    @property
    def is_writable(self) -> bool:
        """Say whether this process is the writer."""
        return self._lock is not None

    def is_due(self, rows: int, *, now: bool = False) -> bool:
        """Say whether ``rows`` new points should be saved, be it ``now`` or because it is time."""
        is_time = now or rows >= SAVE_ROWS or time.monotonic() - self._saved_s >= SAVE_S
        return self.is_writable and rows > 0 and is_time

    def read(self, run_ids: Sequence[str], metrics: Sequence[str] | None) -> list[pl.DataFrame]:
        """Return the points of ``run_ids`` and ``metrics``, a sorted frame a saving that has some.

        Raises:
            MirrorError: If a file is missing or damaged.
        """
        chosen = pl.col("run_id").is_in(list(run_ids))
        if metrics is not None:
            chosen &= pl.col("metric").is_in(list(metrics))
        with self._guard:
            self._manifest.used.update(dict.fromkeys(run_ids, int(time.time())))
            return [self._rows(segment, chosen) for segment in self._manifest.segments]

    def save(self, new: Mapping[Key, Sequence[pl.DataFrame]], *, state: Any, complete: Complete) -> None:
        """Add ``new`` rows by curve, and replace what is said; a disk that refuses ends the writing."""
        with self._guard:
            try:
                self._save(new, state, complete)
            except (OSError, MirrorError, pl.exceptions.PolarsError):
                # What is on the disk is still the whole former state; this process goes on without.
                self._release()

    def reset(self) -> None:
        """Empty it, because the store is not what it was."""
        with self._guard:
            self._manifest = self._manifest.emptied()
            self._saved_s = float("-inf")
            if self.is_writable:
                self._manifest.write(self._folder)

    def close(self) -> None:
        """Let another process write."""
        with self._guard:
            self._release()

    def _save(self, new: Mapping[Key, Sequence[pl.DataFrame]], state: Any, complete: Complete) -> None:
        segments, rows = self._manifest.segments, sum(part.height for parts in new.values() for part in parts)
        is_full = rows + sum(segment.rows for segment in segments) > MAX_ROWS
        first = 0 if is_full else self._manifest.mergeable(rows)
        curves = curves_of(self._rows(segment, pl.lit(value=True)) for segment in segments[first:])
        for key, added_parts in new.items():
            for part in added_parts:
                curves.setdefault(key, Curve()).add(part)
        if is_full:
            complete = {run: complete[run] for run in self._last_used(curves) if run in complete}
        parts = [
            part for (run, _), curve in sorted(curves.items()) if run in complete for part in curve.parts
        ]
        merged = pl.concat([empty_points(), *parts])
        added = Segment(name=f"{self._manifest.number + 1:08d}.parquet", rows=merged.height)
        write_segment(self._folder / added.name, merged)
        self._manifest = self._manifest.added([*segments[:first], added], state=state, complete=complete)
        self._manifest.write(self._folder)
        self._saved_s = time.monotonic()

    def _last_used(self, curves: dict[Key, Curve]) -> set[str]:
        """Return the runs used last that fill half of the room."""
        rows: Counter[str] = Counter()
        for (run, _), curve in curves.items():
            rows[run] += curve.height
        runs = sorted(rows, key=lambda run: self._manifest.used.get(run, 0), reverse=True)
        filled = accumulate(rows[run] for run in runs)
        return {run for run, so_far in zip(runs, filled, strict=True) if so_far <= MAX_ROWS // 2}

    def _rows(self, segment: Segment, chosen: pl.Expr) -> pl.DataFrame:
        try:
            return pl.scan_parquet(self._folder / segment.name, glob=False).filter(chosen).collect()
        except (OSError, pl.exceptions.PolarsError) as error:
            raise MirrorError(f"{self._folder / segment.name}: {error}") from error

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None
