"""The worker's process: reads one source under limits, and leaves what it found in a folder.

``python -m grokscope.importing`` runs it, with the request as JSON on stdin; see ``sandbox``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from grokscope.importing.formats import LogSource, SourceKind
from grokscope.importing.limits import Limits, Tally, restrict
from grokscope.importing.readers import format_of
from grokscope.importing.records import ImportingError, Log
from grokscope.schemas import POINT_SCHEMA

RUNS, POINTS, PROBLEM = "runs.json", "points.parquet", "problem.txt"


def parse(request: Mapping[str, Any]) -> None:
    """Read the source and write ``runs.json`` and ``points.parquet``, or ``problem.txt``."""
    out = Path(request["out"])
    limits = Limits(**request["limits"])
    restrict(limits)
    try:
        _write(out, list(_logs(request, Tally(limits))))
    except ImportingError as error:
        (out / PROBLEM).write_text(str(error))
    except MemoryError:
        (out / PROBLEM).write_text(
            f"reading it takes more than {limits.memory_bytes >> 20:,} MiB; split it, or leave columns out"
        )
    except BaseException as error:  # noqa: BLE001 - a reader of somebody else's may raise anything
        words = " ".join(str(error).split())[:200]
        (out / PROBLEM).write_text(f"its reader failed ({type(error).__name__}: {words}); is the file whole?")


def _logs(request: Mapping[str, Any], tally: Tally) -> Iterator[Log]:
    source = LogSource(
        kind=SourceKind(request["kind"]),
        files=tuple(map(Path, request["files"])),
        root=Path(request["root"]),
        patterns=tuple(request["patterns"]),
    )
    for count, log in enumerate(format_of(source.kind).read(source, tally), start=1):
        tally.runs(count)
        tally.metrics(log.points["metric"].n_unique())
        yield log


def logs_frame(logs: Sequence[Log]) -> pl.DataFrame:
    """Return the points of many runs as ``POINT_SCHEMA``; ``run_id`` is the run's key."""
    frames = [
        log.points.select(pl.lit(log.run.key).alias("run_id"), *POINT_SCHEMA.names()[1:]) for log in logs
    ]
    return pl.concat([POINT_SCHEMA.to_frame(), *frames])


def _write(out: Path, logs: Sequence[Log]) -> None:
    logs_frame(logs).write_parquet(out / POINTS)
    # ASCII, so that lone surrogates of a broken name survive until they are cleaned.
    (out / RUNS).write_text(json.dumps([log.run.to_dict() for log in logs]))
