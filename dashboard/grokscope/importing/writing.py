"""Imported runs, written into MLflow in batches."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from grokscope.importing.planning import PlannedRun, stored_place
from grokscope.importing.records import ImportingError
from grokscope.schemas.limits import LABELS_A_CALL, METRICS_A_CALL
from grokscope.schemas.names import stored_name, stored_text
from grokscope.schemas.secrets import redacted
from grokscope.schemas.tags import IMPORT_ID, IMPORT_KIND, IMPORT_NOTES, IMPORT_SOURCE
from grokscope.store.mlflow_client.client import open_client
from grokscope.store.mlflow_client.errors import explained
from grokscope.store.verdict_tags import limited

_MOST_PARAMS = 1000


def write_plan(plan: Sequence[PlannedRun], *, uri: str) -> Iterator[int]:
    """Write what ``plan`` adds; yield how many points have been written since the last time.

    A run is made with its import tag, so that an import that was interrupted goes on where it stopped.

    Raises:
        ImportingError: If an experiment was deleted.
        StoreError: If the store cannot be written.
    """
    due = [p for p in plan if p.run_id is None or p.is_open or not p.new.is_empty()]
    if not due:
        return
    with explained(uri):
        mlflow, client = open_client(uri)
    for planned in due:
        with explained(uri):
            run_id = planned.run_id or _made(client, planned)
            _log_params(mlflow, client, run_id, planned)
        for rows in planned.new.iter_slices(METRICS_A_CALL):
            with explained(uri):
                client.log_batch(run_id, metrics=_metrics(mlflow, rows))
            yield rows.height
        if planned.run.status != "RUNNING":
            with explained(uri), limited():
                end_ms = planned.known["time_ms"].max()
                client.set_terminated(run_id, status=planned.run.status, end_time=end_ms)


def _made(client: Any, planned: PlannedRun) -> str:
    run = planned.run
    tags = {
        **{stored_name(name): stored_text(redacted(text)) for name, text in run.tags.items()},
        IMPORT_ID: planned.import_id,
        IMPORT_KIND: run.kind,
        **({IMPORT_NOTES: stored_text(redacted("; ".join(run.notes)))} if run.notes else {}),
        IMPORT_SOURCE: stored_place(run),
    }
    made = client.create_run(
        _experiment(client, planned.experiment),
        start_time=planned.known["time_ms"].min(),
        tags=tags,
        run_name=stored_text(redacted(run.name)) or None,
    )
    return str(made.info.run_id)


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        return str(client.create_experiment(name))
    if found.lifecycle_stage != "active":
        raise ImportingError(
            f"the experiment {name!r} is deleted; restore it "
            f"(`mlflow experiments restore -x {found.experiment_id}`) or name another with --experiment"
        )
    return str(found.experiment_id)


def _log_params(mlflow: Any, client: Any, run_id: str, planned: PlannedRun) -> None:
    params = dict(list(planned.run.params.items())[:_MOST_PARAMS])
    if not params:
        return
    # A param of MLflow's is written once: those that are there stay as they are.
    there: dict[str, str] = {} if planned.run_id is None else client.get_run(run_id).data.params
    named = {stored_name(name): stored_text(text) for name, text in params.items()}
    pairs = [(name, text) for name, text in named.items() if name not in there]
    for start in range(0, len(pairs), LABELS_A_CALL):
        batch = [mlflow.entities.Param(*pair) for pair in pairs[start : start + LABELS_A_CALL]]
        client.log_batch(run_id, params=batch)


def _metrics(mlflow: Any, rows: pl.DataFrame) -> list[Any]:
    columns = rows.select("metric", "value", "time_ms", "step")
    return [mlflow.entities.Metric(*row) for row in columns.iter_rows()]
