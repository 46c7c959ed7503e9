"""Parse a source in a process of its own, so that a hostile or broken file can do no more than fail."""

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from grokscope.importing.journal import CURRENT
from grokscope.importing.limits import Limits
from grokscope.importing.recognition import KNOWN, NO_LOG, FoundSource
from grokscope.importing.records import ImportingError, Skipped, SourceRun, run_from
from grokscope.importing.worker import FOUND, NO_ROOM, POINTS, PROBLEM, is_full, too_much_memory

_REQUEST, _WORDS = "request.json", "stderr.txt"
_SHOWN = 300
_REFUSED_MEMORY = "memory allocation of"
"""What a library in Rust says before it ends its process."""

_MOST_DEATHS = 20
"""Files of a folder that a process may die of, each time followed by one that goes on behind them."""

_START_S = 120
"""How long a worker may take until it looks at its first file."""

_LOOK_S = 0.5
"""How often it is looked whether the worker has come to another file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a source holds.

    Attributes:
        runs: Its runs, in the order in which they were found.
        points: ``POINT_SCHEMA``; ``run_id`` is the run's key.
        skipped: Files and runs that were left out, errors first.
    """

    runs: tuple[SourceRun, ...]
    points: pl.DataFrame
    skipped: tuple[Skipped, ...] = ()


def parse_source(
    source: FoundSource,
    *,
    patterns: Sequence[str] = (),
    step: str | None = None,
    limits: Limits | None = None,
) -> Parsed:
    """Return what is in ``source``; parts that are no logs or cannot be read are skipped, each with a reason.

    Args:
        source: As ``find_source`` gives it.
        patterns: Regular expressions of a text log.
        step: The column or metric that counts the steps; ``None`` for the usual ones.
        limits: Caps; the process ends when it goes beyond them.

    Raises:
        ImportingError: If nothing can be read, with the reason in one sentence.
    """
    limits = limits or Limits()
    request = {
        "kind": source.kind,
        "files": [str(path.absolute()) for path in source.files],
        "root": str(source.root.absolute()),
        "is_folder": source.is_folder,
        "patterns": list(patterns),
        "step": step,
        "limits": asdict(limits),
    }
    crashed: dict[str, str] = {}
    with _room_for_files() as out:
        while (
            status := _run(json.dumps({**request, "crashed": crashed, "out": str(out)}), out, limits)
        ) != 0:
            current = out / CURRENT
            where = current.read_text(errors="surrogateescape") if current.exists() else ""
            reason = _died(status, out, limits)
            if status == NO_ROOM or not source.is_folder or not where or where in crashed:
                raise ImportingError(f"{_shown(source)}: {reason}")
            crashed[where] = reason
            if len(crashed) == _MOST_DEATHS:
                raise ImportingError(
                    f"{_shown(source)}: {where} and {len(crashed) - 1} more: {reason}; import it in parts"
                )
        return _checked(source, _parsed(source, out, limits))


@contextmanager
def _room_for_files() -> Generator[Path]:
    """Give a folder for what is read, which is gone afterwards."""
    try:
        place = tempfile.TemporaryDirectory(prefix="grokscope-import-")
    except OSError as error:
        raise ImportingError(_no_room(error.strerror or str(error))) from error
    try:
        with place as folder:
            yield Path(folder)
    except OSError as error:
        said = error.strerror or str(error)
        raise ImportingError(
            _no_room(said)
            if is_full(error)
            else f"it cannot be read in a process of its own ({said}); try again"
        ) from error


def _no_room(why: str) -> str:
    return (
        f"what is read cannot be kept in {tempfile.gettempdir()} until it is written ({why}); "
        "free some room there, or name another folder in TMPDIR"
    )


