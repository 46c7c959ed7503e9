"""What a source is: files are listed here, and told by what they hold in the worker's process."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grokscope.importing.encodings import in_utf8
from grokscope.importing.formats import LogFormat, SourceKind
from grokscope.importing.limits import Limits
from grokscope.importing.readers import FORMATS, format_of
from grokscope.importing.records import ImportingError, Skipped
from grokscope.schemas.extras import Extra, MissingExtraError, require
from grokscope.schemas.secrets import redacted_source

KNOWN = ", ".join(one.shown for one in FORMATS)
"""What can be imported, in words."""

# A file is told by this much of it, since it may be of any size and by anybody. The state that a trainer
# writes has its keys in order of the alphabet, all short before the history.
HEAD = 64 * 1024

NO_LOG = "is no log that is known"
"""Why most files are passed over."""

LINK = "is a link that leads out of the folder; to read it, give what it leads to"
"""Why what a link names is passed over: in a folder from elsewhere it may lead anywhere."""

PACKED = "is packed; unpack it first, as packed files are not opened"
"""Why an archive is passed over, which may well hold logs."""

_ARCHIVES = frozenset({".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar"})
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
        left_out: What of the folder could not be looked at.
    """

    files: tuple[Path, ...]
    root: Path
    kind: SourceKind | None
    is_folder: bool
    left_out: tuple[Skipped, ...] = ()


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
    try:
        root.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise ImportingError(
            f"there is no file or folder {redacted_source(source)!r}; give the path of a log"
        ) from None
    except OSError as error:
        raise ImportingError(f"{redacted_source(source)!r} {unreadable(error)}") from None
    if not root.is_dir() and not root.is_file():
        raise ImportingError(
            f"{redacted_source(source)!r} is a pipe or a device, which cannot be read twice; "
            "write what comes from it into a file and give that"
        )
    if not root.is_dir():
        return FoundSource(files=(root,), root=root.parent, kind=kind, is_folder=False)
    files: list[Path] = []
    left_out: list[Skipped] = []
    for path in _walked(root, left_out):
        files.append(path)
        if len(files) > limits.files:
            raise ImportingError(_too_many(root, files))
    return FoundSource(
        files=tuple(sorted(files)), root=root, kind=kind, is_folder=True, left_out=tuple(left_out)
    )


def _walked(root: Path, left_out: list[Skipped]) -> Iterator[Path]:
    """Yield the files of a folder; what of it cannot be entered goes into ``left_out``."""

    def leave(path: str | Path, reason: str, *, is_error: bool) -> None:
        where = Path(path).relative_to(root).as_posix()
        left_out.append(Skipped(path=where, reason=reason, is_error=is_error))

    def refused(error: OSError) -> None:
        leave(error.filename, unreadable(error), is_error=True)

    top = os.path.realpath(root)
    for folder, folders, names in os.walk(root, onerror=refused, followlinks=False):
        folders[:] = [name for name in folders if name not in _NO_LOGS_IN]
        entered = set(folders)
        for path in (Path(folder, name) for name in (*folders, *names)):
            if os.path.islink(path):  # noqa: PTH114 - the other raises where nobody may look
                if _leads_out(path, top):
                    leave(path, LINK, is_error=False)
            elif path.name not in entered and _is_file(path, refused):
                yield path


def _is_file(path: Path, refused: Callable[[OSError], object]) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # a folder whose names may be listed, and no more
        refused(error)
        return False


def _leads_out(link: Path, top: str) -> bool:
    """Say whether a link leads out of a folder to something; what may not be looked at is something."""
    try:
        is_there = link.exists()
    except OSError:
        is_there = True
    return is_there and os.path.commonpath([top, os.path.realpath(link)]) != top


def _too_many(root: Path, files: list[Path]) -> str:
    parts = Counter(path.relative_to(root).parts[0] for path in files)
    fullest, count = parts.most_common(1)[0]
    return (
        f"more than {len(files) - 1:,} files in {str(root)!r}; give its folders one at a time "
        f"({str(root / fullest)!r} alone has {count:,} of them or more)"
    )


def groups_in(
    source: FoundSource, limits: Limits, *, begin: Callable[[str], str | None] = lambda _: None
) -> tuple[list[Group], list[Skipped]]:
    """Return the logs of a source, those that are read together side by side, and what is left out.

    A source of one file is taken for the kind that is asked for, whatever it looks like.

    Args:
        source: Its files.
        limits: Caps.
        begin: Called with the name of each file before it is looked at; gives why not to, or ``None``.
    """
    found: dict[SourceKind, list[Path]] = {}
    skipped: list[Skipped] = []
    for path in source.files:
        where = path.relative_to(source.root).as_posix()
        try:
            known = begin(where)
            one = None if known else _log_in(path, source, limits)
        except Exception as error:  # noqa: BLE001 - one bad file takes no other with it
            known, one = unreadable(error), None
        if known:
            skipped.append(Skipped(path=where, reason=known, is_error=True))
        elif one is None or (source.kind is not None and one is not source.kind):
            reason = PACKED if path.suffix.lower() in _ARCHIVES else NO_LOG
            skipped.append(Skipped(path=where, reason=reason, is_error=False))
        else:
            found.setdefault(one, []).append(path)
    groups = [
        Group(format=one, files=tuple(group))
        for one in FORMATS
        if one.kind in found
        for group in _grouped(one, found[one.kind], source.root, skipped)
    ]
    return groups, skipped


def _grouped(
    one: LogFormat, files: list[Path], root: Path, skipped: list[Skipped]
) -> Iterable[Sequence[Path]]:
    """Return files in groups, without those that cannot be opened any more."""
    while True:
        try:
            return [*one.grouped(files)]
        except OSError as error:
            gone = [path for path in files if str(path) == error.filename]
            if not gone:
                raise
            skipped.append(Skipped(path=named(gone, root), reason=unreadable(error), is_error=True))
            files = [path for path in files if path not in gone]


def unreadable(error: BaseException) -> str:
    """Return why a file cannot be read, in words.

    >>> unreadable(FileNotFoundError(2, "No such file or directory", "a.csv"))
    'cannot be opened: No such file or directory; was it moved, or may you read it?'
    """
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be opened: {error.strerror}; was it moved, or may you read it?"
    return str(error) or type(error).__name__


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
        return in_utf8(file.read(HEAD))


def _kind_of(path: Path, head: bytes) -> SourceKind | None:
    return next((one.kind for one in FORMATS if one.recognises(path, head)), None)


def check_reader(kind: SourceKind) -> None:
    """Check that the module is there that reads a kind.

    Raises:
        ImportingError: If it is not, with what to install.
    """
    needed = format_of(kind).needs
    if needed is not None:
        try:
            require(Extra.IMPORTERS, needed, what=f"importing {kind} logs")
        except MissingExtraError as error:
            raise ImportingError(str(error)) from None


def named(files: Iterable[Path], root: Path) -> str:
    """Return what to call some files of a source.

    >>> named([Path("a/b"), Path("a/c")], Path("a"))
    'b and 1 more file'
    """
    first, *rest = (path.relative_to(root).as_posix() for path in files)
    return first + (f" and {len(rest)} more file{'s' if len(rest) > 1 else ''}" if rest else "")
