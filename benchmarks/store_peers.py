"""The other ways of reading the same points, each as its own documentation has it (Aim: ``store_aim``)."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import adbc_driver_sqlite.dbapi
import connectorx
import polars as pl
from mlflow import MlflowClient
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

_COLUMNS = "run_uuid, key, step, timestamp, value, is_nan"
_READS_EVERYTHING = """
import json, sys, time
from pathlib import Path
from grokscope.store import open_store
started = time.perf_counter()
store = open_store(sys.argv[1])
points = store.points(store.runs()["run_id"].to_list())
seconds = time.perf_counter() - started
store.close()
# Not getrusage, which begins with the memory of the process that started this one.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(json.dumps([seconds, int(peak.split()[1]) / 1024]))
"""
_OPENS_RUNS = """
import sys
from grokscope.store import open_store
store = open_store(sys.argv[1])
store.experiments()
runs = store.runs()["run_id"].to_list()
store.params(runs), store.metrics(runs)
print(store.points(runs).height)
store.close()
"""


def by_client(uri: str, runs: list[str], metric: str) -> int:
    """Read with ``MlflowClient.get_metric_history``."""
    client = MlflowClient(tracking_uri=uri)
    return sum(len(client.get_metric_history(run, metric)) for run in runs)


def by_connectorx(path: Path, runs: list[str], metric: str) -> int:
    """Read six columns, with the index that serves the question."""
    return connectorx.read_sql(f"sqlite://{path}", _query(runs, metric), return_type="polars").height


def by_adbc(path: Path, runs: list[str], metric: str) -> int:
    """Read the same into Arrow."""
    with (
        adbc_driver_sqlite.dbapi.connect(f"file:{path}?mode=ro") as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(_query(runs, metric))
        return pl.DataFrame(cursor.fetch_arrow()).height


def by_parquet(path: Path, runs: list[str], metric: str) -> int:
    """Read the five columns of points from a plain file of all."""
    chosen = pl.col("run_id").is_in(runs) & (pl.col("metric") == metric)
    return pl.scan_parquet(path, glob=False).filter(chosen).collect().height


def by_search_over_http(uri: str) -> int:
    """Ask for all runs as MLflow's page does, 1 000 at a time, and read the answers as JSON."""
    runs: list[dict[str, object]] = []
    token = None
    while True:
        body = {"experiment_ids": ["0"], "max_results": 1000, "page_token": token}
        request = urllib.request.Request(
            f"{uri}/ajax-api/2.0/mlflow/runs/search",
            json.dumps(body).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            page = json.load(answer)
        runs += page.get("runs", [])
        token = page.get("next_page_token")
        if not token:
            return len(runs)


def as_parquet(path: Path, folder: Path) -> Path:
    """Return a plain Parquet file of the first hundred runs' points, sorted by run, metric and step."""
    made = folder / f"{path.stem}.parquet"
    if not made.exists():
        query = "SELECT run_uuid AS run_id, key AS metric, step, timestamp AS time_ms, value FROM metrics"
        points = connectorx.read_sql(f"sqlite://{path}", query, return_type="polars")
        points.sort("run_id", "metric", "step").write_parquet(made, row_group_size=30_000)
    return made


def in_new_process(uri: str, *, empty: bool) -> int:
    """Read what the Runs page asks for."""
    if empty:
        shutil.rmtree(Path(os.environ["GROKSCOPE_HOME"]) / "mirror", ignore_errors=True)
    command = [sys.executable, "-c", _OPENS_RUNS, uri]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def everything_in_new_process(uri: str) -> tuple[float, float]:
    """Return seconds and the most memory in MiB for reading every point of a store."""
    command = [sys.executable, "-c", _READS_EVERYTHING, uri]
    seconds, mebibytes = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return seconds, mebibytes


def points_of(path: Path, runs: list[str], metric: str) -> dict[str, list[tuple[int, float]]]:
    """Return each run's ``(step, value)``."""
    rows = connectorx.read_sql(f"sqlite://{path}", _query(runs, metric), return_type="polars")
    chosen = rows.sort("run_uuid", "step").select("run_uuid", "step", "value")
    return {run: chosen.filter(run_uuid=run).drop("run_uuid").rows() for run in runs}


def as_events(points: dict[str, list[tuple[int, float]]], folder: Path) -> list[Path]:
    """Return a folder of TensorBoard events a run."""
    folders = [folder / "events" / run for run in points]
    for target, rows in zip(folders, points.values(), strict=True):
        if not target.exists():
            with SummaryWriter(target) as writer:
                for step, value in rows:
                    writer.add_scalar("test/accuracy", value, step)
    return folders


def by_tensorboard(folders: list[Path]) -> int:
    """Read with the Python loader, without its reservoir of 1 000 points."""
    total = 0
    for folder in folders:
        loaded = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0}).Reload()
        total += len(loaded.Scalars("test/accuracy"))
    return total


def as_trackio(points: dict[str, list[tuple[int, float]]], folder: Path) -> str:
    """Return the project that Trackio's own storage was filled with."""
    os.environ["TRACKIO_DIR"] = str(folder / "trackio")
    from trackio.sqlite_storage import SQLiteStorage  # noqa: PLC0415 -- it reads the environment when imported

    if not (folder / "trackio").exists():
        for run, rows in points.items():
            values = [{"test/accuracy": value} for _, value in rows]
            SQLiteStorage.bulk_log("bench", run, values, [step for step, _ in rows])
    return "bench"


def by_trackio(project: str, runs: list[str]) -> int:
    """Read with the function behind its pages."""
    from trackio.sqlite_storage import SQLiteStorage  # noqa: PLC0415

    return sum(len(SQLiteStorage.get_logs(project, run)) for run in runs)


def _query(runs: list[str], metric: str) -> str:
    listed = ", ".join(f"'{run}'" for run in runs)
    index = "INDEXED BY index_metrics_run_uuid_key_step"
    return f"SELECT {_COLUMNS} FROM metrics {index} WHERE key = '{metric}' AND run_uuid IN ({listed})"
