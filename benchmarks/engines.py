"""What a Ray cluster of this machine's own takes, beside this process: a sweep, verdicts, a comparison.

python benchmarks/engines.py [--cells 8] [--steps 400] [--copies 40] [--runs 200] [--repeats 3]

Both have the same cores, so this shows what the cluster costs, not what more machines bring. What the two
find is compared, too.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl
from mlflow.tracking import MlflowClient

from grokscope.cli.comparing.sources import observed_at
from grokscope.experiments import Cell, Engine, Ledger, LocalEngine, run_sweep
from grokscope.experiments.cluster.connection import connected
from grokscope.experiments.cluster.engine import RayEngine
from grokscope.experiments.cluster.workers import RayWorkers
from grokscope.interventions.comparing.comparison import compare
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas.workers import HERE, Workers
from grokscope.transitions import detect

DATA = Path(__file__).parents[1] / "tests" / "data" / "sweep.parquet"
GROUPS = 10


def taken(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return how many seconds some work takes, and what it returns."""
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


@contextmanager
def new_home():
    before = os.environ.get("GROKSCOPE_HOME")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["GROKSCOPE_HOME"] = f"{folder}/home"
        yield Path(folder)
    os.environ.pop("GROKSCOPE_HOME")
    if before is not None:
        os.environ["GROKSCOPE_HOME"] = before


def swept(folder: Path, engine: Engine, name: str, cells: int, steps: int) -> list[str]:
    """Train some cells into a store of their own; return how each ended."""
    store = f"sqlite:///{folder}/{name}.db"
    MlflowClient(store).search_experiments()  # a new store takes MLflow seconds, whoever trains
    settings = {"steps": steps, "p": 23, "hidden": 64}
    chosen = [
        Cell(experiment=name, group="g", seed=seed, settings=settings, train="modular-arithmetic")
        for seed in range(cells)
    ]
    told = run_sweep(chosen, store=store, engine=engine, ledger=Ledger(folder / "home", store))
    return [str(one.outcome) for one in told if one.outcome]


def many_runs(copies: int) -> pl.DataFrame:
    """Return the recorded sweep's points so many times, under other names."""
    points = pl.read_parquet(DATA, glob=False, columns=["run", "metric", "step", "value"])
    return pl.concat(points.with_columns(run=pl.col("run") + f"-{n}") for n in range(copies))


def groups_in(folder: Path, runs: int):
    """Return ``GROUPS`` groups of runs whose cost to the target is drawn at random."""
    random, steps = np.random.default_rng(0), np.arange(0, 3001, 100)
    frames = [
        pl.DataFrame({"step": steps, "value": np.where(steps >= cost, 1.0, 3.0)}).with_columns(
            run=pl.lit(f"{group}-{seed}"), lr=group, seed=seed, metric=pl.lit("val_loss")
        )
        for group in range(GROUPS)
        for seed, cost in enumerate(random.lognormal(6 + group / 10, 0.5, runs))
    ]
    pl.concat(frames).write_parquet(folder / "groups.parquet")
    path = str(folder / "groups.parquet")
    return observed_at(path, experiment=None, where=None, metrics=["val_loss"])


def row(name: str, here: list[float], there: list[float], *, is_same: bool) -> None:
    told = f"{median(here):.2f} | {median(there):.2f} | {median(there) / median(here):.2f}"
    print(f"| {name} | {told} | {'yes' if is_same else 'NO'} |")


def bench_tasks(name: str, work: Callable[[Workers], Any], workers: Workers, repeats: int) -> None:
    """Print the medians of both, taken by turns, after one that loads what there is to load."""
    work(workers)
    pairs = [(taken(lambda: work(HERE)), taken(lambda: work(workers))) for _ in range(repeats)]
    is_same = all(here[1] == there[1] for here, there in pairs)
    row(name, [here[0] for here, _ in pairs], [there[0] for _, there in pairs], is_same=is_same)


def opened(context: Any) -> tuple[Any, Any]:
    """Enter a context; return it, and what it gives."""
    return context, context.__enter__()


def bench_sweep(folder: Path, ray: Any, cells: int, steps: int) -> None:
    cores = os.cpu_count() or 1
    here, told = taken(lambda: swept(folder, LocalEngine(cores), "h", cells, steps))
    there, tell = taken(lambda: swept(folder, RayEngine(ray, cores), "t", cells, steps))
    row(f"sweep of {cells} runs, {steps:,} steps each", [here], [there], is_same=sorted(told) == sorted(tell))


def bench_reading(folder: Path, workers: Workers, asked: argparse.Namespace) -> None:
    points, observed = many_runs(asked.copies), groups_in(folder, asked.runs)
    target = Target.parse("val_loss<=2")
    bench_tasks(
        f"detect, {points['run'].n_unique():,} runs",
        lambda by: detect(points, workers=by),
        workers,
        asked.repeats,
    )
    bench_tasks(
        f"compare, {GROUPS} groups of {asked.runs:,} runs",
        lambda by: compare(observed, target=target, by=["lr"], workers=by).to_json(),
        workers,
        asked.repeats,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, value in (("cells", 8), ("steps", 400), ("copies", 40), ("runs", 200), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    asked = parser.parse_args()
    with new_home() as folder:
        began, (context, ray) = taken(lambda: opened(connected()))
        print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores; the cluster starts in {began:.1f} s\n")
        print("| work | here, s | Ray, s | Ray / here | same results |\n|---|---|---|---|---|")
        try:
            bench_sweep(folder, ray, asked.cells, asked.steps)
            bench_reading(folder, RayWorkers(ray), asked)
        finally:
            context.__exit__(None, None, None)


if __name__ == "__main__":
    main()
