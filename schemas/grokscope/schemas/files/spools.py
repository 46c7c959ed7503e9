"""Where spools lie: what trainers of this machine have logged and a store may not have yet."""

import os
from contextlib import suppress
from pathlib import Path

from grokscope.schemas.files.private import check_place, is_private

META = "meta.json"
"""Of each spool: which run it is of, and where that goes."""


def spools(home: Path) -> Path:
    """Return the folder that holds all spools."""
    return home / "spool"


def dead(home: Path) -> Path:
    """Return the folder that holds what stores have refused, a file a run."""
    return home / "dead"


def find_spools(home: Path) -> list[Path]:
    """Return the folders of all spools that are this user's alone, oldest first.

    >>> find_spools(Path("no-such-home"))
    []
    """
    found: list[tuple[int, str, Path]] = []
    with suppress(OSError):
        check_place(home)
        check_place(spools(home))
        for folder in visible(spools(home)):
            with suppress(OSError):  # a shipper may remove a spool at any moment
                if is_private(folder) and (folder / META).is_file():
                    found.append((folder.lstat().st_ctime_ns, folder.name, folder))
    return [folder for _, _, folder in sorted(found)]


def visible(root: Path) -> list[Path]:
    """Return what is in the folder of all spools and not hidden, which those are that come or go."""
    return sorted(folder for folder in entries(root) if not folder.name.startswith("."))


def entries(folder: Path) -> list[Path]:
    """Return what is in a folder; nothing of one that is not there."""
    try:
        return [folder / name for name in os.listdir(folder)]  # noqa: PTH208 - iterdir lists lazily, and the folder may go
    except OSError:
        return []
