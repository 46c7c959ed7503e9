"""Folders and small files of a spool.

``<home>/spool/<run id>.<writer>/`` holds ``meta.json`` (what run this is and where it goes),
``NNNNNN.seg`` (records), ``cursor.json`` (how far they are shipped) and ``state.json`` (why they are not).
"""

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]


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
    attempt = 1 + (_read_json(path) or {}).get("attempt", 0)
    replace_json(path, {"attempt": attempt})
    return attempt


def find_spools(home: Path) -> list[Path]:
    """Return the folders of all spools, oldest first."""
    found = (p for p in spools(home).glob("[!.]*") if (p / "meta.json").is_file())
    return sorted(found, key=lambda p: (p.stat().st_ctime_ns, p.name))


def read_meta(folder: Path) -> Meta | None:
    """Return what a spool is, or ``None`` if it has gone or is of a later version."""
    raw = _read_json(folder / "meta.json")
    return Meta(**raw) if raw is not None and raw.get("version") == 1 else None


def read_cursor(folder: Path) -> Cursor:
    """Return how far a spool is shipped; the beginning if nothing is."""
    raw = _read_json(folder / "cursor.json")
    return Cursor(**raw) if raw is not None else Cursor()


def write_cursor(folder: Path, cursor: Cursor) -> None:
    """Move the cursor so that the move survives a crash."""
    replace_json(folder / "cursor.json", asdict(cursor))


def segment_path(folder: Path, number: int) -> Path:
    """Return the path of segment ``number``."""
    return folder / f"{number:06d}.seg"


def segments(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield the segments that exist, in order of their numbers."""
    for path in sorted(folder.glob("[0-9]*.seg")):
        yield int(path.stem), path


def replace_json(path: Path, content: Json) -> None:
    """Write ``content`` to ``path`` durably: either the old file or the whole new one, mode 0600."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def process_born(pid: int) -> str | None:
    """Return the start time of a process as text, ``None`` if there is no such process.

    Where the platform does not tell (no ``/proc``), the empty string stands for any living process.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[19]
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return ""
    return "" if not Path("/proc/self/stat").exists() else None


def writer_is_alive(meta: Meta) -> bool:
    """Say whether the process that writes this spool still runs (on another host: assume so)."""
    if meta.host != socket.gethostname():
        return True
    born = process_born(meta.pid)
    return born is not None and born == meta.born


def _read_json(path: Path) -> Json | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
