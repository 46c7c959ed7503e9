"""What a reader of another tool's log declares of itself, and what it is given to read."""

from collections.abc import Callable, Iterable, Iterator, Sequence
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
    MLFLOW = "mlflow"
    SACRED = "sacred"
    DVCLIVE = "dvclive"
    LM_EVAL = "lm-eval"
    CATBOOST = "catboost"
    ALLENNLP = "allennlp"
    MONITOR = "monitor"
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
        step: What ``--step`` names: the column or metric that counts the steps; ``None`` for the usual ones.
    """

    kind: SourceKind
    files: tuple[Path, ...]
    root: Path
    patterns: tuple[str, ...] = ()
    step: str | None = None


def each_alone(files: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Return each file as a group of its own.

    >>> each_alone([Path("a"), Path("b")]) == [(Path("a"),), (Path("b"),)]
    True
    """
    return [(path,) for path in files]


def grouped_by(key: Callable[[Path], object], files: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Return the files that ``key`` says the same of together, in order of the first of them.

    >>> files = [Path("a/x"), Path("b/x"), Path("a/y")]
    >>> grouped_by(lambda path: path.parent, files) == [(files[0], files[2]), (files[1],)]
    True
    """
    groups: dict[object, list[Path]] = {}
    for path in files:
        groups.setdefault(key(path), []).append(path)
    return [tuple(paths) for paths in groups.values()]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFormat:
    """One format of logs; each reader has its own as ``FORMAT``.

    Attributes:
        kind: What ``--kind`` calls it.
        shown: What is importable by it, in words.
        recognises: Says of a file, by its path and its first bytes, whether it is one; raises an
            ``ImportingError`` of one that would be if it were not packed. In the worker's process.
        read: Yields the runs of one group of files, in the worker's process. An error costs the group only:
            ``NotALogError`` says that it is no log after all, every other one that it cannot be read.
        grouped: Files of the kind -> groups that are read together, since they may be parts of one run.
        takes_step: ``read`` itself counts steps by ``LogSource.step``; otherwise it must be a metric.
        may_be_empty: Its files may hold nothing, such as a tag without a text.
        needs: The module that must be installed to read it, if any.
    """

    kind: SourceKind
    shown: str
    recognises: Callable[[Path, bytes], bool]
    read: Callable[[LogSource, Tally], Iterator[Log]]
    grouped: Callable[[Sequence[Path]], Iterable[Sequence[Path]]] = each_alone
    takes_step: bool = False
    may_be_empty: bool = False
    needs: str | None = None
