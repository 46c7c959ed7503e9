"""Training code in a file or a folder: read as text, never run."""

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from grokscope.cli.own_code.frameworks import Spot, spots
from grokscope.cli.own_code.snippets import Framework
from grokscope.cli.own_code.syntax import read_program
from grokscope.schemas import GrokscopeError

_MOST_FILES, _MOST_ENTRIES = 2_000, 100_000
_MOST_BYTES = 1 << 20
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError, OSError)
# Code of others, and copies.
_NOT_OURS = frozenset({"site-packages", "node_modules", "venv", "env", "build", "dist", "__pycache__"})


class OwnCodeError(GrokscopeError):
    """Code that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where somebody trains: a file, and a framework in it."""

    path: Path
    spot: Spot


def training_code(place: Path) -> list[Found]:
    """Return where a file or the files of a folder train, the place to begin with first.

    Hidden folders, environments and links are passed by, and what is no Python is too.

    Raises:
        OwnCodeError: If there is no such file or folder, or the one file that was named is no Python.
    """
    if not (place.is_file() or place.is_dir()):
        raise OwnCodeError(f"there is no file or folder {str(place)!r}; name the one with your training code")
    if place.is_file():
        try:
            return list(_in_file(place))
        except _UNREADABLE as error:
            raise OwnCodeError(f"{str(place)!r} cannot be read as Python ({error}); name another") from error
    found: list[Found] = []
    for path in _files(place):
        try:
            found += _in_file(path)
        except _UNREADABLE:
            continue
    # Test code trains too, but is not what somebody wants to follow; a loop shows more than what it logs.
    return sorted(
        found,
        key=lambda one: (*_rank(one), str(one.path)),
    )


def _rank(found: Found) -> tuple[bool, bool, bool, int]:
    spot, path = found.spot, found.path
    is_logging = spot.framework in (Framework.WANDB, Framework.MLFLOW)
    return spot.is_followed, "test" in path.stem, is_logging, len(path.parts)


def _in_file(path: Path) -> Iterator[Found]:
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"it is larger than {_MOST_BYTES >> 20} MiB")
    for spot in spots(read_program(path.read_bytes())):
        yield Found(path=path, spot=spot)


def _files(folder: Path) -> list[Path]:
    """Return the first Python files of a folder, those near its top first; what cannot be read is left."""
    found: list[Path] = []
    waiting, seen = deque([folder]), 0
    while waiting and len(found) < _MOST_FILES and seen < _MOST_ENTRIES:
        try:
            with os.scandir(waiting.popleft()) as entries:
                near = sorted(islice(entries, _MOST_ENTRIES - seen), key=lambda entry: entry.name)
        except OSError:
            continue
        seen += len(near)
        if any(entry.name == "pyvenv.cfg" for entry in near):
            continue
        found += [Path(entry) for entry in near if entry.name.endswith(".py") and _is_there(entry, "file")]
        waiting += [Path(entry) for entry in near if _is_ours(entry.name) and _is_there(entry, "folder")]
    return found[:_MOST_FILES]


def _is_there(entry: os.DirEntry[str], kind: Literal["file", "folder"]) -> bool:
    """Say whether an entry is a file or a folder itself, and no link to one."""
    try:
        return (entry.is_file if kind == "file" else entry.is_dir)(follow_symlinks=False)
    except OSError:
        return False


def _is_ours(folder: str) -> bool:
    return not folder.startswith(".") and folder not in _NOT_OURS
