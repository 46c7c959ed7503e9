"""The worker's process: tells the files of a source apart and reads them under limits, each group for itself.

``python -m grokscope.importing`` runs it, with the request as JSON on stdin; see ``sandbox``. It leaves what
it found in a folder.
"""

import errno
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from grokscope.importing.duplicates import without_duplicates, without_texts_beside
from grokscope.importing.formats import LogSource, SourceKind
from grokscope.importing.growing import HALF
from grokscope.importing.journal import Journal, ReadGroup
from grokscope.importing.limits import Limits, Tally, allow_time, restrict
from grokscope.importing.recognition import FoundSource, Group, check_reader, groups_in, named, unreadable
from grokscope.importing.records import ImportingError, Log, NotALogError, Skipped
from grokscope.importing.steps import counted_by
from grokscope.importing.surroundings.folders import named_apart, with_surroundings
from grokscope.schemas import POINT_SCHEMA
from grokscope.schemas.runs.step_unit import IN_THOUSANDTHS

FOUND, POINTS, PROBLEM = "found.json", "points.parquet", "problem.txt"
NO_ROOM = 74
"""Status of a worker that cannot write what it found."""

_SHOWN = 300
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a source is to be read.

    Attributes:
        patterns: Regular expressions of a text log.
        step: The column or metric that counts the steps.
        limits: Caps.
        crashed: Names of files and groups that an earlier process died of, and how.
    """

    patterns: tuple[str, ...] = ()
    step: str | None = None
    limits: Limits = field(default_factory=Limits)
    crashed: Mapping[str, str] = field(default_factory=dict[str, str])


def parse(request: Mapping[str, Any]) -> int:
    """Read the source and write ``found.json`` and ``points.parquet``, or ``problem.txt``; return the status.

    What an earlier process has read before it died is taken from the same folder.
    """
    out = Path(request["out"])
    limits = Limits(**request["limits"])
    restrict(limits)
    source = FoundSource(
        files=tuple(Path(path) for path in request["files"]),
        root=Path(request["root"]),
        kind=None if request["kind"] is None else SourceKind(request["kind"]),
        is_folder=request["is_folder"],
    )
    asked = Asked(
        patterns=tuple(request["patterns"]), step=request["step"], limits=limits, crashed=request["crashed"]
    )
    try:
        _write(out, *read_source(source, asked, journal=Journal(out)))
    except BaseException as error:  # noqa: BLE001 - a reader of somebody else's may raise anything
        if is_full(error):
            return NO_ROOM
        (out / PROBLEM).write_text(_reason(error, limits))
    return 0


def is_full(error: BaseException) -> bool:
    """Say whether an error is that a disk takes no more.

    >>> is_full(OSError(errno.ENOSPC, "")), is_full(OSError(errno.ENOENT, ""))
    (True, False)
    """
    # Polars says it in words only.
    return getattr(error, "errno", None) in _FULL or any(os.strerror(one) in str(error) for one in _FULL)


def read_source(
    source: FoundSource, asked: Asked, *, journal: Journal | None = None
) -> tuple[list[Log], list[Skipped]]:
    """Return the runs of a source, and what was left out of it.

    Args:
        source: Its files.
        asked: How to read them.
        journal: Where each group is kept once it is read, and what is being read is named.
    """

    def begin(where: str) -> str | None:
        allow_time(asked.limits)
        if journal is not None:
            journal.begin(where)
        return asked.crashed.get(where)

    tally = Tally(asked.limits)
    read = {} if journal is None else {one.where: one for one in journal.groups()}
    for log in (log for one in read.values() for log in one.logs):
        tally.points(log.points.height)
        tally.run()
    groups, skipped = groups_in(source, asked.limits, begin=begin)
    logs: list[Log] = []
    for group in groups:
        where = named(group.files, source.root)
        if where not in read:
            read[where] = _read(group, source.root, asked, tally, known=begin(where))
            if journal is not None and len(groups) > 1:
                journal.add(read[where])
        logs += read[where].logs
        skipped += read[where].skipped
    if journal is not None:
        journal.begin("")
    kept, texts = without_texts_beside(logs)
    kept, twice = without_duplicates(kept)
    return named_apart(kept), [*skipped, *texts, *twice]


def _read(group: Group, root: Path, asked: Asked, tally: Tally, *, known: str | None) -> ReadGroup:
    """Return what a group holds; nothing if it is known why it cannot be read."""
    where = named(group.files, root)
    if known is not None:
        return ReadGroup(where=where, logs=(), skipped=[Skipped(path=where, reason=known, is_error=True)])
    logs: list[Log] = []
    skipped = [*_read_group(group, root, asked, tally, logs)]
    return ReadGroup(where=where, logs=logs, skipped=skipped)


def _read_group(group: Group, root: Path, asked: Asked, tally: Tally, logs: list[Log]) -> Iterator[Skipped]:
    """Add the runs of a group to ``logs``; yield what of it cannot be read."""
    taken = tally.taken
    try:
        for log in _logs(group, root, asked, tally):
            logs.append(log)
            taken = tally.taken
    except BaseException as error:  # noqa: BLE001 - one bad part takes nothing else with it
        tally.taken = taken
        yield _skipped(named(group.files, root), error, tally.limits)
    for path, error in tally.skipped.items():
        yield _skipped(named([path], root), error, tally.limits)
    tally.skipped.clear()
    tally.half.clear()


def _skipped(where: str, error: BaseException, limits: Limits) -> Skipped:
    return Skipped(path=where, reason=_reason(error, limits), is_error=not isinstance(error, NotALogError))


def _logs(group: Group, root: Path, asked: Asked, tally: Tally) -> Iterator[Log]:
    one = group.format
    check_reader(one.kind)
    source = LogSource(kind=one.kind, files=group.files, root=root, patterns=asked.patterns, step=asked.step)
    for log in one.read(source, tally):
        tally.run()
        tally.metrics(log.points["metric"].n_unique())
        if log.points.is_empty():
            raise ImportingError(f"{log.run.source!r} holds no values, only settings or graphs")
        noted = _noted(log, *((HALF,) if tally.half else ()))
        counted = noted if asked.step is None or one.takes_step else _counted(noted, asked.step)
        yield with_surroundings(counted, kind=one.kind, root=root)


def _counted(log: Log, step: str) -> Log:
    points, in_thousandths = counted_by(log.points, step, where=log.run.source)
    counted = _noted(log, *((IN_THOUSANDTHS,) if in_thousandths else ()))
    return Log(run=replace(counted.run, in_thousandths=in_thousandths), points=points)


def _noted(log: Log, *notes: str) -> Log:
    return replace(log, run=replace(log.run, notes=(*log.run.notes, *notes)))


def _reason(error: BaseException, limits: Limits) -> str:
    if isinstance(error, ImportingError):
        return str(error)
    if isinstance(error, MemoryError):
        return too_much_memory(limits)
    if isinstance(error, OSError) and error.strerror:
        return unreadable(error)
    words = " ".join(str(error).split())[:_SHOWN]
    failed = f"its reader failed ({type(error).__name__}: {words})"
    if isinstance(error, pl.exceptions.PanicException):  # by a bad file, or by a thread that found no memory
        return f"{failed}; it may take {limits.memory_bytes >> 20:,} MiB. Split it, or check that it is whole"
    return f"{failed}; is the file whole?"


def too_much_memory(limits: Limits) -> str:
    """Return what is said of a file that cannot be read within the memory there may be.

    >>> too_much_memory(Limits())
    'reading it takes more than 6,144 MiB; split it, leave columns out, or allow more with --max-points'
    """
    most = f"{limits.memory_bytes >> 20:,} MiB"
    return f"reading it takes more than {most}; split it, leave columns out, or allow more with --max-points"


def logs_frame(logs: Sequence[Log]) -> pl.DataFrame:
    """Return the points of many runs as ``POINT_SCHEMA``; ``run_id`` is the run's key."""
    frames = [
        log.points.select(pl.lit(log.run.key).alias("run_id"), *POINT_SCHEMA.names()[1:]) for log in logs
    ]
    return pl.concat([POINT_SCHEMA.to_frame(), *frames])


def _write(out: Path, logs: Sequence[Log], skipped: Sequence[Skipped]) -> None:
    keyed = [replace(log, run=replace(log.run, key=str(count))) for count, log in enumerate(logs)]
    logs_frame(keyed).write_parquet(out / POINTS)
    found = {"runs": [log.run.to_dict() for log in keyed], "skipped": [asdict(one) for one in skipped]}
    # ASCII, so that lone surrogates of a broken name survive until they are cleaned.
    (out / FOUND).write_text(json.dumps(found))
