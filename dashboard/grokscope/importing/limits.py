"""How much of a source is taken at most, and what its worker may use: sources come from anywhere."""

import sys
from dataclasses import dataclass
from typing import Any

from grokscope.importing.records import ImportingError

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps on one source.

    Attributes:
        files: Files of one source.
        file_bytes: Bytes of one file.
        points: Points of one source; what ``--max-points`` sets.
        runs: Runs of one source.
        metrics: Different metrics, or columns of a table.
        name: Characters of a metric's, run's or param's name.
        record_bytes: Bytes of one record, one line or one cell.
        told_bytes: Bytes of the names, params and tags of all runs.
        memory_bytes: Address space of the worker.
        cpu_s: Processor time of the worker.
        wall_s: How long the worker may take.
    """

    files: int = 10_000
    file_bytes: int = 2048 * MIB
    points: int = 10_000_000
    runs: int = 10_000
    metrics: int = 10_000
    name: int = 1_000
    record_bytes: int = 64 * MIB
    told_bytes: int = 32 * MIB
    memory_bytes: int = 6144 * MIB
    cpu_s: int = 900
    wall_s: int = 1800


class Tally:
    """Counts what has been taken, and stops at the caps.

    >>> Tally(Limits(points=2)).points(3)
    Traceback (most recent call last):
    ...
    grokscope.importing.records.ImportingError: more than 2 points; raise the cap with --max-points
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._points = 0

    def points(self, count: int) -> None:
        """Count points."""
        self._points += count
        if self._points > self.limits.points:
            raise ImportingError(f"more than {self.limits.points:,} points; raise the cap with --max-points")

    def runs(self, count: int) -> None:
        """Check a number of runs."""
        if count > self.limits.runs:
            raise ImportingError(f"more than {self.limits.runs:,} runs; import the source in parts")

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
            (resource.RLIMIT_CPU, limits.cpu_s),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, limits.memory_bytes),
        ):
            _, hard = resource.getrlimit(what)
            resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    sys.addaudithook(_refuse)


_FORBIDDEN = frozenset(
    {"socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.exec", "os.fork"}
)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _FORBIDDEN:
        raise ImportingError(f"the worker tried {event} with {str(arguments)[:80]}, which no log needs")
