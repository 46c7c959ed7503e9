"""Stores of MLflow that questions are asked of: one made by its client, large ones by copying its rows."""

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest
from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run

BEGAN_MS = 1_000_000
"""When every run began; an evaluation at a step is logged so many ms later."""


def metrics_of(points: pl.DataFrame) -> list[Metric]:
    rows = points.sort("step", "metric").select("metric", "value", "step").iter_rows()
    return [Metric(metric, value, BEGAN_MS + step, step) for metric, value, step in rows]


@pytest.fixture(scope="session")
def blank_store(tmp_path_factory) -> Path:
    """An empty MLflow store, to be copied; MLflow takes seconds to make one."""
    path = tmp_path_factory.mktemp("blank") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(scope="session")
def sweep(blank_store, tmp_path_factory) -> Path:
    """Two settings of three seeds: with weight decay all generalize, without it one; one run still trains."""
    path = Path(shutil.copy(blank_store, tmp_path_factory.mktemp("sweep") / "mlflow.db"))
    client = MlflowClient(f"sqlite:///{path}")
    experiment = client.create_experiment("sweep")
    for decay in (0, 1):
        for seed in range(3):
            name = f"decay {decay} seed {seed}"
            run = client.create_run(experiment, run_name=name, start_time=BEGAN_MS).info.run_id
            late = decay == 0 and seed < 2
            recipe = CurveRecipe(evaluations=60, seed=seed, midpoint=None if late else 2000.0 + 500 * seed)
            params = [Param("wd", str(decay)), Param("seed", str(seed))]
            client.log_batch(run, metrics=metrics_of(synthetic_run(recipe)), params=params)
            if (decay, seed) != (0, 0):
                client.set_terminated(run, end_time=BEGAN_MS + 30_000 + seed)
    return path


@pytest.fixture
def file(sweep, tmp_path) -> Path:
    """A copy of the sweep that a test may change."""
    return Path(shutil.copy(sweep, tmp_path / "mlflow.db"))


@pytest.fixture(scope="session")
def copy_runs() -> Callable[[Path, Sequence[str]], None]:
    """Add runs to a store, copies of its first, by name: their ids tell them apart."""

    def copy(path: Path, names: Sequence[str]) -> None:
        with sqlite3.connect(path) as connection:
            first = connection.execute("SELECT run_uuid FROM runs ORDER BY name").fetchone()[0]
            for name in names:
                run = uuid4().hex
                for table in ("runs", "metrics", "latest_metrics", "params", "tags"):
                    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
                    given = {"run_uuid": run} | ({"name": name} if table == "runs" else {})
                    chosen = ", ".join("?" if column in given else column for column in columns)
                    connection.execute(
                        f"INSERT INTO {table} SELECT {chosen} FROM {table} WHERE run_uuid = ?",
                        [*(given[column] for column in columns if column in given), first],
                    )
        connection.close()

    return copy
