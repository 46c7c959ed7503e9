"""What is compared: the runs of a store, of a table, or of other tools' logs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from grokscope.answers import StoreReader
from grokscope.answers.runs.stored import facts_in_store, runs_in_store
from grokscope.answers.runs.tables import is_table, runs_in_table
from grokscope.cli.log_files import ReadAs, is_log_file, named_points, read_logs, say_skipped
from grokscope.dashboard.words.patterns import PATTERN_OF_WORD
from grokscope.interventions.outcomes.observed import ObservedRuns
from grokscope.interventions.outcomes.units import with_units
from grokscope.schemas import reviews_in
from grokscope.schemas.printable import written_out
from grokscope.schemas.runs.query import Query
from grokscope.schemas.runs.withholding import without_secrets
from grokscope.store import open_store
from grokscope.store.exporting import as_numbers

_MOST_NAMED = 3
_ENOUGH_RUNS = 20
"""To tell which metrics there are."""


def observed_at(
    source: str, *, experiment: str | None, where: str | None, metrics: Sequence[str] | None
) -> ObservedRuns:
    """Return the runs of a store (a URI), of a tidy table, or of logs in a file or folder.

    Args:
        source: Where they are.
        experiment: Name of one in the store.
        where: A query; ``None`` for all runs. What it may ask of a file is what the file says.
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
        found = _in_store(source, experiment, query, metrics)
    if query is not None and (is_table(source) or is_log_file(source)):
        found = found.where(query)
    return replace(found, notes=(*found.notes, *_reviewed(found)))


def _reviewed(found: ObservedRuns) -> list[str]:
    """Return what people decided about the runs: no review moves a cost, which is counted on the curves."""
    names = dict(found.runs.select("run_id", "name").iter_rows())
    made = {run: [r.sentence() for r in reviews_in(tags).reviews] for run, tags in found.reviews.items()}
    told = [f"{names[run] or run[:8]!r}: {', '.join(said)}" for run, said in made.items() if said]
    if not told:
        return []
    more = f"; and {len(told) - _MOST_NAMED:,} more" if len(told) > _MOST_NAMED else ""
    runs = "1 run was" if len(told) == 1 else f"{len(told):,} runs were"
    said = written_out(f"{runs} reviewed by a person ({'; '.join(told[:_MOST_NAMED])}{more})")
    return [f"{said}. Costs are counted to the target on the curves, which no review moves."]


def _in_store(
    source: str, experiment: str | None, query: Query | None, metrics: Sequence[str] | None
) -> ObservedRuns:
    store = open_store(source)
    try:
        found = runs_in_store(store, experiment, metrics=metrics)
        if found.curves.is_empty():  # what is said of it names the metrics that there are
            found = runs_in_store(store, experiment, most=_ENOUGH_RUNS)
        if query is None:
            return found
        reader = StoreReader(source)
        facts = facts_in_store(store, experiment, reader=reader, query=query)
        return found.where(query, replace(facts, pattern_words=PATTERN_OF_WORD))
    finally:
        store.close()


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
