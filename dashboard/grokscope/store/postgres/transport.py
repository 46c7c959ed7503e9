"""MLflow's tables in PostgreSQL, read directly: many histories in one statement, or what is new of them."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from grokscope.schemas import empty_points
from grokscope.schemas.tags import RUN_NAME
from grokscope.store.arrays.artifacts import Artifacts
from grokscope.store.arrays.places import PlacedArtifacts
from grokscope.store.errors import no_experiment
from grokscope.store.findings import Finding
from grokscope.store.frames import points_from_frame
from grokscope.store.mlflow_client.errors import explained
from grokscope.store.postgres.calls import PostgresCalls
from grokscope.store.remote.records import RunRecord
from grokscope.store.sqlite.bulk import ROW_TYPES
from grokscope.store.sqlite.schema import slower_because
from grokscope.store.versions import database_version

# Lists travel as one JSON text, so there is no limit on their length.
_IDS = "(SELECT json_array_elements_text($1::json))"
# Types and defaults are the statements', so that whatever is in the tables comes as what is expected here, or
# is refused by the server.
_EXPERIMENTS = """
SELECT experiment_id::text, COALESCE(name::text, '') AS name FROM experiments WHERE lifecycle_stage = 'active'
"""
# ruff: noqa: S608 -- the statements are put together from this module's own constants only
_RUNS = f"""
SELECT run_uuid::text, COALESCE(name::text, '') AS name, experiment_id::text,
       COALESCE(status::text, '') AS status, start_time::bigint, end_time::bigint,
       COALESCE(lifecycle_stage::text, '') AS stage
FROM runs WHERE experiment_id::text IN {_IDS}
"""
_ARTIFACTS = "SELECT COALESCE(artifact_uri::text, '') AS place FROM runs WHERE run_uuid = $1"
_ACTIVE = "AND lifecycle_stage = 'active'"
_CHOSEN = "AND run_uuid IN (SELECT json_array_elements_text($2::json))"
_PAIRS = (
    "SELECT run_uuid::text, key::text, COALESCE(value::text, '') AS value FROM {table} WHERE run_uuid IN "
    + _IDS
)
_LATEST = f"""
SELECT run_uuid::text, key::text, COALESCE(step, 0)::bigint AS step,
       COALESCE(timestamp, 0)::bigint AS time_ms,
       CASE WHEN is_nan THEN 'nan' ELSE COALESCE(value::text, '') END AS value
FROM latest_metrics WHERE run_uuid IN {_IDS}
"""
# The index by run, key and step serves each run's own first step.
_SINCE = """
SELECT m.run_uuid::text AS run_id, m.key::text AS metric, m.step::bigint, m.timestamp::bigint AS time_ms,
       m.value::double precision AS value, COALESCE(m.is_nan, FALSE)::int::bigint AS is_nan
FROM json_each_text($1::json) AS w
JOIN metrics AS m ON m.run_uuid = w.key AND m.key = $2 AND m.step >= w.value::bigint
ORDER BY m.run_uuid, m.step
"""
_EXPERIMENT_TAGS = """
SELECT t.key::text, COALESCE(t.value::text, '') AS value FROM experiments AS e
LEFT JOIN experiment_tags AS t ON t.experiment_id = e.experiment_id
WHERE e.lifecycle_stage = 'active' AND e.name = $1
"""
_COLUMNS = """
SELECT column_name::text FROM information_schema.columns
WHERE table_name = $1 AND table_schema = ANY (current_schemas(false))
"""
_FIRST_STEP = -(2**63)


class PostgresTransport:
    """A ``Transport`` on a PostgreSQL database of MLflow.

    Args:
        uri: As MLflow takes it.

    Raises:
        ImportError: If ADBC's driver is not installed.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._calls = PostgresCalls(uri)
        self.artifacts: Artifacts = PlacedArtifacts(uri, self._place)

    def obstacle(self, shown: str) -> str | None:
        """Return why the tables cannot be read directly, in one sentence; ``None`` if they can.

        Raises:
            SchemaError: If MLflow's own client would migrate them, or cannot read them either.
        """
        return slower_because(
            shown, lambda table: set(self._calls.ask(_COLUMNS, [table]).to_series().to_list()), uri=self._uri
        )

    def _place(self, run_id: str) -> str:
        found = self._calls.ask(_ARTIFACTS, [run_id]).to_series().to_list()
        return str(found[0]) if found else ""

    def experiments(self) -> list[tuple[str, str]]:
        """Return ``(id, name)`` of active experiments."""
        return self._calls.ask(_EXPERIMENTS).rows()

    def search(self, experiment_ids: Sequence[str], run_ids: Sequence[str] | None = None) -> list[RunRecord]:
        """Return the active runs of the experiments; or, deleted ones too, those with ``run_ids``."""
        if not experiment_ids:
            return []
        listed = json.dumps(list(experiment_ids))
        if run_ids is None:
            runs = self._calls.ask(f"{_RUNS} {_ACTIVE}", [listed]).rows()
        else:
            runs = self._calls.ask(f"{_RUNS} {_CHOSEN}", [listed, json.dumps(list(run_ids))]).rows()
        ids = json.dumps([row[0] for row in runs])
        params, tags = (self._by_run(_PAIRS.format(table=name), ids) for name in ("params", "tags"))
        latest = self._by_run(_LATEST, ids)
        return [_record(row, params[row[0]], tags[row[0]], latest[row[0]]) for row in runs]

    def since(self, key: str, steps: Mapping[str, int | None]) -> pl.DataFrame:
        """Return all rows of one metric at or after a step for each run; ``None`` for the whole history."""
        if not steps:
            return empty_points()
        first = {run: _FIRST_STEP if step is None else step for run, step in steps.items()}
        return points_from_frame(self._calls.ask(_SINCE, [json.dumps(first), key]).cast(ROW_TYPES))

    def experiment_tags(self, experiment: str) -> dict[str, str]:
        """Return the tags of an active experiment."""
        rows = self._calls.ask(_EXPERIMENT_TAGS, [experiment]).rows()
        if not rows:
            raise no_experiment(experiment)
        return {key: value for key, value in rows if key is not None}

    def version(self) -> Finding:
        """Return of which MLflow the database is."""
        with explained(self._uri):
            return database_version(self._uri)

    def _by_run(self, query: str, ids: str) -> defaultdict[str, dict[str, Any]]:
        found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        for run, key, *values in self._calls.ask(query, [ids]).iter_rows():
            found[run][key] = values[0] if len(values) == 1 else tuple(values)
        return found


def _record(
    row: tuple[Any, ...], params: dict[str, Any], tags: dict[str, Any], latest: dict[str, Any]
) -> RunRecord:
    run_id, name, experiment_id, status, start_ms, end_ms, stage = row
    return RunRecord(
        run_id=run_id,
        name=name or tags.get(RUN_NAME, ""),  # MLflow 1 kept it there only
        experiment_id=experiment_id,
        status=status,
        start_ms=start_ms,
        end_ms=end_ms,
        is_active=stage == "active",
        params=params,
        tags=tags,
        latest=latest,
    )
