"""A Trackio project: a SQLite file with one row of JSON a step.

Read directly and read-only: Trackio's own reader loads its server and sets the file's journal mode. A file
from elsewhere may hold anything under these names, a view without an end or pages that lead to each other, so
only real tables are read, each once from its beginning to its end, and with a bound on the work.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from grokscope.importing.formats import LogFormat, LogSource, SourceKind
from grokscope.importing.limits import Limits, Tally
from grokscope.importing.readers.json_values import numbers_in
from grokscope.importing.records import ImportingError, Log, SourceRun, digest
from grokscope.importing.steps import counted_frame
from grokscope.schemas.runs.settings import flat_settings

# Real tables without computed columns: what a view or an expression of the file's would do has no bound.
_TABLES = (
    "SELECT name FROM sqlite_master AS m WHERE name IN ('metrics', 'configs', 'alembic_version') "
    "AND type = 'table' AND rootpage > 0 "
    "AND NOT EXISTS (SELECT 1 FROM pragma_table_xinfo(m.name) WHERE hidden)"
)
_CONFIGS = "SELECT run_id, config FROM configs"
_ROWS = "SELECT run_id, run_name, step, timestamp, metrics FROM metrics ORDER BY run_id, id"
# In SQLite's own instructions: reading and sorting a row takes some thirty, and a row may hold one point.
_ROUND, _ROUNDS, _A_POINT = 100_000, 10, 100
_Row = tuple[Any, Any, Any, Any, Any]


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the runs of each project."""
    for path in source.files:
        try:
            with closing(_opened(path, tally.limits)) as connection:
                _check_tables(connection, path)
                configs = _configs(connection)
                rows = groupby(connection.execute(_ROWS), key=lambda row: str(row[0]))
                for count, (run_id, of_run) in enumerate(rows, start=1):
                    tally.runs(count)
                    yield _log(path, run_id, of_run, configs.get(run_id, {}), tally)
        except (sqlite3.Error, ValueError, RecursionError) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                raise ImportingError(
                    f"{path.name!r} takes more work than {tally.limits.points:,} points need; is it damaged? "
                    "Else raise the cap with --max-points"
                ) from error
            raise ImportingError(f"{path.name!r} is not a readable Trackio store ({error})") from error


def _opened(path: Path, limits: Limits) -> sqlite3.Connection:
    connection = sqlite3.connect(_read_only(path), uri=True)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.record_bytes)
    rounds = iter(range(_ROUNDS + limits.points * _A_POINT // _ROUND))
    connection.set_progress_handler(lambda: next(rounds, None) is None, _ROUND)
    return connection


def _read_only(path: Path) -> str:
    """Return SQLite's address for reading a file that is not ours, without leaving anything beside it.

    In WAL mode, even a reader makes files of its own, unless it is told that nobody writes; nobody does
    where there is no ``-wal`` file.
    """
    is_live = path.with_name(f"{path.name}-wal").exists()
    return f"{path.absolute().as_uri()}?mode=ro{'' if is_live else '&immutable=1'}"


def _check_tables(connection: sqlite3.Connection, path: Path) -> None:
    names = {str(name) for (name,) in connection.execute(_TABLES)}
    if "alembic_version" in names:
        raise ImportingError(
            f"{path.name!r} is an MLflow store and needs no importing; give it with --store sqlite:///{path}"
        )
    if not names >= {"metrics", "configs"}:
        raise ImportingError(
            f"{path.name!r} is a SQLite database, but not of Trackio: it lacks the tables metrics and configs"
        )


def _configs(connection: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    configs = dict[str, dict[str, Any]]()
    for run_id, config in connection.execute(_CONFIGS):
        configs.setdefault(str(run_id), {}).update(_object(config))
    return configs


def _log(path: Path, run_id: str, of_run: Iterable[_Row], config: Mapping[str, Any], tally: Tally) -> Log:
    name, rows = "", list[tuple[str, int | float, int | None, float]]()
    for _, named, step, time, text in of_run:
        found = [(tally.name(key), value) for key, value in numbers_in(_object(text))]
        tally.points(len(found))
        rows.extend((key, _step(path, step), _time(str(time)), value) for key, value in found)
        name = max(name, str(named))
    group = {"group": str(config["_Group"])} if config.get("_Group") else {}
    params = flat_settings({k: v for k, v in config.items() if not k.startswith("_")})
    points, whole = counted_frame(rows, where=path.name)
    run = SourceRun(
        key=f"{path.stem}/{run_id}",
        identity=digest("trackio", run_id),
        is_certain=True,
        name=tally.name(name),
        source=path.name,
        experiment=path.stem,
        params={**params, **group},
        notes=whole.notes,
        in_thousandths=whole.in_thousandths,
    )
    return Log(run=run, points=points)


def _step(path: Path, step: Any) -> int | float:
    if not isinstance(step, int | float):
        raise ImportingError(f"{path.name!r} has a row with the step {str(step)[:40]!r}, which is no number")
    return step


def _object(text: str | bytes) -> dict[str, Any]:
    value: Any = json.loads(text)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _time(text: str) -> int | None:
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


FORMAT = LogFormat(
    kind=SourceKind.TRACKIO,
    shown="a Trackio store (.db)",
    recognises=lambda _path, head: head.startswith(b"SQLite format 3\0"),
    read=read,
)
