"""How fast a large MLflow store is read: ours beside MLflow's client, other readers and other trackers.

    python benchmarks/store.py [FOLDER] [--runs 100] [--steps 10000] [--rounds 5] [--only cold refresh ...]

FOLDER keeps the stores, which take minutes to make. Each round times every way in turn on the same values, so
that a busy machine slows them alike; ratios are taken within a round, and medians are given. "CPU" is the
processor time of this process and of those that it has ended, which other work on the machine hardly changes.
"""

import argparse
import logging
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import store_peers as peers
from servers import serving
from store_aim import aim_reader
from store_volume import Volume, append, build

from grokscope.store import Store, open_store

METRIC = "test/accuracy"
Ways = dict[str, Callable[[], int]]
Cost = tuple[float, float]
"""Seconds on the clock, and on processors."""


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=sorted(SECTIONS))
    options = parser.parse_args()
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="grokscope-bench-") as temporary:
        os.environ["GROKSCOPE_HOME"] = f"{temporary}/home"
        folder = options.folder or Path(temporary) / "stores"
        volume = Volume(runs=options.runs, metrics=10, steps=options.steps)
        print(f"\n{volume.runs} runs x 10 metrics x {volume.steps} steps = {volume.points:,} points")
        for name in options.only or SECTIONS:
            SECTIONS[name](folder, volume, options.rounds)


def cold_and_warm(folder: Path, volume: Volume, rounds: int) -> None:
    """Ten runs x one metric, from the store and from the mirror."""
    path, runs = build(folder, volume), volume.ids[:10]
    parquet = peers.as_parquet(path, folder)
    uri = f"sqlite:///{path}"
    ways: Ways = {
        "MLflow's client": lambda: peers.by_client(uri, runs, METRIC),
        "connectorx": lambda: peers.by_connectorx(path, runs, METRIC),
        "ADBC": lambda: peers.by_adbc(path, runs, METRIC),
        "grokscope, cold": lambda: _read_once(uri, runs, empty=True),
        "bare Parquet": lambda: peers.by_parquet(parquet, runs, METRIC),
        "grokscope, from the mirror": lambda: _read_once(uri, runs, empty=False),
    }
    _table("10 runs x 1 metric, SQLite", ways, rounds, to=("MLflow's client", "ADBC", "bare Parquet"))


