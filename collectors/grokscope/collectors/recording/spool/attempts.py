"""How often a run was begun on this machine, and until when it was last at work."""

import os
import time
from contextlib import suppress
from pathlib import Path

from grokscope.collectors.recording.run_ids import checked_run_id
from grokscope.collectors.recording.spool.meta import read_meta
from grokscope.collectors.recording.spool.small_files import (
    age_seconds,
    read_json,
    replace_json,
    whole_number,
)
from grokscope.schemas.files.private import is_private, private_folder
from grokscope.schemas.files.spools import find_spools

_KEEP_SECONDS = 90 * 86_400.0
# Between two heartbeats an attempt may have logged this much later than its last one tells.
_GAP_MS = 10_000
_MOST_ATTEMPTS = 10**9
# The year 3000: what lies behind it is no time, and would make every later one too long to be kept.
_LATEST_MS = 32_503_680_000_000


class Attempt:
    """One process's turn at a run: the first, or the one that resumes it.

    Attributes:
        number: 1 for the first process that writes to a run here, 2 for the one that resumes it, and so on.
        earliest_ms: No time of this attempt may be before it, though the clock was set back since the last
            one: of two values of one step the later counts, and that must be the last attempt's.
    """

    def __init__(self, path: Path, *, number: int, earliest_ms: int) -> None:
        self.number = number
        self.earliest_ms = earliest_ms
        self._path = path

    def heartbeat(self) -> None:
        """Note that the attempt is still at work."""
        with suppress(OSError):
            os.utime(self._path, follow_symlinks=False)


def next_attempt(home: Path, run_id: str) -> Attempt:
    """Count one more attempt at a run and return it.

    Raises:
        OSError: If the count cannot be written.
        TrackerError: If ``run_id`` is none.
    """
    path = private_folder(home, "runs") / f"{checked_run_id(run_id)}.json"
    earlier = read_json(path) or {}
    number = 1 + (whole_number(earlier.get("attempt"), most=_MOST_ATTEMPTS) or 0)
    last_ms = path.lstat().st_mtime_ns // 1_000_000 if path.is_file() else 0
    last_ms = max(last_ms, whole_number(earlier.get("earliest_ms"), most=_LATEST_MS) or 0)
    earliest_ms = last_ms + _GAP_MS if time.time_ns() // 1_000_000 < last_ms else 0
    replace_json(path, {"attempt": number, "earliest_ms": earliest_ms})
    return Attempt(path, number=number, earliest_ms=earliest_ms)


def was_begun(home: Path, run_id: str) -> bool:
    """Say whether a tracker has written to a run here, as far as that is remembered.

    >>> was_begun(Path("no-such-home"), "run-a")
    False
    """
    return (home / "runs" / f"{checked_run_id(run_id)}.json").is_file()


def forget_attempts(home: Path) -> None:
    """Remove the counts of runs that are wholly shipped and that nobody has written to for long."""
    with suppress(OSError):
        if not is_private(home / "runs"):
            return
        old = [path for path in (home / "runs").glob("*.json") if age_seconds(path) > _KEEP_SECONDS]
        waiting = {meta.run_id for meta in map(read_meta, find_spools(home)) if meta} if old else set[str]()
        for path in (home / "runs").glob(".*.json.*"):  # half written, by a process that was killed
            if age_seconds(path) > _KEEP_SECONDS:
                path.unlink(missing_ok=True)
        for path in old:
            if path.stem not in waiting:
                path.unlink(missing_ok=True)
