"""What a source is: told by what it holds, its names only where the content says nothing."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

from grokscope.importing.formats import LogSource, SourceKind
from grokscope.importing.limits import Limits
from grokscope.importing.readers import FORMATS, format_of
from grokscope.importing.records import ImportingError
from grokscope.schemas.secrets import redacted_source

KNOWN = ", ".join(one.shown for one in FORMATS)
"""What can be imported, in words."""

# A file is told by this much of it, since it may be of any size and by anybody. The state that a trainer
# writes has its keys in order of the alphabet, all short before the history.
HEAD = 64 * 1024


def recognise(source: str, *, kind: SourceKind | None = None, limits: Limits | None = None) -> LogSource:
    """Return what is at ``source``, a file or a folder that is searched with its subfolders.

    Args:
        source: A path.
        kind: Take it for this kind; ``None`` to recognise it.
        limits: Caps on files.

    Raises:
        ImportingError: If nothing is there, it is of no kind or of several, or too large.
    """
    limits, root = limits or Limits(), Path(source)
    if not root.exists():
        raise ImportingError(
            f"there is no file or folder {redacted_source(source)!r}; give the path of a log"
        )
    found: dict[SourceKind, list[Path]] = {}
    for path in _files(root, limits):
        one = kind_of_file(path) if kind is None or root.is_dir() else kind
        if one is not None:
            found.setdefault(one, []).append(path)
    chosen = _only(source, found) if kind is None else kind
    if not found.get(chosen):
        raise ImportingError(f"{source!r} holds no file of the kind {chosen}; importable: {KNOWN}")
    _check_reader(chosen)
    return LogSource(kind=chosen, files=tuple(found[chosen]), root=root if root.is_dir() else root.parent)


def kind_of_file(path: Path) -> SourceKind | None:
    """Return the kind of a file, ``None`` for one that is no log.

    Raises:
        ImportingError: If it is packed.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    return next((one.kind for one in FORMATS if one.recognises(path, head)), None)


def _files(root: Path, limits: Limits) -> list[Path]:
    walked: Iterable[Path] = root.rglob("*") if root.is_dir() else (root,)
    files: list[Path] = []
    for path in walked:
        # A link in a folder from elsewhere may point anywhere.
        if not path.is_file() or (path.is_symlink() and path != root):
            continue
        files.append(path)
        if len(files) > limits.files:
            raise ImportingError(f"more than {limits.files:,} files in {str(root)!r}; import it in parts")
        if path.stat().st_size > limits.file_bytes:
            raise ImportingError(
                f"{path.name!r} has {path.stat().st_size:,} bytes, more than {limits.file_bytes:,}; split it"
            )
    return sorted(files)


def _only(source: str, found: Mapping[SourceKind, list[Path]]) -> SourceKind:
    if not found:
        raise ImportingError(f"{source!r} holds nothing that is recognised; importable: {KNOWN}")
    if len(found) > 1:
        counts = ", ".join(f"{kind} ({len(files)} files)" for kind, files in sorted(found.items()))
        raise ImportingError(f"{source!r} holds several kinds: {counts}; choose one with --kind")
    return next(iter(found))


def _check_reader(kind: SourceKind) -> None:
    needed = format_of(kind).needs
    if needed is not None and find_spec(needed) is None:
        raise ImportingError(
            f"{kind} logs are read with {needed}, which is not installed; "
            "run: pip install 'grokscope[importers]'"
        )
