"""A Trackio project: a SQLite file with one row of JSON a step.

Read directly and read-only: Trackio's own reader loads its server and sets the file's journal mode.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import polars as pl

from grokscope.schemas.settings import flat_settings
from grokscope.store.importing.json_values import numbers_in
from grokscope.store.importing.kinds import Source, read_only
from grokscope.store.importing.limits import Tally
from grokscope.store.importing.records import LOG_SCHEMA, ImportingError, Log, SourceRun, digest

_RUNS = "SELECT run_id, MAX(run_name) FROM metrics GROUP BY run_id ORDER BY MIN(id)"
_CONFIG = "SELECT config FROM configs WHERE run_id = ?"
_ROWS = "SELECT step, timestamp, metrics FROM metrics WHERE run_id = ? ORDER BY id"


def read(source: Source, tally: Tally) -> Iterator[Log]:
    """Yield the runs of each project."""
    for path in source.files:
        try:
            with closing(_opened(path)) as connection:
                runs = connection.execute(_RUNS).fetchall()
                tally.runs(len(runs))
                for run_id, name in runs:
                    yield _log(connection, path, str(run_id), str(name), tally)
        except (sqlite3.Error, ValueError, RecursionError) as error:
            raise ImportingError(f"{path.name!r} is not a readable Trackio store ({error})") from error


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(read_only(path), uri=True)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _log(connection: sqlite3.Connection, path: Path, run_id: str, name: str, tally: Tally) -> Log:
    rows: list[tuple[str, int, int | None, float]] = []
    for step, time, text in connection.execute(_ROWS, (run_id,)):
        found = [(tally.name(key), value) for key, value in numbers_in(_object(text))]
        tally.points(len(found))
        rows.extend((key, int(step), _time(str(time)), value) for key, value in found)
    config = {k: v for row in connection.execute(_CONFIG, (run_id,)) for k, v in _object(row[0]).items()}
    group = {"group": str(config["_Group"])} if config.get("_Group") else {}
    params = flat_settings({k: v for k, v in config.items() if not k.startswith("_")})
    run = SourceRun(
        key=f"{path.stem}/{run_id}",
        identity=digest("trackio", run_id),
        is_certain=True,
        name=tally.name(name),
        source=path.name,
        experiment=path.stem,
        params={**params, **group},
    )
    return Log(run=run, points=pl.DataFrame(rows, schema=LOG_SCHEMA, orient="row"))


def _object(text: str | bytes) -> dict[str, Any]:
    value: Any = json.loads(text)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _time(text: str) -> int | None:
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
