"""What a store refused for good: kept on disk with the reason, one file a run, one JSON object a line."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grokscope.schemas.files.private import check_place, opened
from grokscope.schemas.files.spools import dead
from grokscope.schemas.printable import written_out

# Enough to tell the reasons of a file that may hold millions of points.
_MOST_LOOKED_AT = 1000
_REASONS_TOLD = 3
_REASON_LENGTH = 200


class DeadLetters:
    """The records of one run that its store refused.

    A shipper that is killed adds some of them again when it starts anew; each is kept once.

    Args:
        path: The run's file; made when it is needed, for this user only.
        run_id: The run's id on the client side.

    >>> import tempfile
    >>> letters = DeadLetters(Path(tempfile.mkdtemp()) / "run.jsonl", run_id="run")
    >>> letters.add({"key": "a<b", "value": 1.0}, "no such name")
    >>> letters.add({"key": "a<b", "value": 1.0}, "no such name")
    >>> letters.count, letters.last
    (1, 'no such name')
    """

    def __init__(self, path: Path, *, run_id: str) -> None:
        self.last = ""
        self._path = path
        self._run_id = run_id
        self._marks: set[int] = set()
        for letter in _letters(path):
            self.last = str(letter.pop("why", ""))
            self._marks.add(_mark(letter))

    @property
    def count(self) -> int:
        """How many records are kept."""
        return len(self._marks)

    def add(self, record: Mapping[str, Any], why: str) -> None:
        """Keep a record, unless it is there already.

        Raises:
            OSError: If the disk refuses; nothing is kept then.
        """
        letter = {**record, "run": self._run_id}
        if (mark := _mark(letter)) in self._marks:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = opened(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        with os.fdopen(fd, "ab+") as file:
            size = file.seek(0, os.SEEK_END)
            is_torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
            file.write(b"\n" * is_torn + json.dumps({**letter, "why": why}).encode() + b"\n")
        self._marks.add(mark)
        self.last = why


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterSummary:
    """The dead letters of one run.

    Attributes:
        path: Their file.
        run_id: The run's id on the client side.
        count: How many there are.
        reasons: Why, the most frequent first.
    """

    path: Path
    run_id: str
    count: int
    reasons: tuple[str, ...]

    @property
    def what(self) -> str:
        """What was refused, how much of it, and why."""
        why = "; ".join(self.reasons)
        return written_out(
            f"of run {self.run_id} the store refused {self.count} records, or took a part only ({why})"
        )

    @property
    def remedy(self) -> str:
        """What helps."""
        return (
            f"They are kept in {self.path}: correct the names or values in the training code, then delete "
            "that file"
        )

    def __str__(self) -> str:
        return f"{self.what}. {self.remedy}"


def letters_path(home: Path, run_id: str) -> Path:
    """Return the file that takes what the store refuses of a run.

    >>> letters_path(Path("/data"), "run").as_posix()
    '/data/dead/run.jsonl'
    """
    return dead(home) / f"{run_id}.jsonl"


def dead_letters(home: Path, run_id: str | None = None) -> list[DeadLetterSummary]:
    """Return what stores have refused of each run, or of the one that is named.

    >>> dead_letters(Path("no-such-home"))
    []
    """
    folder = dead(home)
    with suppress(OSError):  # it is not there, or not this user's
        check_place(folder)
        paths = sorted(folder.glob("*.jsonl")) if run_id is None else [letters_path(home, run_id)]
        return [one for one in map(_summary, paths) if one.count]
    return []


def _summary(path: Path) -> DeadLetterSummary:
    reasons, count = Counter[str](), 0
    with suppress(OSError), os.fdopen(opened(path, os.O_RDONLY), encoding="utf-8", errors="replace") as file:
        for count, line in enumerate(file, 1):
            if count <= _MOST_LOOKED_AT:
                reasons[_reason(line)] += 1
    told = tuple(reason for reason, _ in reasons.most_common(_REASONS_TOLD))
    return DeadLetterSummary(path=path, run_id=path.stem, count=count, reasons=told)


def _letters(path: Path) -> Iterator[dict[str, Any]]:
    with suppress(OSError):
        for line in _lines(path):
            # Half a line is what a shipper that was killed leaves, or a full disk.
            with suppress(ValueError, RecursionError):
                letter = json.loads(line)
                if isinstance(letter, dict):
                    yield letter


def _lines(path: Path) -> Iterator[str]:
    with os.fdopen(opened(path, os.O_RDONLY), encoding="utf-8", errors="replace") as file:
        yield from file


def _reason(line: str) -> str:
    try:
        why = str(json.loads(line)["why"])
    except (ValueError, TypeError, KeyError, RecursionError):
        why = "a line that cannot be read"
    return why if len(why) <= _REASON_LENGTH else f"{why[:_REASON_LENGTH]}…"


def _mark(letter: Mapping[str, Any]) -> int:
    return hash(json.dumps(letter, sort_keys=True))
