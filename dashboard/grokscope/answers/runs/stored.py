"""Runs out of a store: params as columns, curves by the names that the engine reads them under."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from grokscope.answers.reading.facts import facts_of
from grokscope.answers.reading.reader import StoreReader
from grokscope.interventions.outcomes.observed import ObservedRuns, ObservedRunsError
from grokscope.interventions.outcomes.units import with_units
from grokscope.schemas.runs.query import Facts, Query
from grokscope.schemas.runs.query.conditions import DATES
from grokscope.schemas.runs.table_params import UNIT_METRICS
from grokscope.schemas.runs.withholding import without_secrets
from grokscope.schemas.tags import REVIEW_PREFIX
from grokscope.store import Store, names_by_run, renamed_by_run
from grokscope.store.exporting import param_columns

_JUDGED = {"group", "pattern", *DATES}
_LEARNING_RATE = "updates/learning_rate"


def runs_in_store(
    store: Store,
    experiment: str | None,
    *,
    metrics: Sequence[str] | None = None,
    most: int | None = None,
) -> ObservedRuns:
    """Return the runs of an experiment.

    Args:
        store: Where they are.
        experiment: Its name; ``None`` where the store has only one.
        metrics: Read these curves, by our names or as logged, and those that count what was spent; ``None``
            for all.
        most: Read the curves of so many runs at most; ``None`` for those of all.

    Raises:
        ObservedRunsError: If the experiment is to be told and is not, or has no runs.
        StoreError: If the store cannot be read.
    """
    name = experiment if experiment is not None else _only(store)
    runs = store.runs(name)
    if runs.is_empty():
        raise ObservedRunsError(f"the experiment {name!r} has no runs; name another with --experiment")
    ids = runs["run_id"].to_list()
    logged = store.metrics(ids)
    names = names_by_run(logged, store.aliases(name))
    wanted = (
        None
        if metrics is None
        else _wanted(names, {*metrics, *UNIT_METRICS, *UNIT_METRICS.values(), _LEARNING_RATE})
    )
    points = store.points(ids[:most], wanted)
    own = points.filter(pl.col("metric").is_in(list(metrics or ())))
    renamed = renamed_by_run(points, names)
    # A curve may be asked for by the name that it was logged under, too.
    both = pl.concat([renamed, own.join(renamed, on=["run_id", "metric", "step"], how="anti")])
    curves = with_units(both.select("run_id", "metric", "step", "value"))
    return ObservedRuns(runs=_with_params(store, runs), curves=curves, reviews=_reviews(store, ids))


def _reviews(store: Store, run_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    tags = store.tags(run_ids).filter(pl.col("key").str.starts_with(REVIEW_PREFIX))
    for run, key, value in tags.select("run_id", "key", "value").iter_rows():
        found.setdefault(run, {})[key] = value
    return found


def facts_in_store(store: Store, experiment: str | None, *, reader: StoreReader, query: Query) -> Facts:
    """Return what a query on the runs of an experiment asks for; verdicts and groups only if it names them.

    Args:
        store: Where they are.
        experiment: As in ``runs_in_store``.
        reader: Of the same store: it judges.
        query: What is asked.

    Raises:
        ObservedRunsError, StoreError: As ``runs_in_store``.
    """
    name = experiment if experiment is not None else _only(store)
    runs = store.runs(name)
    ids = runs["run_id"].to_list()
    verdicts = None
    if any(term.name.lower() in _JUDGED for term in query.terms):
        judged = {run.run_id: run for run in reader.read(name).runs}
        verdicts = {run: one.verdict for run, one in judged.items() if one.verdict is not None}
        groups = [judged[run].group if run in judged else None for run in ids]
        runs = runs.with_columns(pl.Series("group", groups, dtype=pl.String))
    facts = facts_of(
        runs,
        store=store,
        names=names_by_run(store.metrics(ids), store.aliases(name)),
        pairs=(store.params(ids), store.tags(ids)),
        now_ms=reader.now_ms(),
    )
    return replace(facts, verdicts=verdicts)


def _only(store: Store) -> str:
    found = store.experiments()
    with_runs = found.filter(pl.col("runs") > 0)["name"].to_list()
    if len(with_runs) == 1:
        return str(with_runs[0])
    told = ", ".join(map(repr, with_runs[:20])) or "none"
    raise ObservedRunsError(f"which experiment? Name one with --experiment; those with runs: {told}")


def _wanted(names: dict[str, dict[str, str]], metrics: set[str]) -> list[str]:
    """Return what the metrics are called in the store."""
    found = {own for run in names.values() for own, ours in run.items() if ours in metrics or own in metrics}
    return sorted(found | metrics)


def _with_params(store: Store, runs: pl.DataFrame) -> pl.DataFrame:
    params = param_columns(store, runs)
    clashing = {name: f"param.{name}" for name in ("run_id", "status") if name in params.columns}
    free = params.drop(other for other in clashing.values() if other in params.columns)
    told = runs.select("run_id", "name", "status")
    own = free.rename({**clashing, "run": "run_id"})
    return without_secrets(told.join(own, on="run_id", how="left", maintain_order="left"))
