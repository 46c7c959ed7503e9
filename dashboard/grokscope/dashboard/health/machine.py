"""This machine: what its trainers have logged that waits to be sent, and what stores have refused."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from grokscope.dashboard.words import phrases
from grokscope.schemas.files.private import check_place, reading
from grokscope.schemas.files.spools import dead, find_spools, spools
from grokscope.store.findings import Finding, Health, shown_bytes

QUIET_S = 300.0
"""A spool that nobody has written to for this long has no trainer any more, or one that hangs."""

_FREE = 1 << 30
_MOST_READ = 1 << 24
_LETTERS = "*.jsonl"


def machine_findings(home: Path, *, now_s: float) -> Iterator[Finding]:
    """Yield how the machine that serves the pages is; trainers may run on others, of which it knows nothing.

    Args:
        home: Folder for spools and state.
        now_s: The time, Unix time in seconds.
    """
    yield _room(home)
    yield _spools(home, now_s=now_s)
    yield _letters(home)


def _room(home: Path) -> Finding:
    there = next((folder for folder in (home, *home.parents) if folder.exists()), home)
    try:
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Finding(subject="disk", health=Health.WARN, says=f"cannot tell: {error}")
    says = f"{shown_bytes(free)} free in {home}"
    if free >= _FREE:
        return Finding(subject="disk", health=Health.OK, says=says)
    remedy = "Free some, or set GROKSCOPE_HOME to another folder."
    return Finding(subject="disk", health=Health.WARN, says=says, remedy=remedy)


def _spools(home: Path, *, now_s: float) -> Finding:
    subject = "points to be sent"
    try:
        check_place(home)
        check_place(spools(home))
    except OSError as error:
        return Finding(subject=subject, health=Health.WARN, says=f"cannot tell: {error}")
    found = [_looked_at(folder) for folder in find_spools(home)]
    quiet = [one for one in found if now_s - one[1] > QUIET_S]
    if not found:
        return Finding(subject=subject, health=Health.OK, says="none: no run of this machine waits")
    at_work = f"{phrases.counted(len(found) - len(quiet), 'run')} at work here {_send(found, quiet)} points"
    if not quiet:
        return Finding(subject=subject, health=Health.OK, says=at_work)
    size = shown_bytes(sum(size for size, _ in quiet))
    oldest = phrases.duration(now_s - min(last for _, last in quiet))
    return Finding(
        subject=subject,
        health=Health.WARN,
        says=f"{phrases.counted(len(quiet), 'run')} left {size}, the first {oldest} ago",
        remedy="`grokscope doctor` says for which store and why they wait; `grokscope sync` sends them.",
    )


def _send(found: Sequence[object], quiet: Sequence[object]) -> str:
    return "sends" if len(found) - len(quiet) == 1 else "send"


def _looked_at(folder: Path) -> tuple[int, float]:
    """Return how many bytes of points a spool keeps, and when something was last written to it."""
    size, last = 0, 0.0
    with suppress(OSError):  # a shipper may remove it at any moment
        for entry in os.scandir(folder):
            found = entry.stat(follow_symlinks=False)
            size += found.st_size if entry.name.endswith(".seg") else 0
            last = max(last, found.st_mtime)
    return size, last


def _letters(home: Path) -> Finding:
    subject = "refused by a store"
    try:
        check_place(dead(home))
        counts = [_lines(path) for path in sorted(dead(home).glob(_LETTERS))]
    except OSError as error:
        return Finding(subject=subject, health=Health.WARN, says=f"cannot tell: {error}")
    counts = [count for count in counts if count]
    if not counts:
        return Finding(subject=subject, health=Health.OK, says="nothing that was logged on this machine")
    return Finding(
        subject=subject,
        health=Health.FAIL,
        says=f"{phrases.counted(sum(counts), 'record')} of {phrases.counted(len(counts), 'run')}, kept in "
        f"{dead(home)}",
        remedy="`grokscope doctor` says why. Correct the names or values in the training code, then delete "
        "the files.",
    )


def _lines(path: Path) -> int:
    """Return how many lines a file has, of the first megabytes."""
    with reading(path) as file:
        return file.read(_MOST_READ).count(b"\n")
