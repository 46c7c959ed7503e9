"""The runs of a store by the ids that their trackers gave them."""

from collections.abc import Iterable, Mapping

import polars as pl

from grokscope.schemas import CLIENT_RUN_ID
from grokscope.store import BusyStoreError, ExperimentNotFoundError, MissingStoreError, Store, open_store


def stored_runs(uri: str, experiments: Iterable[str]) -> Mapping[str, str] | None:
    """Return client run id -> MLflow's status, of the runs in ``experiments`` that are not deleted.

    A store that is not made yet has none; of one that is locked by a writer nobody can tell: ``None``.

    Args:
        uri: MLflow tracking URI.
        experiments: Names of experiments; one that is not there has no runs.

    Raises:
        StoreError: If the store cannot be read.
    """
    found: dict[str, str] = {}
    try:
        store = open_store(uri)
    except MissingStoreError:
        return found
    try:
        for experiment in experiments:
            try:
                runs = store.runs(experiment)
            except ExperimentNotFoundError:
                continue
            statuses = dict(zip(runs["run_id"], runs["status"], strict=True))
            found |= {client: statuses[run] for client, run in ids_by_client(store, runs).items()}
    except BusyStoreError:
        return None
    finally:
        store.close()
    return found


def ids_by_client(store: Store, runs: pl.DataFrame) -> dict[str, str]:
    """Return the trackers' own ids of ``runs`` (``RUN_SCHEMA``) -> their ids in the store.

    Raises:
        StoreError: If the store cannot be read.
    """
    tags = store.tags(runs["run_id"].to_list()).select("run_id", "key", "value").iter_rows()
    return {value: run for run, key, value in tags if key == CLIENT_RUN_ID}
