"""The schema guard: is this file MLflow's, and can its tables be read directly?"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from grokscope.store.errors import BusyStoreError, SchemaError
from grokscope.store.versions import require_version_to_read

INDEXES = ("index_metrics_run_uuid_key_step", "index_metrics_run_uuid")
"""The first is there since MLflow 3.12, the second since long before. Without ANALYZE, SQLite prefers the
primary key, which starts with the metric, and walks every run that has it. With the first one named, a curve
of 10 000 points in 10 million is read in 27 ms and not in 91; with the second, where runs have ten metrics,
in a quarter of the time."""

_NEEDED = MappingProxyType(
    {
        "experiments": {"experiment_id", "name", "lifecycle_stage"},
        "runs": {"run_uuid", "name", "experiment_id", "status", "start_time", "end_time", "lifecycle_stage"},
        "metrics": {"key", "value", "timestamp", "run_uuid", "step", "is_nan"},
        "latest_metrics": {"key", "timestamp", "run_uuid", "step"},
        "params": {"key", "value", "run_uuid"},
        "tags": {"key", "value", "run_uuid"},
    }
)


def obstacle(connection: sqlite3.Connection, path: Path) -> str | None:
    """Return why the tables cannot be read directly, in one sentence; ``None`` if they can.

    What counts is which columns are there, not which version made them.

    Raises:
        SchemaError: If the database is not MLflow's, and its client would write its tables into it; or if it
            is of another version, and that client would migrate it or cannot read it either.
        BusyStoreError: If MLflow is just making its tables; its client would make them a second time.
    """
    listing = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = {str(name) for (name,) in listing}
    if not {"alembic_version", "experiments", "runs"} <= tables:
        found = ", ".join(sorted(tables)[:5]) or "none"
        raise SchemaError(
            f"{path} is a SQLite database but not MLflow's: tables experiments, runs and alembic_version "
            f"expected, found {found}. Point --store at an MLflow store."
        )
    notice = slower_because(
        path,
        lambda table: {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")},
        uri=f"sqlite:///{path}",
    )
    # MLflow writes its first experiment once all its tables are made.
    if notice is not None and connection.execute("SELECT 1 FROM experiments").fetchone() is None:
        raise BusyStoreError(
            f"{path} is just being made: not all of MLflow's tables are there yet. It is tried again at the "
            "next refresh; if this lasts, `mlflow db upgrade` makes the rest."
        )
    return notice


def slower_because(store: object, columns_of: Callable[[str], set[str]], *, uri: str) -> str | None:
    """Return the sentence that names the first table without a column that is needed; ``None`` if all have.

    Args:
        store: What to call it.
        columns_of: Table -> its columns; none if it is not there.
        uri: Its address.

    Raises:
        SchemaError: If MLflow's own client would migrate the store, or cannot read it either.
    """
    for table, needed in _NEEDED.items():
        if lacking := needed - columns_of(table):
            lacks = f"its table {table} lacks {', '.join(sorted(lacking))}"
            require_version_to_read(uri, shown=store, lacks=lacks)
            return (
                f"{store} is read through MLflow's own client, which is slower: "
                f"{lacks}, so it is of another MLflow version."
            )
    return None


def step_index(connection: sqlite3.Connection) -> str:
    """Return the hint that names the best index there is for one curve of one run; else nothing."""
    listed = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
    there = {str(name) for (name,) in listed}
    return next((f"INDEXED BY {name}" for name in INDEXES if name in there), "")
