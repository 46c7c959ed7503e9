"""Runs put aside, and brought back: MLflow's own "deleted", through its client, the only way to write."""

from collections.abc import Sequence
from typing import Any

from grokscope.store.mlflow_client.client import open_client
from grokscope.store.mlflow_client.errors import explained
from grokscope.store.verdict_tags import limited

_DELETED = "deleted"


def archive_runs(uri: str, run_ids: Sequence[str]) -> None:
    """Mark runs as deleted; their data stay until ``mlflow gc``. One that is deleted already stays so.

    Raises:
        StoreError: If a run is not there, or the store cannot be written; those before it are archived.
    """
    with explained(uri), limited():
        _, client = open_client(uri)
        for run_id in run_ids:
            if not _is_deleted(client, run_id):
                client.delete_run(run_id)


def restore_runs(uri: str, run_ids: Sequence[str]) -> None:
    """Make deleted runs active again; one that is active stays so.

    Raises:
        StoreError: If a run is not there, or the store cannot be written; those before it are restored.
    """
    with explained(uri), limited():
        _, client = open_client(uri)
        for run_id in run_ids:
            if _is_deleted(client, run_id):
                client.restore_run(run_id)


def _is_deleted(client: Any, run_id: str) -> bool:
    return client.get_run(run_id).info.lifecycle_stage == _DELETED
