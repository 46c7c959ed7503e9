"""Folders and small files of a spool.

``<home>/spool/<run id>.<writer>/`` holds ``meta.json`` (what run this is and where it goes),
``NNNNNN.seg`` (records), ``writer`` (who writes them lives), ``cursor.json`` (how far they are shipped),
``shipper`` (who ships them lives) and ``state.json`` (why nobody can).
"""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from grokscope.collectors.spool.small_files import age_seconds, read_json, replace_json

_RETIRED, _ASIDE = ".shipped", ".silent"
_ASIDE_SECONDS = 7 * 86_400.0


def kernel() -> str:
    """Return what names the running kernel: one machine between two starts, all its containers included."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return socket.gethostname()


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
        host: The machine, or container, that writes it.
        kernel: What runs there; see ``kernel``. Empty in spools of earlier versions.
        pid: The process that writes it, as it sees itself.
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
    kernel: str = field(default_factory=kernel)
    pid: int = field(default_factory=os.getpid)
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
    """Create a spool's folder (mode 0700) with its ``meta.json`` and return it."""
    return publish_spool(prepare_spool(home, meta))


def prepare_spool(home: Path, meta: Meta) -> Path:
    """Create a spool that no shipper sees until it is complete and published."""
    root = spools(home)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    hidden = root / f".{meta.run_id}.{meta.attempt}-{meta.pid}-{meta.start_ms}"
    hidden.mkdir(mode=0o700)
    replace_json(hidden / "meta.json", asdict(meta))
    return hidden


def publish_spool(hidden: Path) -> Path:
    """Let shippers see a prepared spool; return its folder."""
    return hidden.rename(hidden.with_name(hidden.name.removeprefix(".")))


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
    raw.setdefault("kernel", "")
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
    with suppress(FileNotFoundError):  # somebody else has done it
        shutil.rmtree(_renamed(folder, _RETIRED), ignore_errors=True)


def set_aside(folder: Path) -> None:
    """Put away a spool whose writer is taken for dead and may not be; see ``reclaim``."""
    with suppress(FileNotFoundError):
        _renamed(folder, _ASIDE)


def reclaim(folder: Path) -> None:
    """Bring back a spool that was set aside while its writer was silent."""
    with suppress(OSError):
        folder.with_name(f".{folder.name}{_ASIDE}").rename(folder)


def remove_retired(home: Path) -> None:
    """Remove what killed shippers have left of shipped spools, and what nobody has come back to."""
    for folder in _entries(spools(home)):
        is_old = folder.name.endswith(_ASIDE) and age_seconds(folder) > _ASIDE_SECONDS
        if folder.name.startswith(".") and (folder.name.endswith(_RETIRED) or is_old):
            shutil.rmtree(folder, ignore_errors=True)


def _renamed(folder: Path, ending: str) -> Path:
    return folder.rename(folder.with_name(f".{folder.name}{ending}"))


def _entries(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in os.listdir(folder)]  # noqa: PTH208 - iterdir lists lazily, and the folder may go
    except OSError:
        return []
