"""Sweeps on a real cluster under random kills, and at the end a look at what arrived.

    python tests/soak/cluster.py [--seconds 600] [--seed N]

Killed, as drawn from the seed: workers of Ray, trainings, a whole node that then comes back, and the sweep's
own process, which is started again as a person would. At the end every run must be there once, FINISHED, with
each of its points once.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mlflow.tracking import MlflowClient

from grokscope.collectors.recording.spool import find_spools
from grokscope.experiments.cluster.connection import _ENVIRONMENT, _ONLY_LOOPBACK
from grokscope.schemas import CLIENT_RUN_ID

CELLS, POINTS = 12, 20
JOB = "grokscope.experiments.sweeps.job"
TRAINING = f"""
import time
from grokscope.collectors import Tracker

def train(seed):
    with Tracker(experiment="soak") as tracker:
        for step in range({POINTS}):
            tracker.log(step, {{"train/loss": seed + 1 / (1 + step)}})
            time.sleep(0.2)
"""


class World:
    """A cluster of two nodes with a home of theirs, and a sweep on it, started as often as need be."""

    def __init__(self, folder: Path) -> None:
        from ray.cluster_utils import Cluster  # noqa: PLC0415 - reads the environment

        self.folder = folder
        self.cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
        self.node = self.cluster.add_node(num_cpus=1)
        (folder / "own.py").write_text(TRAINING)
        (folder / "a.toml").write_text(f"train = 'own.py:train'\nexperiment = 'soak'\nseeds = {CELLS}\n")
        self.store = f"sqlite:///{folder}/mlflow.db"
        MlflowClient(self.store).search_experiments()
        self.sweep = self.started()

    def started(self) -> "subprocess.Popen[bytes]":
        where = ("--store", self.store, "--engine", "ray", "--address", self.cluster.address)
        return subprocess.Popen(
            [sys.executable, "-m", "grokscope.cli.main", "sweep", "a.toml", *where],
            cwd=self.folder,
            env={**os.environ, "GROKSCOPE_HOME": f"{self.folder}/home"},
            stdout=subprocess.DEVNULL,
        )

    # What may happen.

    def kill_training(self, rng: random.Random) -> None:
        self._kill(rng, self._jobs())

    def kill_worker(self, rng: random.Random) -> None:
        self._kill(rng, [_parent(pid) for pid in self._jobs()])

    def kill_node(self, rng: random.Random) -> None:
        del rng
        self.cluster.remove_node(self.node, allow_graceful=False)
        self.node = self.cluster.add_node(num_cpus=1)

    def kill_sweep(self, rng: random.Random) -> None:
        del rng
        self.sweep.kill()
        self.sweep.wait()
        self.sweep = self.started()

    def goes_on(self) -> None:
        """Start the sweep again, where it has ended with runs that failed."""
        if self.sweep.poll() not in (None, 0):
            self.sweep = self.started()

    def _jobs(self) -> list[int]:
        mine = (f"GROKSCOPE_HOME={self.folder}/nodes").encode()
        return [pid for pid, words in _processes() if JOB in words and mine in _environment(pid).split(b"\0")]

    @staticmethod
    def _kill(rng: random.Random, pids: list[int]) -> None:
        if pids:
            with suppress(ProcessLookupError):
                os.kill(rng.choice(pids), signal.SIGKILL)


def _processes() -> Iterator[tuple[int, list[str]]]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield int(path.parent.name), path.read_bytes().decode(errors="replace").split("\0")


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def _parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def wrong(store: str) -> list[str]:
    """Return what is not as it should be in the store."""
    client = MlflowClient(store)
    found = client.get_experiment_by_name("soak")
    runs = client.search_runs([found.experiment_id]) if found else []
    said = [
        f"{run.data.tags[CLIENT_RUN_ID]} is {run.info.status}"
        for run in runs
        if run.info.status != "FINISHED"
    ]
    seeds = sorted(int(run.data.params["seed"]) for run in runs if run.info.status == "FINISHED")
    said += [] if seeds == list(range(CELLS)) else [f"finished are the seeds {seeds}"]
    for run in runs:
        steps = [point.step for point in client.get_metric_history(run.info.run_id, "train/loss")]
        if run.info.status == "FINISHED" and sorted(steps) != list(range(POINTS)):
            said.append(f"{run.info.run_id} has the steps {sorted(steps)}")
    return said


def soak(folder: Path, rng: random.Random, seconds: float) -> list[str]:
    """Trouble a sweep for so long; return what is wrong once it has ended."""
    os.environ.update({**_ENVIRONMENT, **_ONLY_LOOPBACK, "GROKSCOPE_HOME": f"{folder}/nodes"})
    world = World(folder)
    deadline = time.monotonic() + seconds
    trouble = [world.kill_training, world.kill_worker, world.kill_worker, world.kill_node, world.kill_sweep]
    while time.monotonic() < deadline and world.sweep.poll() is None:
        time.sleep(rng.uniform(2, 10))
        chosen = rng.choice(trouble)
        _say(chosen.__name__)
        chosen(rng)
        world.goes_on()
    while world.sweep.wait() != 0:
        world.goes_on()
    while [*find_spools(folder / "home"), *find_spools(folder / "nodes")]:
        time.sleep(0.5)
    world.cluster.shutdown()
    return wrong(world.store)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    asked = parser.parse_args()
    _say(f"seed {asked.seed}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        said = soak(Path(folder), random.Random(asked.seed), asked.seconds)
    _say("\n".join(said) or f"{CELLS} runs, each there once")
    sys.exit(bool(said))


if __name__ == "__main__":
    main()
