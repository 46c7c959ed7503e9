"""What the figures and tables of the case studies are made of: experiments as the dashboard reads them."""

import time
from dataclasses import dataclass

import polars as pl

from grokscope.answers.runs.stored import runs_in_store
from grokscope.dashboard.state.connection import StoreConnection
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.state.experiment_feed import ExperimentFeed
from grokscope.interventions.outcomes.observed import ObservedRuns


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One experiment of a store.

    Attributes:
        snapshot: As the pages of the dashboard have it, runs that still train left out.
        observed: The same runs with all that they logged.
    """

    snapshot: Snapshot
    observed: ObservedRuns


def study(store: str, experiment: str) -> Study:
    """Return an experiment's finished runs.

    Args:
        store: Its MLflow URI.
        experiment: Its name.

    Raises:
        SystemExit: If the store has none of that name.
    """
    connection = StoreConnection(store, clock=time.monotonic)
    feed = ExperimentFeed(experiment, connection, clock=time.monotonic)
    seen = feed.look()
    while seen.unjudged and not seen.problem:  # a page would show the rest at its next look
        feed.expire()
        seen = feed.look()
    if seen.experiment is None:
        raise SystemExit(f"{store} has no experiment {experiment!r}; train it with make case-studies")
    over = seen.runs.filter(pl.col("status") == "FINISHED")
    snapshot = _of(seen, over)
    found = runs_in_store(connection.store(), experiment)
    kept = pl.col("run_id").is_in(over["run_id"].implode())
    observed = ObservedRuns(runs=found.runs.filter(kept), curves=found.curves.filter(kept))
    connection.close()
    return Study(snapshot=snapshot, observed=observed)


def _of(seen: Snapshot, runs: pl.DataFrame) -> Snapshot:
    ids = set(runs["run_id"])
    kept = pl.col("run_id").is_in(list(ids))
    return Snapshot(
        experiment=seen.experiment,
        experiments=seen.experiments,
        runs=runs,
        params=seen.params.filter(kept),
        tags=seen.tags.filter(kept),
        curves=seen.curves.filter(kept),
        verdicts={run: one for run, one in seen.verdicts.items() if run in ids},
        pairs={run: one for run, one in seen.pairs.items() if run in ids},
        taken_ms=seen.taken_ms,
    )
