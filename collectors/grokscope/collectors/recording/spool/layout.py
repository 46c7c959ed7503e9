"""Folders and small files of a spool.

``<home>/spool/<run id>.<writer>/`` holds ``meta.json`` (what run this is and where it goes),
``NNNNNN.seg`` (records), ``writer`` (who writes them lives), ``cursor.json`` (how far they are shipped),
``shipper`` (who ships them lives), ``damage.json`` (what cannot be read of it) and ``state.json`` (why nobody
can ship it). Folders have mode 0700 and files 0600; what somebody else may have written is refused.
"""

import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from grokscope.collectors.recording.spool.meta import Meta
from grokscope.collectors.recording.spool.small_files import (
    age_seconds,
    read_json,
    replace_json,
    whole_number,
)
from grokscope.schemas.files.private import check_place, is_private, private_folder
from grokscope.schemas.files.spools import META, entries, spools

_RETIRED, _ASIDE = ".shipped", ".silent"
_ASIDE_SECONDS = 7 * 86_400.0
_SEGMENT = re.compile(r"[0-9]{6,9}\.seg")
_MOST_SEGMENTS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cursor:
    """Everything before this place is in MLflow."""

    segment: int = 0
    offset: int = 0


def prepare_spool(home: Path, meta: Meta) -> Path:
    """Create a spool that no shipper sees until it is complete and published."""
    root = private_folder(home, spools(home).name)
    hidden = root / f".{meta.run_id}.{meta.attempt}-{meta.pid}-{meta.start_ms}"
    hidden.mkdir(mode=0o700)
    replace_json(hidden / META, asdict(meta))
    return hidden


def publish_spool(hidden: Path) -> Path:
    """Let shippers see a prepared spool; return its folder."""
    return hidden.rename(hidden.with_name(hidden.name.removeprefix(".")))


def read_cursor(folder: Path) -> Cursor:
    """Return how far a spool is shipped; the beginning if nothing is, or if nobody can tell.

    Shipping from the beginning again is harmless: the store keeps each point once.
    """
    raw = read_json(folder / "cursor.json") or {}
    segment, offset = whole_number(raw.get("segment"), most=_MOST_SEGMENTS), whole_number(raw.get("offset"))
    return Cursor() if segment is None or offset is None else Cursor(segment=segment, offset=offset)


def read_array_cursor(folder: Path) -> Cursor | None:
    """Return where the arrays begin that are in no finished file; ``None`` if all before the cursor are."""
    raw = (read_json(folder / "cursor.json") or {}).get("arrays")
    raw = cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
    segment, offset = whole_number(raw.get("segment"), most=_MOST_SEGMENTS), whole_number(raw.get("offset"))
    return None if segment is None or offset is None else Cursor(segment=segment, offset=offset)


def write_cursor(folder: Path, cursor: Cursor, *, arrays: Cursor | None = None) -> None:
    """Move the cursor so that the move survives a crash.

    Args:
        folder: The spool's folder.
        cursor: Everything before it is in MLflow.
        arrays: Where the file of arrays begins that is not finished, if there is one: it is written anew
            with all that it held.
    """
    unfinished = {} if arrays is None else {"arrays": asdict(arrays)}
    replace_json(folder / "cursor.json", {**asdict(cursor), **unfinished})


def segment_path(folder: Path, number: int) -> Path:
    """Return the path of segment ``number``."""
    return folder / f"{number:06d}.seg"


def segments(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield the segments that exist, in order of their numbers."""
    found = (path for path in entries(folder) if _SEGMENT.fullmatch(path.name))
    return iter(sorted((int(path.stem), path) for path in found))


def remove_spool(folder: Path) -> None:
    """Remove a spool that is wholly shipped.

    It loses its name first: a shipper killed in the middle must not leave half a spool behind, which the
    next one would take for that of a trainer that died.
    """
    with suppress(FileNotFoundError):  # somebody else has done it
        shutil.rmtree(_renamed(folder, _RETIRED), ignore_errors=True)


def set_aside(folder: Path) -> None:
    """Put away a spool whose writer is taken for dead and may not be; see ``restore_spool``."""
    with suppress(FileNotFoundError):
        _renamed(folder, _ASIDE)


def restore_spool(folder: Path) -> None:
    """Bring back a spool that was set aside while its writer was silent."""
    with suppress(OSError):
        folder.with_name(f".{folder.name}{_ASIDE}").rename(folder)


def remove_retired(home: Path) -> None:
    """Remove what killed shippers have left of shipped spools, and what nobody has come back to."""
    with suppress(OSError):
        check_place(spools(home))
        _remove_retired(filter(is_private, entries(spools(home))))


def _remove_retired(folders: Iterable[Path]) -> None:
    for folder in folders:
        is_old = folder.name.endswith(_ASIDE) and age_seconds(folder) > _ASIDE_SECONDS
        if folder.name.startswith(".") and (folder.name.endswith(_RETIRED) or is_old):
            shutil.rmtree(folder, ignore_errors=True)


def _renamed(folder: Path, ending: str) -> Path:
    return folder.rename(folder.with_name(f".{folder.name}{ending}"))
