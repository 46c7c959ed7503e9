"""What logging costs the training loop: ours beside MLflow, TensorBoard and Trackio, in one run.

    python benchmarks/tracker_cost.py [--rounds 4]

Each round times every logger in turn on the same values, so that a busy machine slows them alike; the
ratios are taken within a round. "Caller" is what the training loop waits for: the median over steps.
"""

import argparse
import logging
import os
import shutil
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="grokscope-bench-"))
os.environ |= {"GROKSCOPE_HOME": str(FOLDER / "home"), "TRACKIO_DIR": str(FOLDER / "trackio")}

import mlflow  # noqa: E402 - these read the environment when they are imported
import torch  # noqa: E402
import trackio  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402
from torch.utils.tensorboard import SummaryWriter  # noqa: E402

from grokscope.collectors import Tracker  # noqa: E402
from grokscope.experiments.modular_addition import AdditionMLP, addition_table  # noqa: E402

# Steps a round: enough for a median, few enough that the slow ones end and no backlog outlives its round.
STEPS = {"grokscope": 400, "mlflow": 20, "mlflow, async": 100, "tensorboard": 200, "trackio": 400}
Log = Callable[[int, dict[str, float]], None]


@contextmanager
def logger(name: str, folder: Path) -> Iterator[Log]:
    """Give the function that logs one step, as the tool's own documentation has it."""
    if name == "grokscope":
        with Tracker(experiment="bench", store=f"sqlite:///{folder}/ours.db") as tracker:
            yield tracker.log
    elif name == "tensorboard":
        with SummaryWriter(folder / "tensorboard") as writer:
            yield lambda step, values: [writer.add_scalar(k, v, step) for k, v in values.items()] and None
    elif name == "trackio":
        with redirect_stdout(sys.stderr):  # it greets at length
            trackio.init(project="bench", embed=False)
        yield lambda step, values: trackio.log(values, step=step)
        with redirect_stdout(sys.stderr):
            trackio.finish()
    else:
        wait = name == "mlflow"
        with mlflow.start_run():
            yield lambda step, values: mlflow.log_metrics(values, step=step, synchronous=wait) and None


def time_steps(log: Log, steps: int, scalars: int) -> list[float]:
    """Return the seconds that each step's call took."""
    seconds = []
    for step in range(steps):
        values = {f"train/metric_{i}": step + i / 7 for i in range(scalars)}
        began = time.perf_counter()
        log(step, values)
        seconds.append(time.perf_counter() - began)
    return seconds


def bench_hot_path(rounds: int, scalars: int, *, folder: Path, step_seconds: float) -> None:
    """Print caller's time per scalar, its share of a training step, its tail, and the ratio to ours."""
    per_scalar: dict[str, list[float]] = {name: [] for name in STEPS}
    tail: dict[str, list[float]] = {name: [] for name in STEPS}
    for _ in range(rounds):
        for name, steps in STEPS.items():
            with logger(name, folder) as log:
                seconds = time_steps(log, steps, scalars)
            per_scalar[name].append(statistics.median(seconds) / scalars * 1e6)
            tail[name].append(sorted(seconds)[int(0.99 * len(seconds))] * 1e6)
    print(f"\n### {scalars} scalars a step ({rounds} interleaved rounds)\n")
    print("| logger | caller, µs a scalar [min, max] | % of the demo's step | p99, µs a step | times ours |")
    print("|---|---|---|---|---|")
    for name, values in per_scalar.items():
        ratios = [v / ours for v, ours in zip(values, per_scalar["grokscope"], strict=True)]
        share = statistics.median(values) * scalars / 1e6 / step_seconds
        print(
            f"| {name} | {statistics.median(values):.2f} [{min(values):.2f}, {max(values):.2f}] "
            f"| {100 * share:.2g} | {statistics.median(tail[name]):.0f} "
            f"| {statistics.median(ratios):.1f} [{min(ratios):.1f}, {max(ratios):.1f}] |"
        )


def train_seconds(steps: int, folder: Path, *, tracked: bool) -> tuple[float, float]:
    """Return the wall seconds of a demo run, and the share of them that the tracker says it took."""
    torch.manual_seed(0)
    train_set, test_set = addition_table(47, 0.5, 0)
    model = AdditionMLP(47, 48, 128)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1.0, betas=(0.9, 0.98))
    tracker = (
        Tracker(model, optimizer, experiment="bench", store=f"sqlite:///{folder}/ours.db")
        if tracked
        else None
    )
    share = 0.0
    began = time.perf_counter()
    for step in range(steps):
        if tracker is not None and tracker.due(step):
            share = tracker.evaluate(step, train=train_set, test=test_set)["collector/share"]
        optimizer.zero_grad()
        loss = cross_entropy(model(train_set[0]), train_set[1])
        loss.backward()
        optimizer.step()
        if tracker is not None:
            tracker.log(step, {"train/batch_loss": loss})
    seconds = time.perf_counter() - began
    if tracker is not None:
        tracker.close()
    return seconds, share


def bench_training(rounds: int, folder: Path, steps: int = 2500) -> float:
    """Print what the whole tracker adds to the demo's training, its worst case; return a bare step's time."""
    added, shares, bare = [], [], []
    for _ in range(rounds):
        without, _ = train_seconds(steps, folder, tracked=False)
        with_it, share = train_seconds(steps, folder, tracked=True)
        added.append(with_it / without - 1)
        shares.append(share)
        bare.append(without / steps * 1e3)
    print(f"\n### The demo's MLP, {steps} steps, every default measure on a log-spaced schedule\n")
    print("| bare step, ms | tracker adds, % of training time [min, max] | it reports of itself, % |")
    print("|---|---|---|")
    percent = [100 * a for a in added]
    print(
        f"| {statistics.median(bare):.2f} | {statistics.median(percent):.1f} "
        f"[{min(percent):.1f}, {max(percent):.1f}] | {100 * statistics.median(shares):.1f} |"
    )
    return statistics.median(bare) / 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")  # other people's, of no interest to a table
    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    os.chdir(FOLDER)
    try:
        mlflow.set_tracking_uri(f"sqlite:///{FOLDER}/mlflow.db")
        mlflow.set_experiment("bench")
        step_seconds = bench_training(rounds, FOLDER)
        for scalars in (4, 50, 500):
            bench_hot_path(rounds, scalars, folder=FOLDER, step_seconds=step_seconds)
    finally:
        shutil.rmtree(FOLDER)


if __name__ == "__main__":
    main()
