"""The queries on MLflow's tables. Text from outside is always a bound value, never part of a statement."""

# ruff: noqa: S608 -- the statements are put together from this module's own constants only

import json
import sqlite3
from collections.abc import Iterator, Sequence

import polars as pl

from grokscope.schemas.tags import LAST_SEEN, RUN_NAME
from grokscope.store.frames import points_from_frame
from grokscope.store.sqlite.bulk import ROW_TYPES, Rows

EXPERIMENTS = """
SELECT CAST(experiment_id AS TEXT), name FROM experiments WHERE lifecycle_stage = 'active'
"""

EXPERIMENT_TAGS = """
SELECT t.key, t.value FROM experiments AS e
LEFT JOIN experiment_tags AS t ON t.experiment_id = e.experiment_id
WHERE e.lifecycle_stage = 'active' AND e.name = :experiment
"""

LAST_ROW = "SELECT MAX(rowid) FROM metrics"

# MLflow 1 kept a run's name in a tag only, and later ones leave such runs as they are.
_NAME = f"""
COALESCE(NULLIF(r.name, ''),
         (SELECT n.value FROM tags AS n WHERE n.run_uuid = r.run_uuid AND n.key = '{RUN_NAME}'))
"""

RUNS = f"""
SELECT r.run_uuid, {_NAME}, e.name, r.status, r.start_time, r.end_time,
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
ARTIFACTS = f"SELECT artifact_uri FROM runs WHERE {_IN_RUNS}"
KEYS = f"SELECT run_uuid, key FROM latest_metrics WHERE {_IN_RUNS}"

# A step may be stored as 1.5: MLflow's SQLite path does not check.
_ROW = "CAST(step AS INTEGER) AS step, timestamp AS time_ms, value, is_nan"

_IN_METRICS = "(:metrics IS NULL OR key IN (SELECT value FROM json_each(:metrics)))"

# The plus keeps SQLite from leaving the rowid for the index on run_uuid, which would read whole histories.
_ARRIVED = f"""
SELECT run_uuid AS run_id, key AS metric, {_ROW} FROM metrics
WHERE rowid > ?1 AND rowid <= ?2 AND +run_uuid IN (SELECT value FROM json_each(?3))
      AND (?4 IS NULL OR key IN (SELECT value FROM json_each(?4)))
"""

_SHARE = f"""
SELECT (SELECT COUNT(*) FROM latest_metrics WHERE {_IN_RUNS} AND {_IN_METRICS}) * 1.0
       / (SELECT COUNT(*) FROM latest_metrics)
"""

_WINDOW = 200_000
"""Row numbers a statement: a writer waits for one statement at most, here a few tenths of a second."""


def history(rows: Rows, run_id: str, metrics: Sequence[str] | None, *, index: str) -> list[pl.DataFrame]:
    """Return a run's rows of ``metrics`` (``None``: of all) in frames; ``index`` is ``step_index``'s."""
    if metrics is None:
        query = f"SELECT key AS metric, {_ROW} FROM metrics {index} WHERE run_uuid = ?1"
        return [_named(rows(query, [run_id]), run_id=run_id)]
    # A query a metric: its name is then one value, and not one a row.
    query = f"SELECT {_ROW} FROM metrics {index} WHERE run_uuid = ?1 AND key = ?2"
    return [_named(rows(query, [run_id, key]), run_id=run_id, metric=key) for key in metrics]


def _named(rows: pl.DataFrame, **names: str) -> pl.DataFrame:
    constant = {name: pl.Series([text]).new_from_index(0, rows.height) for name, text in names.items()}
    columns = {**rows.to_dict(), **constant}
    return pl.DataFrame({name: columns[name] for name in ROW_TYPES})


def arrived(
    rows: Rows, run_ids: Sequence[str], *, after: int, until: int, metrics: Sequence[str] | None = None
) -> Iterator[pl.DataFrame]:
    """Yield, in parts, the points that were inserted later than row ``after``, up to row ``until``."""
    for start in range(after, until, _WINDOW):
        window = [start, min(start + _WINDOW, until), _json(run_ids), _json(metrics)]
        found = rows(_ARRIVED, window)
        if not found.is_empty():
            yield points_from_frame(found)


def share(connection: sqlite3.Connection, run_ids: Sequence[str], metrics: Sequence[str] | None) -> float:
    """Return which part of all curves in the store these are, from 0 to 1."""
    found = connection.execute(_SHARE, {"runs": _json(run_ids), "metrics": _json(metrics)}).fetchone()[0]
    return float(found or 0.0)


def _json(names: Sequence[str] | None) -> str | None:
    return None if names is None else json.dumps(list(names))
