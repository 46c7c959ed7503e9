"""What a source is: told by what it holds, its names only where the content says nothing."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from grokscope.importing.limits import Limits
from grokscope.importing.records import ImportingError


class SourceKind(StrEnum):
    """Whose log it is."""

    TENSORBOARD = "tensorboard"
    WANDB = "wandb"
    TRANSFORMERS = "transformers"
    TRACKIO = "trackio"
    TABLE = "table"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """A source that has been recognised: its kind, its files (sorted), and what their names start from."""

    kind: SourceKind
    files: tuple[Path, ...]
    root: Path


_NEEDS: Mapping[SourceKind, str] = {SourceKind.TENSORBOARD: "tensorboard", SourceKind.WANDB: "wandb"}
_TABLES = frozenset({".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".json"})
_PACKED: Mapping[bytes, str] = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd"}
KNOWN = (
    "TensorBoard event files, W&B (.wandb, or its CSV and JSON exports), trainer_state.json, a Trackio "
    "store (.db), tables (.csv, .tsv, .parquet, .jsonl, .json), and text logs with --pattern"
)
HISTORY = "log_history"
# A file is told by this much of it, since it may be of any size and by anybody. The state that a trainer
# writes has its keys in order of the alphabet, all short before the history.
_HEAD = 64 * 1024
# A bracket, or a text, which may be cut off at the end; what comes once is not looked at twice.
_TOKEN = re.compile(r'[{}\[\]]|"(?P<text>(?:[^"\\]++|\\.?)*+)(?:"(?P<is_key>\s*+:)?|\Z)', re.DOTALL)


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
        raise ImportingError(f"there is no file or folder {source!r}; give the path of a log")
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
        head = file.read(_HEAD)
    if "tfevents" in path.name:
        return SourceKind.TENSORBOARD
    if head.startswith(b":W&B"):
        return SourceKind.WANDB
    if head.startswith(b"SQLite format 3\0"):
        return SourceKind.TRACKIO
    if path.suffix.lower() not in _TABLES:
        return None
    packed = next((name for sign, name in _PACKED.items() if head.startswith(sign)), None)
    if packed is not None:
        raise ImportingError(f"{path.name!r} is packed with {packed}; unpack it first")
    if path.suffix.lower() == ".json" and (path.name == "trainer_state.json" or _has_history(head)):
        return SourceKind.TRANSFORMERS
    return SourceKind.TABLE


def _has_history(head: bytes) -> bool:
    """Say whether a JSON object has a log_history, as Hugging Face's states have, by what it begins with."""
    depth = 0
    for token in _TOKEN.finditer(head.decode("utf-8-sig", "ignore")):
        if token[0] in "{[":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        elif depth == 1 and token["is_key"] and token["text"] == HISTORY:
            return True
    return False


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
    needed = _NEEDS.get(kind)
    if needed is not None and find_spec(needed) is None:
        raise ImportingError(
            f"{kind} logs are read with {needed}, which is not installed; "
            "run: pip install 'grokscope[importers]'"
        )
