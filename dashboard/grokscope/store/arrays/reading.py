"""Arrays of runs as one frame: what was read before is kept, and a bad file takes no other with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

import polars as pl

from grokscope.schemas.arrays import (
    ARRAY_SCHEMA,
    MOST_FILE_BYTES,
    MOST_RUN_FILE_BYTES,
    InvalidArraysError,
    arrays_in,
    is_array_file,
    latest_arrays,
)
from grokscope.schemas.files.parquet_check import ParquetCheck
from grokscope.store.arrays.artifacts import ArtifactFile, Artifacts
from grokscope.store.errors import BusyStoreError, StoreError, UnreachableError

KEPT_BYTES = 256 << 20
"""Arrays that are kept in memory, in all; what was read first goes first."""

MOST_FILES = 2_000
"""Files of one run that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArrays:
    """Arrays of runs, and what is to be said of those that could not be read.

    Attributes:
        frame: Rows of ``ARRAY_SCHEMA``, one a (run, name, step), sorted by the three.
        left_out: A sentence for each file, or run, that could not be read.
    """

    frame: pl.DataFrame
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    file: ArtifactFile
    frame: pl.DataFrame
    why_bad: str = ""


class ArrayReader:
    """Reads arrays from artifacts; safe to use from several threads.

    Args:
        artifacts: Where they lie.
    """

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._kept_bytes = 0
        self._guard = Lock()

    def read(self, run_ids: Sequence[str], names: Sequence[str] | None = None) -> StoredArrays:
        """Return the arrays of runs.

        Args:
            run_ids: Active runs.
            names: Of arrays; ``None`` for all.

        Raises:
            StoreError: If the store cannot be asked at all now.
        """
        frames, left_out = [ARRAY_SCHEMA.to_frame()], list[str]()
        with ParquetCheck(most_bytes=KEPT_BYTES) as check:
            for run_id in dict.fromkeys(run_ids):
                try:
                    for kept in self._of_run(run_id, check):
                        frames.append(kept.frame if names is None else _named(kept.frame, names))
                        if kept.why_bad:
                            name = kept.file.name
                            left_out.append(f"{name} of run {run_id!r} is left out: {kept.why_bad}.")
                except (UnreachableError, BusyStoreError):
                    raise
                except StoreError as error:
                    left_out.append(f"arrays of run {run_id!r} are left out: {error}")
        return StoredArrays(frame=latest_arrays(pl.concat(frames)), left_out=tuple(left_out))

    def forget(self) -> None:
        """Forget what was read."""
        with self._guard:
            self._kept, self._kept_bytes = {}, 0

    def _of_run(self, run_id: str, check: ParquetCheck) -> Iterator[_Kept]:
        files = sorted(file for file in self._artifacts.files(run_id) if is_array_file(file.name))
        total = 0
        for count, file in enumerate(files):
            total += file.size
            if count >= MOST_FILES or total > MOST_RUN_FILE_BYTES:
                raise StoreError(
                    f"it has {len(files):,} files with {sum(f.size for f in files):,} bytes; {MOST_FILES:,} "
                    f"files with {MOST_RUN_FILE_BYTES:,} bytes are read, and the rest are not."
                )
            with self._guard:
                kept = self._kept.get((run_id, file.name))
            if kept is None or kept.file != file:
                kept = self._read(run_id, file, kept, check)
            yield kept

    def _read(self, run_id: str, file: ArtifactFile, before: _Kept | None, check: ParquetCheck) -> _Kept:
        why = ""
        try:
            if file.size > MOST_FILE_BYTES:
                raise InvalidArraysError(f"it has {file.size:,} bytes, and may have {MOST_FILE_BYTES:,}")  # noqa: TRY301
            content = self._artifacts.content(run_id, file.name, most=MOST_FILE_BYTES)
            if problem := check.problem(content):
                raise InvalidArraysError(problem)  # noqa: TRY301
            frame = arrays_in(content, run_id=run_id)
        except InvalidArraysError as error:
            if before is not None and not before.why_bad:
                return before  # it is just being replaced, perhaps; all came in whole
            why, frame = str(error), ARRAY_SCHEMA.to_frame()
        kept = _Kept(file=file, frame=frame, why_bad=why)
        self._keep(run_id, kept)
        return kept

    def _keep(self, run_id: str, kept: _Kept) -> None:
        with self._guard:
            key = (run_id, kept.file.name)
            self._drop(key)
            self._kept[key] = kept
            self._kept_bytes += int(kept.frame.estimated_size())
            while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[str, str]) -> None:
        before = self._kept.pop(key, None)
        if before is not None:
            self._kept_bytes -= int(before.frame.estimated_size())


def _named(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    return frame.filter(pl.col("name").is_in(list(names)))
