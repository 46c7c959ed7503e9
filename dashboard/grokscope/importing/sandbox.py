"""Parse a source in a process of its own, so that a hostile or broken file can do no more than fail."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from grokscope.importing.formats import LogSource
from grokscope.importing.limits import Limits
from grokscope.importing.records import ImportingError, SourceRun
from grokscope.importing.worker import POINTS, PROBLEM, RUNS

_WORDS = "stderr.txt"
_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a source holds.

    Attributes:
        runs: Its runs, in the order in which they were found.
        points: ``POINT_SCHEMA``; ``run_id`` is the run's key.
    """

    runs: tuple[SourceRun, ...]
    points: pl.DataFrame


def parse_source(source: LogSource, *, patterns: Sequence[str] = (), limits: Limits | None = None) -> Parsed:
    """Return what is in ``source``.

    Args:
        source: As ``recognise`` gives it.
        patterns: Regular expressions of a text log.
        limits: Caps; the process ends when it goes beyond them.

    Raises:
        ImportingError: If it cannot be read, with the reason in one sentence.
    """
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="grokscope-import-") as folder:
        out = Path(folder)
        request = {
            "kind": source.kind,
            "files": [str(path.absolute()) for path in source.files],
            "root": str(source.root.absolute()),
            "patterns": list(patterns),
            "limits": asdict(limits),
            "out": folder,
        }
        status = _run(json.dumps(request), out, limits)
        problem = out / PROBLEM
        if problem.exists():
            raise ImportingError(f"{_shown(source)}: {problem.read_text(errors='replace')}")
        if status != 0 or not (out / RUNS).exists():
            raise ImportingError(f"{_shown(source)}: {_died(status, out, limits)}")
        told = (out / RUNS).stat().st_size
        if told > limits.told_bytes:
            raise ImportingError(
                f"{_shown(source)}: its names, params and tags take {told:,} bytes, more than "
                f"{limits.told_bytes:,}; import it in parts"
            )
        runs = tuple(SourceRun(**run) for run in json.loads((out / RUNS).read_text()))
        return Parsed(runs=runs, points=pl.read_parquet(out / POINTS, glob=False, memory_map=False))


def _run(request: str, out: Path, limits: Limits) -> int | None:
    """Run the worker; return its status, ``None`` if it had to be stopped."""
    environment = {
        **os.environ,
        "POLARS_MAX_THREADS": "2",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }
    # -P: a file named csv.py in the working folder is not to be taken for Python's.
    with (out / _WORDS).open("wb") as words:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "grokscope.importing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=words,
            env=environment,
            text=True,
        )
    try:
        process.communicate(request, timeout=limits.wall_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        process.kill()
        process.wait()
    return process.returncode


def _died(status: int | None, out: Path, limits: Limits) -> str:
    if status is None:
        return f"reading it takes longer than {limits.wall_s:,} s; split it, or simplify --pattern"
    if status == -signal.SIGXCPU:
        return f"reading it takes more than {limits.cpu_s:,} s of processor time; split it"
    why = signal.Signals(-status).name if status < 0 else f"status {status}"
    words = (out / _WORDS).read_bytes()[-_SHOWN:].decode(errors="replace").strip().splitlines()
    said = f": {words[-1]}" if words else ""
    return (
        f"its reader crashed ({why}{said}); it may take {limits.memory_bytes >> 20:,} MiB. "
        "Split it, or check that it is whole"
    )


def _shown(source: LogSource) -> str:
    return str(source.files[0]) if len(source.files) == 1 else f"{source.root} ({len(source.files)} files)"
