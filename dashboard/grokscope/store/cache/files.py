"""The files of a mirror, its manifest and its segments: each whole or not at all, each with a checksum."""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

import polars as pl

from grokscope.schemas.files.private import reading
from grokscope.schemas.files.replacing import replacing

FORMAT = 2
"""Raised when a manifest or a segment of today would be misread; a mirror of another format is emptied."""

MANIFEST = "manifest.json"
LOCK = "lock"
ROW_GROUP = 30_000
"""Rows that are skipped or read together: three curves of 10 000 points (10 of 1 000 such curves: 6 ms)."""

MAX_MANIFEST = 256 << 20
_FORMAT = re.compile(rb'\{"format": (\d{1,9}), ')
_WRITTEN = re.compile(rb'\{"format": \d+, "checksum": "([0-9a-f]{32})", "manifest": (.*)\}', re.DOTALL)
_SEGMENT = re.compile(r"[0-9]{8,18}\.parquet")
_CHECKSUM = re.compile(r"[0-9a-f]{32}")

Names = frozenset[str] | None
Complete = dict[str, Names]
"""Run -> metrics that are complete; ``None`` for all that it has."""

Print = tuple[int, int, int, int, int]
"""What a file's status says that changes whenever its content does."""


class MirrorError(Exception):
    """A file of the mirror is not what was written: read the store instead."""


class ReplacedError(MirrorError):
    """A file of the mirror is not there any more; to one that only reads, the writer may have replaced it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorSegment:
    """One Parquet file of points, sorted by run, metric and step; the checksum is that of its bytes."""

    name: str
    rows: int
    size: int
    checksum: str

    @classmethod
    def write(cls, path: Path, points: pl.DataFrame) -> "MirrorSegment":
        """Write ``points``, which are sorted, to ``path``."""
        with replacing(path) as unfinished:
            points.write_parquet(unfinished, compression="lz4", row_group_size=ROW_GROUP, statistics=True)
            with reading(unfinished, may_be_read=False) as file:
                return cls(
                    name=path.name,
                    rows=points.height,
                    size=os.fstat(file.fileno()).st_size,
                    checksum=checksum(file),
                )

    def verified(self, folder: Path, known: Print | None) -> Print:
        """Return the print of the segment's file once its bytes are those that were written.

        Args:
            folder: Where it is.
            known: The print of the file when it was last verified: as long as it stays, nothing is read.

        Raises:
            MirrorError: If it is another file.
        """
        path = folder / self.name
        try:
            with reading(path, may_be_read=False) as file:
                seen = _print(os.fstat(file.fileno()))
                if seen == known:
                    return seen
                if os.fstat(file.fileno()).st_size != self.size or checksum(file) != self.checksum:
                    raise MirrorError(f"{self.name} is not what was written")
            rows = int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())
        except FileNotFoundError as error:
            raise ReplacedError(f"{self.name} is missing") from error
        except (OSError, pl.exceptions.PolarsError) as error:
            raise MirrorError(f"{self.name} cannot be read ({error})") from error
        if rows != self.rows:
            raise MirrorError(f"{self.name} has {rows} rows, and {self.rows} were written")
        return seen

    def read(self, folder: Path, chosen: pl.Expr, *, verified: Print) -> pl.DataFrame:
        """Return the ``chosen`` rows of the file that was ``verified``.

        Raises:
            MirrorError: If it was replaced or changed meanwhile, or cannot be read.
        """
        path = folder / self.name
        try:
            found = pl.scan_parquet(path, glob=False).filter(chosen).collect()
            if _print(path.lstat()) != verified:
                raise MirrorError(f"{self.name} has changed while it was read")
        except FileNotFoundError as error:
            raise ReplacedError(f"{self.name} is missing") from error
        except (OSError, pl.exceptions.PolarsError) as error:
            raise MirrorError(f"{self.name} cannot be read ({error})") from error
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What counts in a mirror. ``used`` has the second at which a run was last read from it."""

    store: str
    state: Any = None
    complete: Complete = field(default_factory=Complete)
    segments: Sequence[MirrorSegment] = ()
    used: dict[str, int] = field(default_factory=dict[str, int])
    number: int = 0

    @classmethod
    def read(cls, folder: Path, *, store: str) -> "Manifest":
        """Return the manifest in ``folder``; an empty one if there is none.

        Raises:
            MirrorError: If it, or what it names, is not what was written.
        """
        try:
            with reading(folder / MANIFEST, may_be_read=False) as file:
                written = file.read(2 * MAX_MANIFEST)  # a longer one is cut, and then damaged
        except FileNotFoundError:
            return cls(store=store)
        except OSError as error:
            raise MirrorError(str(error)) from error
        manifest = _manifest(_body(written))
        if manifest.store != store:
            raise MirrorError("it is of another store")
        for segment in manifest.segments:
            _check_size(folder / segment.name, segment.size)
        return manifest

    def write(self, folder: Path) -> None:
        """Replace the manifest in ``folder``, then remove the files that it does not name.

        Raises:
            OSError: If the disk refuses, or what there is to say is too long.
        """
        complete = {run: keys if keys is None else sorted(keys) for run, keys in self.complete.items()}
        body = json.dumps({**asdict(self), "complete": complete}).encode()
        head = f'{{"format": {FORMAT}, "checksum": "{checksum_of(body)}", "manifest": '.encode()
        if len(body) > MAX_MANIFEST:
            raise OSError(f"the manifest of {folder} would be too long")
        with replacing(folder / MANIFEST) as unfinished:
            unfinished.write_bytes(head + body + b"}")
        named = {segment.name for segment in self.segments} | {MANIFEST, LOCK}
        for file in folder.iterdir():
            if file.name not in named:
                with suppress(OSError):
                    file.unlink()

    def emptied(self) -> "Manifest":
        """Return a manifest of nothing; numbers of files are not given again."""
        return Manifest(store=self.store, number=self.number)

    def added(self, segments: Sequence[MirrorSegment], *, state: Any, complete: Complete) -> "Manifest":
        """Return the manifest after a saving."""
        used = {run: at for run, at in self.used.items() if run in complete}
        return replace(
            self, segments=segments, state=state, complete=complete, used=used, number=self.number + 1
        )

    def mergeable(self, rows: int) -> int:
        """Return from which segment on a saving of ``rows`` points merges the segments into its own.

        Those at the end that are at most twice as large: so sizes at least double towards the beginning,
        there are few files, and a point is written a logarithm of times.
        """
        first = len(self.segments)
        while first and self.segments[first - 1].rows <= 2 * rows:
            first -= 1
            rows += self.segments[first].rows
        return first


