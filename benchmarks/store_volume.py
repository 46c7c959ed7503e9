"""A large store, made fast: a real, empty MLflow database, filled by SQL with what its client would write."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from mlflow import MlflowClient

START_MS = 1_700_000_000_000
BATCH = 100
"""Steps in a batch: with ten metrics the thousand values of one ``log_batch``, run after run in turn."""

_STEP_INDEX = "CREATE INDEX index_metrics_run_uuid_key_step ON metrics (run_uuid, key, step)"
_RUN_INDEX = "CREATE INDEX index_metrics_run_uuid ON metrics (run_uuid)"
_INSERT = "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """Runs, metrics and steps of a store; the first two metrics are accuracies."""

    runs: int
    metrics: int
    steps: int

    @property
    def points(self) -> int:
        return self.runs * self.metrics * self.steps

    @property
    def keys(self) -> list[str]:
        return ["train/accuracy", "test/accuracy", *(f"weights/norm/{i}" for i in range(self.metrics - 2))]

    @property
    def ids(self) -> list[str]:
        return [f"{i:032x}" for i in range(1, self.runs + 1)]


def build(folder: Path, volume: Volume) -> Path:
    """Return the SQLite file of ``volume``, made at the first call and kept in ``folder``."""
    path = folder / f"{volume.runs}x{volume.metrics}x{volume.steps}.db"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    MlflowClient(tracking_uri=f"sqlite:///{unfinished}").search_experiments()
    with closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
        connection.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000;")
        connection.execute("BEGIN")
        _fill(connection, volume, unfinished.parent)
        connection.execute("COMMIT")
    unfinished.rename(path)
    return path


def append(path: Path, volume: Volume, *, first: int, steps: int) -> int:
    """Add ``steps`` further steps of every curve from step ``first``; return how many points these are."""
    with closing(sqlite3.connect(path, timeout=20)) as connection, connection:
        connection.executemany(_INSERT, _rows(volume, range(first, first + steps)))
        _note_latest(connection, volume, first + steps - 1)
    return volume.runs * volume.metrics * steps


def _fill(connection: sqlite3.Connection, volume: Volume, artifacts: Path) -> None:
    for index in ("index_metrics_run_uuid_key_step", "index_metrics_run_uuid"):
        connection.execute(f"DROP INDEX {index}")
    connection.executemany(
        "INSERT INTO runs (run_uuid, name, user_id, status, start_time, end_time, lifecycle_stage,"
        " artifact_uri, experiment_id) VALUES (?, ?, 'bench', 'RUNNING', ?, NULL, 'active', ?, 0)",
        [(run, f"run {i}", START_MS + i, str(artifacts / run)) for i, run in enumerate(volume.ids)],
    )
    params = [("seed", str(i), run) for i, run in enumerate(volume.ids)]
    connection.executemany("INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", params)
    for start in range(0, volume.steps, BATCH):
        steps = range(start, min(start + BATCH, volume.steps))
        connection.executemany(_INSERT, _rows(volume, steps))
    _note_latest(connection, volume, volume.steps - 1)
    connection.execute(_STEP_INDEX)
    connection.execute(_RUN_INDEX)


def _rows(volume: Volume, steps: range) -> Iterator[tuple[object, ...]]:
    """Yield rows run by run; every thousandth value is NaN, as MLflow writes it."""
    for number, run in enumerate(volume.ids):
        for step, (place, key) in product(steps, enumerate(volume.keys)):
            is_nan = (step + number) % 1000 == 999
            value = 0.0 if is_nan else _value(step, number, place, volume.steps)
            yield key, value, START_MS + 100 * step, run, step, int(is_nan)


def _value(step: int, run: int, place: int, steps: int) -> float:
    """Return a curve that rises once, at a place of its own: memorized early, generalized later."""
    half = (0.01, 0.4)[place == 1] * steps * (1 + run % 7 / 10)
    return (step / (step + half) if place < 2 else 10.0 + place) + ((step * 7919 + run * 31) % 997) * 1e-5


def _note_latest(connection: sqlite3.Connection, volume: Volume, step: int) -> None:
    connection.execute("DELETE FROM latest_metrics")
    connection.execute(
        "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) "
        "SELECT k.value, 1.0, ?, ?, 0, r.run_uuid FROM runs AS r, json_each(?) AS k",
        (START_MS + 100 * step, step, json.dumps(volume.keys)),
    )