def refresh(folder: Path, volume: Volume, rounds: int) -> None:
    """All curves again after 10 000 new points, at three lengths of history."""
    title = (
        "| history, points | after 10 000 new points, ms [min, max] | CPU, ms | nothing new, ms | CPU, ms |"
    )
    print(f"\n{title}\n|---|---|---|---|---|")
    for steps in (volume.steps // 100, volume.steps // 10, volume.steps):
        part = Volume(runs=volume.runs, metrics=volume.metrics, steps=steps)
        path = Path(shutil.copy(build(folder, part), folder / "refreshed.db"))
        store = open_store(f"sqlite:///{path}")
        store.points(part.ids)
        added = max(1, 10_000 // (part.runs * part.metrics))
        spent: list[Cost] = []
        idle: list[Cost] = []
        for number in range(max(rounds, 7)):
            append(path, part, first=steps + number * added, steps=added)
            spent.append(_cost(partial(_height, store, part.ids)))
            idle.append(_cost(partial(_height, store, part.ids)))
        store.close()
        print(f"| {part.points:,} | {_spread(spent)} | {_spread(idle)} |", flush=True)
        path.unlink()


def rest(folder: Path, volume: Volume, rounds: int) -> None:
    """Twenty runs x one metric over HTTP after a few new steps: these only, and all by the client."""
    part = Volume(runs=20, metrics=2, steps=max(volume.steps // 10, 10))
    path = Path(shutil.copy(build(folder, part), folder / "served.db"))
    with serving(f"sqlite:///{path}", path.parent) as uri, ExitStack() as closing:
        store = open_store(uri)
        closing.callback(store.close)
        store.points(part.ids, [METRIC])
        step = part.steps

        def ours() -> int:
            nonlocal step
            append(path, part, first=step, steps=5)
            step += 5
            return store.points(part.ids, [METRIC]).height

        ways: Ways = {
            "MLflow's client": lambda: peers.by_client(uri, part.ids, METRIC),
            "grokscope, new points only": ours,
        }
        title = f"REST, 20 runs x 1 metric, {part.steps:,} steps each"
        _table(title, ways, min(rounds, 3), to=("MLflow's client",))
    path.unlink()


def many_runs(folder: Path, _: Volume, rounds: int) -> None:
    """What the Runs page asks for, of 5 000 runs with 2 curves of 100 evaluations, in a new process.

    MLflow's own page asks its server for the runs alone, without a point of their curves.
    """
    part = Volume(runs=5000, metrics=2, steps=100)
    path = build(folder, part)
    uri = f"sqlite:///{path}"
    with serving(f"sqlite:///{path}", path.parent) as served:
        ways: Ways = {
            "grokscope, cold": lambda: peers.in_new_process(uri, empty=True),
            "grokscope, from the mirror": lambda: peers.in_new_process(uri, empty=False),
            "MLflow's API behind its page, no curves": lambda: peers.by_search_over_http(served),
        }
        title = "Runs of a store of 5 000, ours in a process of its own"
        _table(title, ways, min(rounds, 3), to=("MLflow's API behind its page, no curves",))


def memory(folder: Path, volume: Volume, _: int) -> None:
    """Every point of the store in one process."""
    uri = f"sqlite:///{build(folder, volume)}"
    shutil.rmtree(Path(os.environ["GROKSCOPE_HOME"]) / "mirror", ignore_errors=True)
    for label in ("cold", "from the mirror"):
        seconds, mebibytes = peers.everything_in_new_process(uri)
        print(
            f"\nAll {volume.points:,} points, {label}: {seconds:.1f} s, at most {mebibytes:.0f} MiB resident."
        )


def trackers(folder: Path, volume: Volume, rounds: int) -> None:
    """The same ten curves where TensorBoard and Trackio keep them."""
    path, runs = build(folder, volume), volume.ids[:10]
    points = peers.points_of(path, runs, METRIC)
    events, project = peers.as_events(points, folder), peers.as_trackio(points, folder)
    others: Ways = {
        "TensorBoard's loader": lambda: peers.by_tensorboard(events),
        "Trackio": lambda: peers.by_trackio(project, runs),
    }
    with aim_reader(points, folder) as by_aim:
        if by_aim is not None:
            others["Aim"] = by_aim
        ways = {
            **others,
            "grokscope, from the mirror": lambda: _read_once(f"sqlite:///{path}", runs, empty=False),
        }
        _table("10 runs x 1 metric, other trackers", ways, rounds, to=tuple(others))


def _read_once(uri: str, runs: list[str], *, empty: bool) -> int:
    """Open, read, close: as a new process does, without its imports."""
    if empty:
        shutil.rmtree(Path(os.environ["GROKSCOPE_HOME"]) / "mirror", ignore_errors=True)
    store: Store = open_store(uri)
    height = store.points(runs, [METRIC]).height
    store.close()
    return height


def _table(title: str, ways: Ways, rounds: int, *, to: tuple[str, ...]) -> None:
    counts = {name: way() for name, way in ways.items()}  # once without a clock: imports, the page cache
    spent: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            spent[name].append(_cost(way))
    print(
        f"\n| {title} | points | ms [min, max] | CPU, ms | "
        + " | ".join(f"times {other}" for other in to)
        + " |"
    )
    print("|---|---|---|---|" + "---|" * len(to))
    for name, costs in spent.items():
        ratios = [
            statistics.median(b[0] / a[0] for a, b in zip(costs, spent[other], strict=True)) for other in to
        ]
        shown = " | ".join(f"{ratio:.3g}" for ratio in ratios)
        print(f"| {name} | {counts[name]:,} | {_spread(costs)} | {shown} |", flush=True)


def _height(store: Store, runs: list[str]) -> int:
    return store.points(runs).height


def _cost(call: Callable[[], int]) -> Cost:
    started, busy = time.perf_counter(), _busy()
    call()
    return time.perf_counter() - started, _busy() - busy


def _busy() -> float:
    return time.process_time() + sum(os.times()[2:4])


def _spread(costs: list[Cost]) -> str:
    seconds, busy = zip(*costs, strict=True)
    low, middle, high = (1000 * f(seconds) for f in (min, statistics.median, max))
    return f"{middle:.1f} [{low:.1f}, {high:.1f}] | {1000 * statistics.median(busy):.1f}"


SECTIONS = {
    "cold": cold_and_warm,
    "refresh": refresh,
    "rest": rest,
    "runs": many_runs,
    "memory": memory,
    "trackers": trackers,
}

if __name__ == "__main__":
    main()
