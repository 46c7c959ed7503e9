"""Tags of runs and experiments, set and removed by people through MLflow's client, the only way to write."""

from collections.abc import Mapping
from typing import Any

from grokscope.schemas.limits import EXPERIMENT_TAG_LENGTH, KEY_LENGTH, TAG_LENGTH
from grokscope.store.errors import StoreError
from grokscope.store.mlflow_client.client import experiment_named, open_client
from grokscope.store.mlflow_client.errors import explained
from grokscope.store.verdict_tags import limited

_REMOVED = "{}"
"""A tag of an experiment that cannot be removed: all who keep something there read this as nothing."""


def write_tags(uri: str, run_id: str, changes: Mapping[str, str | None]) -> None:
    """Set tags of a run, and remove those that have no value; others stay as they are.

    Raises:
        StoreError: If a tag is too long, the run is not there, or the store cannot be written.
    """
    checked_tags(changes)
    with explained(uri), limited():
        mlflow, client = open_client(uri)
        present = client.get_run(run_id).data.tags
        kept = [mlflow.entities.RunTag(key, value) for key, value in changes.items() if value is not None]
        if kept:
            client.log_batch(run_id, tags=kept)
        for key, value in changes.items():
            if value is None and key in present:
                client.delete_tag(run_id, key)


def write_experiment_tags(uri: str, experiment: str, changes: Mapping[str, str | None]) -> None:
    """Set tags of an experiment, and remove those that have no value; others stay as they are.

    Raises:
        StoreError: If a tag is too long, the experiment is not there, or the store cannot be written.
    """
    checked_tags(changes, most=EXPERIMENT_TAG_LENGTH)
    with explained(uri), limited():
        _, client = open_client(uri)
        found = experiment_named(client, experiment)
        for key, value in changes.items():
            if value is not None:
                client.set_experiment_tag(found.experiment_id, key, value)
            elif key in found.tags:
                _remove(client, found.experiment_id, key)


def _remove(client: Any, experiment_id: str, key: str) -> None:
    try:
        client.delete_experiment_tag(experiment_id, key)
    except Exception:  # noqa: BLE001 - a server before MLflow 3 knows no such request
        client.set_experiment_tag(experiment_id, key, _REMOVED)


def checked_tags(changes: Mapping[str, str | None], *, most: int = TAG_LENGTH) -> None:
    """Check that MLflow takes the tags.

    Raises:
        StoreError: If one is too long, or has no name.

    >>> checked_tags({"note": "mine", "gone": None})
    """
    for key, value in changes.items():
        if not 0 < len(key) <= KEY_LENGTH:
            raise StoreError(
                f"a tag's name has 1 to {KEY_LENGTH} characters, got {len(key)}: {key[:40]!r}. Shorten it."
            )
        if value is not None and len(value) > most:
            raise StoreError(f"the tag {key!r} may have {most:,} characters, got {len(value):,}. Shorten it.")
