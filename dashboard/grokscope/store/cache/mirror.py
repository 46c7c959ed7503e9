"""The mirror: points on the local disk, so that a new process asks a store only for what is new.

A folder a store, in it numbered Parquet files of points and ``manifest.json``, which names those that count,
says which curves are complete in them, and up to where the store was read. A file is never changed: a saving
adds one, merged with its smaller predecessors, and then replaces the manifest. Whoever reads the manifest has
a whole state, at every moment and after every crash. One process writes: the first that acquires the lock.

Nothing in a mirror is needed, and nothing in it is believed that does not have its checksum: whatever is odd
about it empties it, is said once in the log, and the store is read again. A file is verified when it is first
read, and again when its status has changed (1.2 GiB/s; two million points, 27 MiB: 22 ms).
"""

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any

import polars as pl

from grokscope.schemas import empty_points
from grokscope.schemas.files.locks import FileLock
from grokscope.store.cache.curves import Curve, Key, curves_of
from grokscope.store.cache.files import Complete, Manifest, MirrorError, MirrorSegment, Print, ReplacedError

SAVE_S = 30.0
"""Longest time between savings of a process that keeps reading; what is not saved yet is read again."""

SAVE_ROWS = 200_000
MAX_ROWS = 20_000_000
"""Points of one store (some 250 MB); beyond, the next saving keeps the runs used last, up to half of this."""

_log = logging.getLogger(__name__)


class Mirror:
    """The mirror of one store; see ``open_mirror``. Safe to use from several threads.

    Args:
        folder: Where it is.
        store: Address without credentials, kept in the manifest.
        lock: Open file whose lock makes this process the writer; ``None`` for a reader.
        doubt: Why nothing in it can be believed; ``None`` if that is not known.
    """

    def __init__(
        self, folder: Path, *, store: str, lock: FileLock | None, doubt: MirrorError | None = None
    ) -> None:
        self._folder = folder
        self._lock = lock
        self._guard = Lock()
        self._verified: dict[str, Print] = {}
        self._saved_s = float("-inf")
        self._manifest = Manifest(store=store)
        try:
            self._manifest = Manifest.read(folder, store=store)
        except MirrorError as error:
            doubt = doubt or error
        if doubt is not None:
            self._tell(doubt)
            self._empty()

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
        """Add ``new`` rows by curve, and replace what is said; a disk that refuses ends the writing.

        Raises:
            MirrorError: If what was there already is missing or damaged.
        """
        with self._guard:
            try:
                self._save(new, state, complete)
            except (OSError, pl.exceptions.PolarsError):
                # What is on the disk is still the whole former state; this process goes on without.
                self._release()

    def reset(self) -> None:
        """Empty it, because the store is not what it was."""
        with self._guard:
            self._empty()

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
        added = MirrorSegment.write(self._folder / f"{self._manifest.number + 1:08d}.parquet", merged)
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

    def _rows(self, segment: MirrorSegment, chosen: pl.Expr) -> pl.DataFrame:
        try:
            verified = segment.verified(self._folder, self._verified.get(segment.name))
            self._verified[segment.name] = verified
            return segment.read(self._folder, chosen, verified=verified)
        except MirrorError as error:
            self._tell(error)
            raise

    def _tell(self, doubt: MirrorError) -> None:
        # What is missing to one that only reads was replaced by the writer: nothing is wrong.
        if self.is_writable or not isinstance(doubt, ReplacedError):
            _log.warning(
                "The mirror in %s is not believed, and the store is read again: %s.", self._folder, doubt
            )

    def _empty(self) -> None:
        self._manifest = self._manifest.emptied()
        self._saved_s = float("-inf")
        self._verified.clear()
        if self.is_writable:
            try:
                self._manifest.write(self._folder)
            except OSError:
                self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None
