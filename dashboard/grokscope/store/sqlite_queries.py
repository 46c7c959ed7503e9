"""The queries on MLflow's tables. Text from outside is always a bound value, never part of a statement."""

# ruff: noqa: S608 -- the statements are put together from this module's own constants only

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from grokscope.schemas import LAST_SEEN
from grokscope.store.sqlite_schema import STEP_INDEX, has_step_index

EXPERIMENTS = """
SELECT CAST(experiment_id AS TEXT), name FROM experiments WHERE lifecycle_stage = 'active'
"""

RUNS = f"""
SELECT r.run_uuid, r.name, e.name, r.status, r.start_time, r.end_time,
       MAX(m.timestamp), CAST(MAX(m.step) AS INTEGER), t.value
FROM runs AS r
JOIN experiments AS e ON e.experiment_id = r.experiment_id
LEFT JOIN latest_metrics AS m ON m.run_uuid = r.run_uuid
LEFT JOIN tags AS t ON t.run_uuid = r.run_uuid AND t.key = '{LAST_SEEN}'
WHERE r.lifecycle_stage = 'active' AND e.lifecycle_stage = 'active'
      AND (:experiment IS NULL OR e.name = :experiment)
GROUP BY r.run_uuid
"""

# Ids travel as one JSON list, so there is no limit on their number.
_IN_RUNS = "run_uuid IN (SELECT value FROM json_each(:runs))"
STAGES = f"SELECT run_uuid, lifecycle_stage FROM runs WHERE {_IN_RUNS}"
PARAMS = f"SELECT run_uuid, key, value FROM params WHERE {_IN_RUNS}"
TAGS = f"SELECT run_uuid, key, value FROM tags WHERE {_IN_RUNS}"
KEYS = f"SELECT run_uuid, key FROM latest_metrics WHERE {_IN_RUNS}"

# A step may be stored as 1.5: MLflow's SQLite path does not check.
_POINT = "run_uuid, key, CAST(step AS INTEGER), timestamp, value, is_nan"

_IN_METRICS = "(:metrics IS NULL OR key IN (SELECT value FROM json_each(:metrics)))"

# The plus keeps SQLite from leaving the rowid for the index on run_uuid, which would read whole histories.
_ARRIVED = f"""
SELECT {_POINT} FROM metrics
WHERE rowid > :after AND rowid <= :until AND +{_IN_RUNS} AND {_IN_METRICS}
"""

_SHARE = f"""
SELECT (SELECT COUNT(*) FROM latest_metrics WHERE {_IN_RUNS} AND {_IN_METRICS}) * 1.0
       / (SELECT COUNT(*) FROM latest_metrics)
"""

_WINDOW = 200_000
"""Row numbers a statement: a writer waits for one statement at most, here a few tenths of a second."""


def history(
    connection: sqlite3.Connection, run_id: str, metrics: Sequence[str] | None
) -> list[tuple[Any, ...]]:
    """Return a run's rows of ``metrics`` (``None``: of all) as ``points_from_rows`` takes them."""
    hint = f"INDEXED BY {STEP_INDEX}" if has_step_index(connection) else ""
    chosen = "" if metrics is None else "AND key IN (SELECT value FROM json_each(:metrics))"
    query = f"SELECT {_POINT} FROM metrics {hint} WHERE run_uuid = :run {chosen}"
    return connection.execute(query, {"run": run_id, "metrics": _json(metrics)}).fetchall()


def arrived(
    connection: sqlite3.Connection,
    run_ids: Sequence[str],
    *,
    after: int,
    until: int,
    metrics: Sequence[str] | None = None,
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield, in parts, the rows that were inserted later than row ``after``, up to row ``until``."""
    values: dict[str, Any] = {"runs": _json(run_ids), "metrics": _json(metrics)}
    for start in range(after, until, _WINDOW):
        window = {"after": start, "until": min(start + _WINDOW, until)}
        if rows := connection.execute(_ARRIVED, {**values, **window}).fetchall():
            yield rows


def share(connection: sqlite3.Connection, run_ids: Sequence[str], metrics: Sequence[str] | None) -> float:
    """Return which part of all curves in the store these are, from 0 to 1."""
    found = connection.execute(_SHARE, {"runs": _json(run_ids), "metrics": _json(metrics)}).fetchone()[0]
    return float(found or 0.0)


def _json(names: Sequence[str] | None) -> str | None:
    return None if names is None else json.dumps(list(names))
