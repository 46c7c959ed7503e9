"""What is compared: the runs of a store, of a table, or of other tools' logs."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from grokscope.answers.runs.stored import runs_in_store
from grokscope.answers.runs.tables import is_table, runs_in_table
from grokscope.answers.runs.withholding import without_secrets
from grokscope.cli.log_files import ReadAs, is_log_file, named_points, read_logs, say_skipped
from grokscope.interventions.outcomes.observed import ObservedRuns
from grokscope.interventions.outcomes.units import with_units
from grokscope.schemas.runs.query import Query
from grokscope.store import open_store
from grokscope.store.exporting import as_numbers


def observed_at(
    source: str, *, experiment: str | None, where: str | None, metrics: Sequence[str] | None
) -> ObservedRuns:
    """Return the runs of a store (a URI), of a tidy table, or of logs in a file or folder.

    Args:
        source: Where they are.
        experiment: Name of one in the store.
        where: Conditions on params; ``None`` for all runs.
        metrics: The curves that are needed; ``None`` for all.

    Raises:
        GrokscopeError: If they cannot be read, or there are none.
    """
    query = None if where is None else Query.parse(where)
    if is_table(source):
        found = runs_in_table(Path(source))
    elif is_log_file(source):
        found = _in_logs(source)
    else:
        store = open_store(source)
        try:
            found = runs_in_store(store, experiment, metrics=metrics)
        finally:
            store.close()
    return found if query is None else found.where(query)


def _in_logs(source: str) -> ObservedRuns:
    _, parsed = read_logs(source, ReadAs())
    say_skipped(parsed.skipped)
    log = named_points(parsed)
    ids = list(log.names)
    rows = [
        {**run.params, "run_id": run_id, "name": log.names[run_id], "status": run.status}
        for run_id, run in zip(ids, parsed.runs, strict=True)
    ]
    runs = pl.DataFrame(rows, infer_schema_length=None, strict=False)
    params = [name for name in runs.columns if name not in ("run_id", "name", "status")]
    told = runs.select("run_id", "name", "status", *(as_numbers(runs[name]) for name in params))
    return ObservedRuns(
        runs=without_secrets(told), curves=with_units(log.points.select("run_id", "metric", "step", "value"))
    )
