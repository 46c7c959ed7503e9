"""What a call of ``log`` costs the training loop: ours beside six others, in one run, and our memory.

    python benchmarks/logging_cost.py [--rounds 4] [--scalars 10000000] [--aim PYTHON]

Each round times every logger in turn on the same values, so that a busy machine slows them alike; the
ratios are taken within a round. "Caller" is what the loop waits for: the median over steps. Each logger's
values are made before the clock starts. Before that one tracker takes ``--scalars`` scalars, and what memory
it holds is shown.

Aim pins libraries that we need newer, so it runs in a process of its own, which times itself in its turn:
with the Python given, else in an environment made for the run.
"""

import argparse
import json
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from log_steps import Log, time_steps

FOLDER = Path(tempfile.mkdtemp(prefix="grokscope-bench-"))
os.environ |= {
    "GROKSCOPE_HOME": str(FOLDER / "home"),
    "TRACKIO_DIR": str(FOLDER / "trackio"),
    "WANDB_DIR": str(FOLDER),
    "WANDB_CACHE_DIR": str(FOLDER / "cache"),
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
}

import mlflow  # noqa: E402 - these read the environment when they are imported
import trackio  # noqa: E402
import wandb  # noqa: E402
from torch.utils.tensorboard import SummaryWriter  # noqa: E402

from grokscope.collectors import Tracker  # noqa: E402

# Steps a round: enough for a median, few enough that the slow ones end and no backlog outlives its round.
STEPS = {
    "grokscope": 400,
    "mlflow": 20,
    "mlflow, async": 100,
    "tensorboard": 200,
    "trackio": 400,
    "wandb, offline": 200,
    "aim": 100,
}
AIM = "aim==3.29.1"


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
    elif name == "wandb, offline":
        run = wandb.init(project="bench", reinit="finish_previous")
        yield lambda step, values: run.log(values, step=step)
        run.finish()
    else:
        wait = name == "mlflow"
        with mlflow.start_run():
            yield lambda step, values: mlflow.log_metrics(values, step=step, synchronous=wait) and None


class Aim:
    """Aim in a process of its own."""

    def __init__(self, python: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [python, Path(__file__).with_name("log_steps.py"), folder / "aim"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def time_steps(self, steps: int, scalars: int) -> list[float]:
        self._process.stdin.write(f"{steps} {scalars}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


def python_with_aim(folder: Path) -> str | None:
    """Make an environment with Aim; ``None``, and a sentence, where that cannot be."""
    python = str(folder / "aim-env" / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", AIM]
    try:
        subprocess.run([sys.executable, "-m", "venv", folder / "aim-env"], check=True)
        subprocess.run(install, check=True, stdout=sys.stderr)
    except subprocess.CalledProcessError:
        print(f"Aim is left out: {AIM} cannot be installed for this Python.")
        return None
    return python


def bench_hot_path(rounds: int, scalars: int, *, folder: Path, aim: Aim | None) -> None:
    """Print caller's time per scalar, its tail, and the ratio to ours."""
    names = [name for name in STEPS if aim or name != "aim"]
    per_scalar: dict[str, list[float]] = {name: [] for name in names}
    tail: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            if name == "aim":
                seconds = aim.time_steps(STEPS[name], scalars)
            else:
                with logger(name, folder) as log:
                    seconds = time_steps(log, STEPS[name], scalars)
            per_scalar[name].append(statistics.median(seconds) / scalars * 1e6)
            tail[name].append(sorted(seconds)[int(0.99 * len(seconds))] * 1e6)
    print(f"\n### {scalars} scalars a step ({rounds} interleaved rounds)\n")
    print("| logger | caller, µs a scalar [min, max] | p99, µs a step [min, max] | times ours |")
    print("|---|---|---|---|")
    for name, values in per_scalar.items():
        ratios = [v / ours for v, ours in zip(values, per_scalar["grokscope"], strict=True)]
        print(
            f"| {name} | {statistics.median(values):.2f} [{min(values):.2f}, {max(values):.2f}] "
            f"| {statistics.median(tail[name]):.0f} [{min(tail[name]):.0f}, {max(tail[name]):.0f}] "
            f"| {statistics.median(ratios):.1f} [{min(ratios):.1f}, {max(ratios):.1f}] |"
        )


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def bench_memory(scalars: int) -> None:
    """Print what this process holds after a tenth of the scalars, and after all of them.

    The store is away, so nothing leaves the spool meanwhile: whatever is queued anywhere would show.
    """
    rows = [{f"train/metric_{i}": row + i / 7 for i in range(50)} for row in range(100)]
    shown = []
    with Tracker(experiment="bench", store="http://127.0.0.1:9") as tracker:
        before = resident_mib()
        for step in range(scalars // 50):
            tracker.log(step, rows[step % 100])
            if 50 * (step + 1) in (scalars // 10, scalars):
                shown.append((50 * (step + 1), resident_mib() - before))
    print("\n### Memory of the training process, store away\n")
    print("| scalars logged | resident memory gained, MiB |\n|---|---|")
    for number, gained in shown:
        print(f"| {number:,} | {gained:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--scalars", type=int, default=10**7)
    parser.add_argument("--aim", metavar="PYTHON", help="an interpreter that can import aim")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # other people's, of no interest to a table
    logging.disable(logging.INFO)
    os.chdir(FOLDER)
    try:
        mlflow.set_tracking_uri(f"sqlite:///{FOLDER}/mlflow.db")
        mlflow.set_experiment("bench")
        bench_memory(options.scalars)
        python = options.aim or python_with_aim(FOLDER)
        aim = Aim(python, FOLDER) if python else None
        for scalars in (4, 50, 500):
            bench_hot_path(options.rounds, scalars, folder=FOLDER, aim=aim)
        if aim:
            aim.close()
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)


if __name__ == "__main__":
    main()
