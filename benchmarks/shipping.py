"""How fast points reach MLflow: the shipper beside a bare loop of ``log_batch(1000)``, in one run.

    python benchmarks/shipping.py [--rounds 4] [--scalars 40000] [--store URI ...]

Each round sends the same values both ways into new runs of the same store, a batch each in turn; both ways
make their run and end it. The last column compares the median batches: a busy disk keeps some for long.
Without ``--store`` it is a fresh SQLite file, and MLflow's server over HTTP on a fresh PostgreSQL where it is
installed, else on SQLite.
"""

import argparse
import logging
import os
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from servers import mlflow_server

from grokscope.collectors.recording.ship.__main__ import MLFLOW_SETTINGS

os.environ |= MLFLOW_SETTINGS  # as in the shipper, and for both: before mlflow reads it

from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.service import Service
from grokscope.collectors.recording.spool import Meta, SpoolWriter, prepare_spool, publish_spool

KEYS = tuple(f"train/metric_{i}" for i in range(50))
Values = list[dict[str, float]]


def steps_of(scalars: int) -> Values:
    return [{key: step + i / 7 for i, key in enumerate(KEYS)} for step in range(scalars // len(KEYS))]


def bare_batches(uri: str, steps: Values) -> Iterator[None]:
    """Send batches that are all in memory already; each ``next`` sends one."""
    client = MlflowClient(uri)
    experiment = _experiment(client)
    metrics = [Metric(k, v, 1000 + step, step) for step, row in enumerate(steps) for k, v in row.items()]
    yield
    run = client.create_run(experiment).info.run_id
    for begin in range(0, len(metrics), 1000):
        client.log_batch(run, metrics=metrics[begin : begin + 1000], synchronous=True)
        yield
    client.set_terminated(run)


def shipped_batches(uri: str, steps: Values) -> Iterator[None]:
    """Let the shipper's own loop take a spool into a run, to its end; each ``next`` is one round of it."""
    home = Path(tempfile.mkdtemp(prefix="grokscope-bench-"))
    meta = Meta(run_id=home.name, store=uri, experiment="bench", name="n", start_ms=1000)
    writer = SpoolWriter(folder := publish_spool(prepare_spool(home, meta)))
    for step, row in enumerate(steps):
        writer.points(step, 1000 + step, row)
    writer.close({"event": "end", "status": "FINISHED", "time_ms": 9000})
    service = Service(home, uri, run_store=MlflowRunStore(uri))
    yield
    while folder.exists():
        service.tick()
        yield
    shutil.rmtree(home)


def race(uri: str, steps: Values) -> tuple[list[float], list[float]]:
    """Return the seconds of both's turns, a batch each in turn, so that what else is going on slows both."""
    ways = [bare_batches(uri, steps), shipped_batches(uri, steps)]
    for way in ways:
        next(way)
    seconds: tuple[list[float], list[float]] = ([], [])
    left = {0, 1}
    while left:
        for index in sorted(left):
            began = time.perf_counter()
            left -= {index} if next(ways[index], StopIteration) is StopIteration else set()
            seconds[index].append(time.perf_counter() - began)
    return seconds


def bench(name: str, uri: str, *, rounds: int, scalars: int) -> None:
    """Print one row: scalars a second both ways, and the ratio within each round."""
    steps = steps_of(scalars)
    race(uri, steps[: len(steps) // 10])  # warms up, and makes the tables
    turns = [race(uri, steps) for _ in range(rounds)]
    whole = [sum(bare) / sum(ours) for bare, ours in turns]
    batch = [statistics.median(bare) / statistics.median(ours) for bare, ours in turns]
    alone, shipped = (
        f"{scalars / statistics.median(sum(taken) for taken in way):,.0f}" for way in zip(*turns, strict=True)
    )
    shown = (f"{statistics.median(r):.2f} [{min(r):.2f}, {max(r):.2f}]" for r in (whole, batch))
    print(f"| {name} | {alone} | {shipped} | {' | '.join(shown)} |")


def _experiment(client: MlflowClient) -> str:
    found = client.get_experiment_by_name("bench")
    return found.experiment_id if found else client.create_experiment("bench")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--scalars", type=int, default=40_000)
    parser.add_argument(
        "--store", action="append", help="an MLflow tracking URI; its experiment 'bench' grows"
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="grokscope-bench-"))
    print(
        "| store | log_batch(1000) alone, scalars a second | shipper | whole run, ratio [min, max] | batch |"
    )
    print("|---|---|---|---|---|")
    try:
        measure = {"rounds": options.rounds, "scalars": options.scalars}
        for uri in options.store or ():
            bench(uri.partition(":")[0], uri, **measure)
        if not options.store:
            bench("SQLite file", f"sqlite:///{folder}/mlflow.db", **measure)
            with mlflow_server(folder) as (database, uri):
                bench(f"HTTP, MLflow's server on {database}", uri, **measure)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
