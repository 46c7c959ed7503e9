"""Sweeps: many runs, each a process of its own, as many at once as there are cores."""

import json
import os
import queue
import subprocess
import sys
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

_END_SECONDS = 8.0
_LINES_KEPT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A group of runs that differ only in their seed.

    Attributes:
        group: The arm's name.
        seeds: How many runs.
        train_fraction: Share of the table that is trained on.
        weight_decay: Decoupled weight decay.
    """

    group: str
    seeds: int
    train_fraction: float = 0.5
    weight_decay: float = 1.0


ARMS: tuple[Arm, ...] = (
    Arm(group="weight decay 1", seeds=6),
    Arm(group="no weight decay", seeds=3, weight_decay=0.0),
    Arm(group="25 % of the data", seeds=3, train_fraction=0.25),
)
"""The demo sweep: one arm that groks and two controls that memorize only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of a sweep.

    ``detector`` names what makes its ``OnlineDetector`` from the run id, as in ``package.module:Name``; the
    job imports it in its own process.
    """

    group: str
    seed: int
    train_fraction: float
    weight_decay: float
    steps: int
    detector: str | None = None
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How a job is doing: ``code`` is its exit status once it has ended, 0 for success."""

    job: Job
    step: int
    code: int | None = None
    error: str = ""


def demo_jobs(*, steps: int = 2500, arms: Sequence[Arm] = ARMS, detector: str | None = None) -> list[Job]:
    """Return the demo sweep's jobs, arms in turn, so that each arm shows up early.

    >>> [(job.group, job.seed) for job in demo_jobs()][:4]
    [('weight decay 1', 0), ('no weight decay', 0), ('25 % of the data', 0), ('weight decay 1', 1)]
    """
    rounds = range(max((arm.seeds for arm in arms), default=0))
    return [
        Job(
            group=arm.group,
            seed=seed,
            train_fraction=arm.train_fraction,
            weight_decay=arm.weight_decay,
            steps=steps,
            detector=detector,
        )
        for seed in rounds
        for arm in arms
        if seed < arm.seeds
    ]


def run_jobs(
    jobs: Sequence[Job], *, store: str, experiment: str, workers: int | None = None
) -> Iterator[Progress]:
    """Train every job in a process of its own; yield each one's progress as it comes.

    A job that fails ends with its exit status and the last line it wrote; the others go on. Leaving the
    iteration early ends the processes that are still at work.

    Args:
        jobs: What to train.
        store: MLflow tracking URI.
        experiment: Name of the experiment.
        workers: Processes at a time; the number of cores by default.
    """
    waiting = list(reversed(jobs))
    events: queue.SimpleQueue[Progress] = queue.SimpleQueue()
    running: dict[str, subprocess.Popen[str]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < (workers or os.cpu_count() or 1):
                job = waiting.pop()
                running[job.run_id] = _start(job, store, experiment, events.put)
            progress = events.get()
            yield progress
            if progress.code is not None:
                running.pop(progress.job.run_id).wait()
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    try:
        process.wait(timeout=_END_SECONDS)
    except subprocess.TimeoutExpired:  # stopped, for instance: only this ends it
        process.kill()
        process.wait()


def _start(
    job: Job, store: str, experiment: str, tell: Callable[[Progress], None]
) -> "subprocess.Popen[str]":
    to = {"store": store, "experiment": experiment, "run_id": job.run_id}
    process = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "grokscope.experiments.job",
            json.dumps(_recipe(job)),
            json.dumps(to),
            *([] if job.detector is None else [job.detector]),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        # One thread a run: at this size more threads only get in each other's way.
        env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
    )
    threading.Thread(target=_follow, args=(job, process, tell), daemon=True).start()
    return process


def _follow(job: Job, process: "subprocess.Popen[str]", tell: Callable[[Progress], None]) -> None:
    errors: deque[str] = deque(maxlen=_LINES_KEPT)
    if process.stdout is None or process.stderr is None:
        raise AssertionError("both streams are pipes")
    reader = threading.Thread(target=errors.extend, args=(process.stderr,), daemon=True)
    reader.start()
    step = 0
    for line in process.stdout:
        if line.strip().isdecimal():  # a library may print there too
            step = int(line)
            tell(Progress(job=job, step=step))
    reader.join()
    last = errors[-1].strip() if errors else ""
    tell(Progress(job=job, step=step, code=process.wait(), error=last))
    process.stdout.close()
    process.stderr.close()


def _recipe(job: Job) -> dict[str, str | int | float]:
    return {
        "group": job.group,
        "seed": job.seed,
        "train_fraction": job.train_fraction,
        "weight_decay": job.weight_decay,
        "steps": job.steps,
    }
