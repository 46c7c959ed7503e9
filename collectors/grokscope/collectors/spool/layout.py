"""Folders and small files of a spool.

``<home>/spool/<run id>.<writer>/`` holds ``meta.json`` (what run this is and where it goes),
``NNNNNN.seg`` (records), ``cursor.json`` (how far they are shipped) and ``state.json`` (why they are not).
"""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from grokscope.collectors.spool.small_files import read_json, replace_json

_RETIRED = ".shipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What a spool is: written once, before its first record.

    Attributes:
        run_id: The run's id on the client side; MLflow's run carries it as tag ``grokscope.client_run_id``.
        store: MLflow tracking URI, without credentials.
        experiment: Name of the experiment.
        name: Name of the run.
        params: Flat params, as text.
        tags: Tags, as text.
        start_ms: When the run began, Unix time in ms.
        attempt: 1 for the first process that writes to this run, counting up on every resume.
        host: The machine that writes it.
        pid: The process that writes it.
        born: That process's start time, which tells it from a later process with the same pid.
        version: Version of this layout.
    """

    run_id: str
    store: str
    experiment: str
    name: str
    params: dict[str, str] = field(default_factory=dict[str, str])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    start_ms: int = 0
    attempt: int = 1
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    born: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cursor:
    """Everything before this place is in MLflow."""

    segment: int = 0
    offset: int = 0


def spools(home: Path) -> Path:
    """Return the folder that holds all spools."""
    return home / "spool"


def create_spool(home: Path, meta: Meta) -> Path:
    """Create a spool's folder (mode 0700) with its ``meta.json`` and return it.

    The folder appears under its own name only when it is complete, so a shipper never sees half of it.
    """
    root = spools(home)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{meta.run_id}.{meta.attempt}-{meta.pid}-{meta.start_ms}"
    hidden = root / f".{name}"
    hidden.mkdir(mode=0o700)
    replace_json(hidden / "meta.json", asdict(meta))
    return hidden.rename(root / name)


def next_attempt(home: Path, run_id: str) -> int:
    """Return 1 for the first process that writes to a run here, 2 for the one that resumes it, and so on."""
    path = home / "runs" / f"{run_id}.json"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    earlier = (read_json(path) or {}).get("attempt", 0)
    attempt = 1 + earlier if isinstance(earlier, int) else 1
    replace_json(path, {"attempt": attempt})
    return attempt


def find_spools(home: Path) -> list[Path]:
    """Return the folders of all spools that this user may read, oldest first."""
    found: list[tuple[int, str, Path]] = []
    for folder in _entries(spools(home)):
        # A shipper may remove a spool at any moment, and others' spools in a shared home are closed to us.
        with suppress(OSError):
            if not folder.name.startswith(".") and (folder / "meta.json").is_file():
                found.append((folder.stat().st_ctime_ns, folder.name, folder))
    return [folder for _, _, folder in sorted(found)]


def read_meta(folder: Path) -> Meta | None:
    """Return what a spool is, or ``None`` if it has gone, is damaged, or is of a later version."""
    raw = read_json(folder / "meta.json")
    if raw is None or raw.get("version") != 1:
        return None
    known = {f.name for f in fields(Meta)}
    try:
        return Meta(**{name: value for name, value in raw.items() if name in known})
    except TypeError:
        return None


def read_cursor(folder: Path) -> Cursor:
    """Return how far a spool is shipped; the beginning if nothing is, or if nobody can tell.

    Shipping from the beginning again is harmless: the store keeps each point once.
    """
    raw = read_json(folder / "cursor.json") or {}
    segment, offset = raw.get("segment"), raw.get("offset")
    if isinstance(segment, int) and isinstance(offset, int) and min(segment, offset) >= 0:
        return Cursor(segment=segment, offset=offset)
    return Cursor()


def write_cursor(folder: Path, cursor: Cursor) -> None:
    """Move the cursor so that the move survives a crash."""
    replace_json(folder / "cursor.json", asdict(cursor))


def segment_path(folder: Path, number: int) -> Path:
    """Return the path of segment ``number``."""
    return folder / f"{number:06d}.seg"


def segments(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield the segments that exist, in order of their numbers."""
    found = (path for path in _entries(folder) if path.suffix == ".seg" and path.stem.isdecimal())
    return iter(sorted((int(path.stem), path) for path in found))


def remove_spool(folder: Path) -> None:
    """Remove a spool that is wholly shipped.

    It loses its name first: a shipper killed in the middle must not leave half a spool behind, which the
    next one would take for that of a trainer that died.
    """
    retired = folder.rename(folder.with_name(f".{folder.name}{_RETIRED}"))
    shutil.rmtree(retired, ignore_errors=True)


def remove_retired(home: Path) -> None:
    """Remove what killed shippers have left of spools that were wholly shipped."""
    for folder in _entries(spools(home)):
        if folder.name.startswith(".") and folder.name.endswith(_RETIRED):
            shutil.rmtree(folder, ignore_errors=True)


def _entries(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in os.listdir(folder)]  # noqa: PTH208 - iterdir lists lazily, and the folder may go
    except OSError:
        return []
