"""The files of a mirror: its manifest and its segments, each whole or not at all."""

import contextlib
import json
import os
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

FORMAT = 1
"""Raised when a manifest or a segment of today would be misread; a mirror of another format is emptied."""

MANIFEST = "manifest.json"
ROW_GROUP = 30_000
"""Rows that are skipped or read together: three curves of 10 000 points (10 of 1 000 such curves: 6 ms)."""

Names = frozenset[str] | None
Complete = dict[str, Names]
"""Run -> metrics that are complete; ``None`` for all that it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One Parquet file of points, sorted by run, metric and step."""

    name: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What counts in a mirror. ``used`` has the second at which a run was last read from it."""

    store: str
    state: Any = None
    complete: Complete = field(default_factory=Complete)
    segments: Sequence[Segment] = ()
    used: dict[str, int] = field(default_factory=dict[str, int])
    number: int = 0

    @classmethod
    def read(cls, folder: Path, *, store: str) -> "Manifest":
        """Return the manifest in ``folder``; an empty one if there is none that can be trusted."""
        try:
            found = json.loads((folder / MANIFEST).read_text("utf-8"))
            if (found.pop("format"), found["store"]) != (FORMAT, store):
                return cls(store=store)
            segments = [Segment(**segment) for segment in found.pop("segments")]
            if any(not (folder / segment.name).is_file() for segment in segments):
                return cls(store=store)
            complete = {run: _names(keys) for run, keys in found.pop("complete").items()}
            return cls(**found, segments=segments, complete=complete)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return cls(store=store)

    def write(self, folder: Path) -> None:
        """Replace the manifest in ``folder``, then remove the files that it does not name."""
        complete = {run: keys if keys is None else sorted(keys) for run, keys in self.complete.items()}
        written = {"format": FORMAT, **asdict(self), "complete": complete}
        with replacing(folder / MANIFEST) as unfinished:
            unfinished.write_text(json.dumps(written), "utf-8")
        named = {segment.name for segment in self.segments}
        for file in folder.glob("*.parquet"):
            if file.name not in named:
                file.unlink(missing_ok=True)

    def emptied(self) -> "Manifest":
        """Return a manifest of nothing; numbers of files are not given again."""
        return Manifest(store=self.store, number=self.number)

    def added(self, segments: Sequence[Segment], *, state: Any, complete: Complete) -> "Manifest":
        """Return the manifest after a saving."""
        used = {run: at for run, at in self.used.items() if run in complete}
        return replace(
            self, segments=segments, state=state, complete=complete, used=used, number=self.number + 1
        )

    def mergeable(self, rows: int) -> int:
        """Return from which segment on a saving of ``rows`` points takes the segments into its own.

        Those at the end that are at most twice as large: so sizes at least double towards the beginning,
        there are few files, and a point is written a logarithm of times.
        """
        first = len(self.segments)
        while first and self.segments[first - 1].rows <= 2 * rows:
            first -= 1
            rows += self.segments[first].rows
        return first


@contextlib.contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Give a path to write; then it is on the disk, under the name ``path``, whole or not at all."""
    unfinished = path.with_name(f".{path.name}.part")
    try:
        yield unfinished
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_segment(path: Path, points: pl.DataFrame) -> None:
    """Write ``points``, which are sorted, as a segment."""
    with replacing(path) as unfinished:
        points.write_parquet(unfinished, compression="lz4", row_group_size=ROW_GROUP, statistics=True)


def _names(keys: Sequence[str] | None) -> Names:
    return None if keys is None else frozenset(keys)
