"""What a reader of another tool's log declares of itself, and what it is given to read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from grokscope.importing.limits import Tally
from grokscope.importing.records import Log


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
    """A source that has been recognised.

    Attributes:
        kind: Whose log it is.
        files: Its files, sorted.
        root: What their names start from.
        patterns: Of a text log: regular expressions with named groups.
    """

    kind: SourceKind
    files: tuple[Path, ...]
    root: Path
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFormat:
    """One format of logs; each reader has its own as ``FORMAT``.

    Attributes:
        kind: What ``--kind`` calls it.
        shown: What is importable by it, in words.
        recognises: Says of a file, by its path and its first bytes, whether it is one; raises an
            ``ImportingError`` of one that would be if it were not packed.
        read: Yields the runs of a source, in the worker's process.
        needs: The module that must be installed to read it, if any.
    """

    kind: SourceKind
    shown: str
    recognises: Callable[[Path, bytes], bool]
    read: Callable[[LogSource, Tally], Iterator[Log]]
    needs: str | None = None
