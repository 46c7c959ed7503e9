"""What lies among a run's artifacts: names and sizes of files, of which none is opened."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from grokscope.store.errors import StoreError

MOST_ARTIFACTS = 500
"""Files of one run that are listed."""

MOST_FOLDERS = 60
"""Folders of one run that are looked into: of a server or an object store, each is a question."""

LISTED_S = 10.0
"""After this time no further folder is looked into."""

_NOT_A_NAME = frozenset({"", ".", ".."})


class Entry(NamedTuple):
    """A file or a folder, as a listing tells it.

    Attributes:
        name: Without its folder.
        size: In bytes, as far as it is told; of a folder 0.
        is_folder: Whether it may hold others.
    """

    name: str
    size: int
    is_folder: bool


class ListedFile(NamedTuple):
    """A file among a run's artifacts.

    Attributes:
        path: Below the run's artifacts.
        size: In bytes, as far as it is told.
    """

    path: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedArtifacts:
    """What lies among a run's artifacts.

    Attributes:
        files: In the order of their paths.
        place: The folder of this machine that they are in; ``None`` if a server or an object store has them.
        is_whole: Whether there are no others, as far as that could be seen.
        problem: Why they cannot be listed, as a sentence; ``None`` if they can.
    """

    files: tuple[ListedFile, ...] = ()
    place: Path | None = None
    is_whole: bool = True
    problem: str | None = None


def listed(entries: Callable[[str], Sequence[Entry]], *, place: Path | None) -> ListedArtifacts:
    """Return the files in a folder and in those below it, the upper ones first while there are too many.

    Args:
        entries: Folder below the artifacts (``""``: themselves) -> what is in it.
        place: See ``ListedArtifacts``.

    Raises:
        StoreError: If the artifacts themselves cannot be listed; a folder among them costs only itself.

    >>> inside = {"": [Entry("model", 0, True), Entry("a.txt", 3, False)], "model": [Entry("b", 5, False)]}
    >>> listed(inside.__getitem__, place=None).files
    (ListedFile(path='a.txt', size=3), ListedFile(path='model/b', size=5))
    """
    until_s = time.monotonic() + LISTED_S
    folders, files, looked, unread = [""], list[ListedFile](), 0, 0
    while folders and looked < MOST_FOLDERS and len(files) <= MOST_ARTIFACTS:
        if looked and time.monotonic() > until_s:
            break
        folder = folders.pop(0)
        looked += 1
        try:
            found = entries(folder)
        except StoreError:
            if not folder:
                raise
            unread += 1  # costs only itself
            continue
        for entry in found:
            if entry.name in _NOT_A_NAME or "/" in entry.name:
                continue
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_folder:
                folders.append(path)
            else:
                files.append(ListedFile(path, entry.size))
    shown = tuple(sorted(files[:MOST_ARTIFACTS]))
    is_whole = not folders and not unread and len(files) <= MOST_ARTIFACTS
    return ListedArtifacts(files=shown, place=place, is_whole=is_whole)