def checksum(file: BufferedReader) -> str:
    """Return the checksum of what is left to read in ``file``, whatever its size, in little memory."""
    return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def checksum_of(content: bytes) -> str:
    """Return the checksum of ``content``.

    >>> checksum_of(b"points")
    'a63e1c3ec43394b3574a764c85cc221d'
    """
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _body(written: bytes) -> Any:
    """Return what a manifest says, if these are the bytes that were written."""
    version = _FORMAT.match(written)
    if version is not None and int(version[1]) != FORMAT:
        raise MirrorError(f"it is of version {int(version[1])}, and {FORMAT} is read here")
    found = _WRITTEN.fullmatch(written)
    if version is None or found is None or checksum_of(found[2]) != found[1].decode():
        raise MirrorError("its manifest is damaged")
    try:
        return json.loads(found[2])
    except (ValueError, RecursionError) as error:
        raise MirrorError("its manifest is no JSON") from error


def _manifest(said: Any) -> Manifest:
    """Return the manifest that ``said`` is; every part of it is checked here, and nowhere else."""
    try:
        segments = [MirrorSegment(**segment) for segment in said.pop("segments")]
        complete = {str(run): _names(keys) for run, keys in said.pop("complete").items()}
        manifest = Manifest(**said, segments=segments, complete=complete)
        is_sound = (
            _is_count(manifest.number)
            and all(_is_count(at) for at in manifest.used.values())
            and all(_is_sound(segment) for segment in segments)
        )
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise MirrorError("its manifest says something else than a manifest does") from error
    if not is_sound:
        raise MirrorError("its manifest says something else than a manifest does")
    return manifest


def _is_sound(segment: MirrorSegment) -> bool:
    counts = _is_count(segment.rows) and _is_count(segment.size)
    named = bool(_SEGMENT.fullmatch(segment.name)) and bool(_CHECKSUM.fullmatch(segment.checksum))
    return counts and named


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _names(keys: Any) -> Names:
    if keys is None:
        return None
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in cast("list[Any]", keys)):
        raise TypeError
    return frozenset(cast("list[str]", keys))


def _check_size(path: Path, size: int) -> None:
    try:
        found = path.lstat().st_size
    except OSError as error:
        raise ReplacedError(f"{path.name} is missing") from error
    if found != size:
        raise MirrorError(f"{path.name} has {found} bytes, and {size} were written")


def _print(status: os.stat_result) -> Print:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
