"""How much of a source is taken at most, and what its worker may use: sources come from anywhere."""

import math
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grokscope.importing.records import ImportingError

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps on one source.

    Attributes:
        files: Files of one source, so that a search that was begun too far up ends.
        file_bytes: Bytes of one file.
        points: Points of one source; what ``--max-points`` sets.
        runs: Runs of one source.
        metrics: Different metrics, or columns of a table.
        name: Characters of a metric's, run's or param's name.
        record_bytes: Bytes of one record, one line or one cell.
        told_bytes: Bytes of the names, params and tags of all runs, beside ``told_bytes_a_file``.
        told_bytes_a_file: What each file beyond the first adds to it.
        memory_bytes: Address space of the worker.
        cpu_s: Processor time that the worker has for one file, or for files that are read together.
        wall_s: How long it may take for them.
    """

    files: int = 500_000
    file_bytes: int = 2048 * MIB
    points: int = 10_000_000
    runs: int = 100_000
    metrics: int = 10_000
    name: int = 1_000
    record_bytes: int = 64 * MIB
    told_bytes: int = 32 * MIB
    told_bytes_a_file: int = 8 * 1024
    memory_bytes: int = 6144 * MIB
    cpu_s: int = 900
    wall_s: int = 1800


_BYTES_A_POINT = 600
"""A wide table takes 210, lines of JSON 320, a text log 480; the rest is address space that is not used."""


def limits_for(points: int) -> Limits:
    """Return limits under which so many points can be read, if that is what somebody asks for.

    >>> limits_for(1000) == Limits(points=1000)
    True
    >>> limits_for(40_000_000).memory_bytes
    24000000000
    """
    return Limits(points=points, memory_bytes=max(Limits().memory_bytes, points * _BYTES_A_POINT))


class Tally:
    """Counts what has been taken, and stops at the caps.

    Attributes:
        limits: The caps.
        taken: Points so far; of what failed, they are taken back.
        skipped: Files of a group that could not be read, though others of it can.
        half: Files of a group whose last line was left out, as it may be half.

    >>> Tally(Limits(points=2)).points(3)
    Traceback (most recent call last):
    ...
    grokscope.importing.records.ImportingError: more than 2 points; raise the cap with --max-points
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.taken = 0
        self.skipped: dict[Path, BaseException] = {}
        self.half: set[Path] = set()
        self._runs = 0

    def points(self, count: int) -> None:
        """Count points."""
        self.taken += count
        if self.taken > self.limits.points:
            raise ImportingError(f"more than {self.limits.points:,} points; raise the cap with --max-points")

    @contextmanager
    def skipping(self, path: Path) -> Generator[None]:
        """Read one file of a group in here: an error costs this file only."""
        taken = self.taken
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a reader of somebody else's may raise anything
            self.taken = taken
            self.skipped[path] = error

    def run(self) -> None:
        """Count a run."""
        self._runs += 1
        self.runs(self._runs)

    def runs(self, count: int) -> None:
        """Check a number of runs."""
        if count > self.limits.runs:
            raise ImportingError(f"more than {self.limits.runs:,} runs; import its folders one at a time")

    def metrics(self, count: int) -> None:
        """Check a number of metrics or columns."""
        if count > self.limits.metrics:
            raise ImportingError(
                f"{count:,} metrics or columns, more than {self.limits.metrics:,}; leave out what is no curve"
            )

    def name(self, text: str) -> str:
        """Return a name, checked."""
        if len(text) > self.limits.name:
            raise ImportingError(
                f"a name of {len(text):,} characters, more than {self.limits.name:,} ({text[:40]!r}…); "
                "that is no metric, run or param"
            )
        return text


def restrict(limits: Limits) -> None:
    """Bind this process: memory, processor time, no core file, no network, no programs.

    Where the system has no such limits (Windows), only the last two hold.
    """
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        pass
    else:
        for what, most in (
            (resource.RLIMIT_AS, limits.memory_bytes),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, limits.memory_bytes),
        ):
            _bind(what, most)
        allow_time(limits)
    sys.addaudithook(_refuse)


def allow_time(limits: Limits) -> None:
    """Give this process its processor time anew, for the next file."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    _bind(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime) + limits.cpu_s)


def _bind(what: int, most: int) -> None:
    import resource  # noqa: PLC0415 - not on Windows

    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


_FORBIDDEN = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.system",
        "socket.bind",
        "socket.connect",
        "socket.sendmsg",
        "socket.sendto",
        "subprocess.Popen",
    }
)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _FORBIDDEN:
        raise ImportingError(f"the worker tried {event} with {str(arguments)[:80]}, which no log needs")
