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
from typing import Any

import polars as pl

from grokscope.importing.limits import Limits
from grokscope.importing.recognition import KNOWN, NO_LOG, FoundSource
from grokscope.importing.records import ImportingError, Skipped, SourceRun
from grokscope.importing.worker import CURRENT, FOUND, POINTS, PROBLEM

_WORDS = "stderr.txt"
_SHOWN = 300
_ATTEMPTS = 4
"""How often a folder is read, each time without the file that the process before died of."""


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
    for _ in range(_ATTEMPTS):
        with tempfile.TemporaryDirectory(prefix="grokscope-import-") as folder:
            out = Path(folder)
            status = _run(json.dumps({**request, "crashed": crashed, "out": folder}), out, limits)
            if status == 0:
                return _checked(source, _parsed(source, out, limits))
            current = out / CURRENT
            where = current.read_text(errors="surrogateescape") if current.exists() else ""
            reason = _died(status, out, limits)
            if not source.is_folder or not where or where in crashed:
                raise ImportingError(f"{_shown(source)}: {reason}")
            crashed[where] = reason
    first, reason = next(iter(crashed.items()))
    raise ImportingError(f"{_shown(source)}: {first}, among others: {reason}; import it in parts")


def _parsed(source: FoundSource, out: Path, limits: Limits) -> Parsed:
    problem = out / PROBLEM
    if problem.exists():
        raise ImportingError(f"{_shown(source)}: {problem.read_text(errors='replace')}")
    told = (out / FOUND).stat().st_size
    if told > limits.told_bytes:
        raise ImportingError(
            f"{_shown(source)}: its names, params and tags take {told:,} bytes, more than "
            f"{limits.told_bytes:,}; import it in parts"
        )
    found: dict[str, list[dict[str, Any]]] = json.loads((out / FOUND).read_text())
    skipped = sorted((Skipped(**one) for one in found["skipped"]), key=lambda one: not one.is_error)
    return Parsed(
        runs=tuple(_run_from(run) for run in found["runs"]),
        points=pl.read_parquet(out / POINTS, glob=False, memory_map=False),
        skipped=tuple(skipped),
    )


def _run_from(told: dict[str, Any]) -> SourceRun:
    told["notes"] = tuple(told["notes"])  # JSON has no tuples
    return SourceRun(**told)


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
    raise ImportingError(f"{_shown(source)}: {told[0].reason}{more}")


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


def _shown(source: FoundSource) -> str:
    one = source.files[0] if not source.is_folder else source.root
    count = len(source.files)
    return f"{one} ({count:,} file{'' if count == 1 else 's'})" if source.is_folder else str(one)
