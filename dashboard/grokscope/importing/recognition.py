"""What a source is: files are listed here, and told by what they hold in the worker's process."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from grokscope.importing.formats import LogFormat, SourceKind
from grokscope.importing.limits import Limits
from grokscope.importing.readers import FORMATS, format_of
from grokscope.importing.records import ImportingError, Skipped
from grokscope.schemas.secrets import redacted_source

KNOWN = ", ".join(one.shown for one in FORMATS)
"""What can be imported, in words."""

# A file is told by this much of it, since it may be of any size and by anybody. The state that a trainer
# writes has its keys in order of the alphabet, all short before the history.
HEAD = 64 * 1024

NO_LOG = "is no log that is known"
"""Why most files are passed over."""

_POINTER = b"version https://git-lfs.github.com/spec/"
# Told by their first bytes, which a pointer has not.
_TOLD_BY_BYTES = frozenset({".db", ".wandb"})
_NO_LOGS_IN = frozenset({".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSource:
    """Where a source lies; what its files hold is told when they are parsed.

    Attributes:
        files: Its files, sorted.
        root: What the names of its runs start from.
        kind: The only kind to take; ``None`` for whatever is there.
        is_folder: It is a folder, in which anything may lie; otherwise one file, which is to be a log.
    """

    files: tuple[Path, ...]
    root: Path
    kind: SourceKind | None
    is_folder: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Files of one kind that are read together."""

    format: LogFormat
    files: tuple[Path, ...]


def find_source(source: str, *, kind: SourceKind | None = None, limits: Limits | None = None) -> FoundSource:
    """Return the files at ``source``, a file or a folder that is searched with its subfolders.

    Args:
        source: A path.
        kind: Take this kind only; ``None`` for every kind that is recognised.
        limits: Caps on files.

    Raises:
        ImportingError: If nothing is there, or there are too many files.
    """
    limits, root = limits or Limits(), Path(source)
    if not root.exists():
        raise ImportingError(
            f"there is no file or folder {redacted_source(source)!r}; give the path of a log"
        )
    if not root.is_dir() and not root.is_file():
        raise ImportingError(
            f"{redacted_source(source)!r} is a pipe or a device, which cannot be read twice; "
            "write what comes from it into a file and give that"
        )
    files: list[Path] = []
    for path in _walked(root):
        files.append(path)
        if len(files) > limits.files:
            raise ImportingError(f"more than {limits.files:,} files in {str(root)!r}; import it in parts")
    is_folder = root.is_dir()
    return FoundSource(
        files=tuple(sorted(files)), root=root if is_folder else root.parent, kind=kind, is_folder=is_folder
    )


def _walked(root: Path) -> Iterator[Path]:
    if not root.is_dir():
        yield root
        return
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = [name for name in folders if name not in _NO_LOGS_IN]
        for path in (Path(folder, name) for name in names):
            # A link in a folder from elsewhere may point anywhere.
            if not path.is_symlink() and path.is_file():
                yield path


def kind_of_file(path: Path) -> SourceKind | None:
    """Return the kind of a file, ``None`` for one that is no log.

    Raises:
        ImportingError: If it is packed.
    """
    return _kind_of(path, _head(path))


def groups_in(source: FoundSource, limits: Limits) -> tuple[list[Group], list[Skipped]]:
    """Return the logs of a source, those that are read together side by side, and what is left out.

    A source of one file is taken for the kind that is asked for, whatever it looks like.
    """
    found: dict[SourceKind, list[Path]] = {}
    skipped: list[Skipped] = []
    for path in source.files:
        where = path.relative_to(source.root).as_posix()
        try:
            one = _log_in(path, source, limits)
        except (ImportingError, OSError) as error:
            skipped.append(Skipped(path=where, reason=str(error), is_error=True))
            continue
        if one is None or (source.kind is not None and one is not source.kind):
            skipped.append(Skipped(path=where, reason=NO_LOG, is_error=False))
        else:
            found.setdefault(one, []).append(path)
    groups = [
        Group(format=one, files=tuple(group))
        for one in FORMATS
        if one.kind in found
        for group in one.grouped(found[one.kind])
    ]
    return groups, skipped


def _log_in(path: Path, source: FoundSource, limits: Limits) -> SourceKind | None:
    """Return the kind of a file that can be read, ``None`` for one that is no log."""
    head = _head(path)
    one = _kind_of(path, head) if source.is_folder or source.kind is None else source.kind
    may_be_log = one is not None or not source.is_folder or path.suffix.lower() in _TOLD_BY_BYTES
    if head.startswith(_POINTER) and may_be_log:
        raise ImportingError(
            f"{path.name!r} is a pointer of Git LFS and not the file itself; run: git lfs pull"
        )
    if one is None:
        return None
    if not head and not format_of(one).may_be_empty:
        raise ImportingError(f"{path.name!r} is empty; nothing was written to it")
    if (size := path.stat().st_size) > limits.file_bytes:
        raise ImportingError(f"{path.name!r} has {size:,} bytes, more than {limits.file_bytes:,}; split it")
    return one


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _kind_of(path: Path, head: bytes) -> SourceKind | None:
    return next((one.kind for one in FORMATS if one.recognises(path, head)), None)


def check_reader(kind: SourceKind) -> None:
    """Check that the module is there that reads a kind.

    Raises:
        ImportingError: If it is not, with what to install.
    """
    needed = format_of(kind).needs
    if needed is not None and find_spec(needed) is None:
        raise ImportingError(
            f"{kind} logs are read with {needed}, which is not installed; "
            "run: pip install 'grokscope[importers]'"
        )


def named(files: Iterable[Path], root: Path) -> str:
    """Return what to call some files of a source.

    >>> named([Path("a/b"), Path("a/c")], Path("a"))
    'b and 1 more file'
    """
    first, *rest = (path.relative_to(root).as_posix() for path in files)
    return first + (f" and {len(rest)} more file{'s' if len(rest) > 1 else ''}" if rest else "")
