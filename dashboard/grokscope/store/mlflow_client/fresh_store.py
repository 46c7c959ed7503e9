"""A SQLite store that is not there yet: made whole, or not at all."""

from contextlib import suppress
from typing import Any

from grokscope.schemas import sqlite_path
from grokscope.schemas.files.replacing import beside, take_free_name


def make_store(uri: str, mlflow: Any) -> None:
    """Make MLflow's tables where a SQLite file is missing; what is there, or made meanwhile, stays as it is.

    MLflow makes them in many transactions and cannot go on where a full disk or a kill ended it: what is left
    is a file that neither it nor anybody else opens. So they are made under another name first.

    Args:
        uri: The store; one of another kind is left alone.
        mlflow: The module.

    Raises:
        Exception: Whatever MLflow raises; see ``explained``.
    """
    path = sqlite_path(uri)
    if path is None or path.exists():
        return
    unfinished = beside(path)
    try:
        mlflow.MlflowClient(tracking_uri=f"sqlite:///{unfinished}").search_experiments(max_results=1)
        take_free_name(unfinished, path)
    finally:
        for left in (unfinished, unfinished.with_name(f"{unfinished.name}-journal")):
            with suppress(OSError):
                left.unlink(missing_ok=True)