def _parsed(source: FoundSource, out: Path, limits: Limits) -> Parsed:
    problem = out / PROBLEM
    if problem.exists():
        raise ImportingError(f"{_shown(source)}: {problem.read_text(errors='replace')}")
    told = (out / FOUND).stat().st_size
    most = limits.told_bytes + limits.told_bytes_a_file * max(0, len(source.files) - 1)
    if told > most:
        raise ImportingError(
            f"{_shown(source)}: its names, params and tags take {told:,} bytes, more than {most:,}; "
            "import it in parts"
        )
    found: dict[str, list[dict[str, Any]]] = json.loads((out / FOUND).read_text())
    skipped = [*source.left_out, *(Skipped(**one) for one in found["skipped"])]
    return Parsed(
        runs=tuple(map(run_from, found["runs"])),
        points=pl.read_parquet(out / POINTS, glob=False, memory_map=False),
        skipped=tuple(sorted(skipped, key=lambda one: not one.is_error)),
    )


def _checked(source: FoundSource, parsed: Parsed) -> Parsed:
    """Return what was parsed, unless it is nothing at all."""
    if parsed.runs:
        return parsed
    # What names itself says more than a file that is simply no log.
    told = [one for one in parsed.skipped if one.is_error or one.reason != NO_LOG]
    if not told and source.kind is not None:
        raise ImportingError(f"{_shown(source)} holds no file of the kind {source.kind}; importable: {KNOWN}")
    if not told:
        raise ImportingError(f"{_shown(source)} holds nothing that is recognised; importable: {KNOWN}")
    rest = len(told) - 1
    more = f"; and {rest} more file{'' if rest == 1 else 's'} that cannot be imported" if rest else ""
    first = told[0]
    name = "" if Path(first.path).name in first.reason else f"{first.path} "
    raise ImportingError(f"{_shown(source)}: {name}{first.reason}{more}")


def _run(request: str, out: Path, limits: Limits) -> int | None:
    """Run the worker; return its status, ``None`` if it had to be stopped."""
    environment = {
        **os.environ,
        "POLARS_MAX_THREADS": "2",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }
    (out / CURRENT).unlink(missing_ok=True)
    (out / _REQUEST).write_text(request)  # a pipe would have to be served while the worker is watched
    # -P: a file named csv.py in the working folder is not to be taken for Python's.
    with (out / _REQUEST).open("rb") as asked, (out / _WORDS).open("wb") as words:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "grokscope.importing"],
            stdin=asked,
            stdout=subprocess.DEVNULL,
            stderr=words,
            env=environment,
        )
    try:
        return _status(process, out / CURRENT, limits.wall_s)
    finally:
        process.kill()
        process.wait()


def _status(process: "subprocess.Popen[bytes]", current: Path, most_s: float) -> int | None:
    """Return the status of the worker; ``None`` if it was at one file for longer than ``most_s``."""
    seen, since = None, time.monotonic()
    while True:
        try:
            return process.wait(min(_LOOK_S, most_s))
        except subprocess.TimeoutExpired:
            at = current.stat().st_mtime_ns if current.exists() else None
            if at != seen:
                seen, since = at, time.monotonic()
            elif time.monotonic() - since > (most_s if at else max(most_s, _START_S)):
                return None


def _died(status: int | None, out: Path, limits: Limits) -> str:
    if status == NO_ROOM:
        return _no_room(os.strerror(errno.ENOSPC))
    if status == -signal.SIGKILL:
        return (
            "the process that reads it was killed (SIGKILL), most often because the machine has no memory "
            "left; free some, or split the file"
        )
    if status is None:
        return (
            f"reading it takes longer than {limits.wall_s:,} s; split it, simplify --pattern, or copy it to "
            "a local disk"
        )
    if status == -signal.SIGXCPU:
        return f"reading it takes more than {limits.cpu_s:,} s of processor time; split it"
    words = (out / _WORDS).read_bytes().decode(errors="replace").strip().splitlines()
    if any(_REFUSED_MEMORY in line for line in words):
        return too_much_memory(limits)
    why = signal.Signals(-status).name if status < 0 else f"status {status}"
    said = f": {words[-1][-_SHOWN:]}" if words else ""
    return (
        f"its reader crashed ({why}{said}); it may take {limits.memory_bytes >> 20:,} MiB. "
        "Split it, or check that it is whole"
    )


def _shown(source: FoundSource) -> str:
    one = source.files[0] if not source.is_folder else source.root
    count = len(source.files)
    return f"{one} ({count:,} file{'' if count == 1 else 's'})" if source.is_folder else str(one)
