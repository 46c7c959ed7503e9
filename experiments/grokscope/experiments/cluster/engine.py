"""A cluster as the place where a sweep trains: a Ray task a job, as many at once as there are CPUs."""

import queue
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grokscope.experiments.cluster.connection import ClusterError
from grokscope.experiments.cluster.node import own_version, run_job, withdraw_here
from grokscope.experiments.cluster.workers import cause_of
from grokscope.experiments.sweeps.engine import Job, Outcome, Progress
from grokscope.experiments.sweeps.local import END_SECONDS

_WITHDRAWAL_SECONDS = 60.0
_COULD_NOT_START = 126
_LOST = "its worker was lost, and it was begun anew"


@dataclass(slots=True)
class _Running:
    """A job on the cluster: the stream of what it tells, and who follows it."""

    stream: Any
    follower: threading.Thread


class RayEngine:
    """Trains on the nodes of a cluster: each job a process group of its own under a worker of Ray's.

    A job ends with its worker, and that with the command. Where a worker or its node is lost, what the
    attempt has logged is withdrawn, and the sweep is told that the attempt was broken off.

    Args:
        ray: The module, connected to a cluster.
        workers: Jobs at a time; by default as many as the cluster has room for.
        gpus: GPUs of each job; a part of one is allowed.

    Raises:
        ClusterError: If the cluster has no such GPUs.
    """

    is_elsewhere = True

    def __init__(self, ray: Any, workers: int | None = None, *, gpus: float = 0.0) -> None:
        self._ray = ray
        self._most = workers
        self._wanted = {"CPU": 1.0} | ({"GPU": gpus} if gpus else {})
        self._events: queue.SimpleQueue[Progress] = queue.SimpleQueue()
        self._running: dict[str, _Running] = {}
        self._is_stopping = False
        if gpus > (known := ray.cluster_resources().get("GPU", 0.0)):
            raise ClusterError(f"--gpus-per-job {gpus:g} is more than the cluster has: {known:g} GPUs")

    @property
    def room(self) -> int:
        """How many more jobs can be started now: nodes may have come or gone."""
        known = self._ray.cluster_resources()
        fitting = min(int(known.get(name, 0.0) / each + 1e-9) for name, each in self._wanted.items())
        return (self._most or max(1, fitting)) - len(self._running)

    def start(self, job: Job, *, record: int | None = None) -> None:
        """Start a job; ``record`` stays with this process, which holds it open while the job lives."""
        del record
        remote = self._ray.remote(run_job).options(
            num_returns="streaming",
            # Never again by itself: another attempt has another run, which the sweep gives it.
            max_retries=0,
            num_cpus=self._wanted["CPU"],
            num_gpus=self._wanted.get("GPU", 0.0),
            scheduling_strategy="SPREAD",
        )
        stream = remote.remote(job.to_json(), folder=str(Path.cwd()), wanted=own_version())
        follower = threading.Thread(target=self._follow, args=(job, stream), daemon=True)
        self._running[job.run_id] = _Running(stream, follower)
        follower.start()

    def news(self, seconds: float) -> Progress | None:
        """Return how a job is doing, as soon as one tells; ``None`` if none does for so long."""
        try:
            news = self._events.get(timeout=seconds)
        except queue.Empty:
            return None
        if news.code is not None or news.is_lost:
            self._running.pop(news.run_id, None)
        return news

    def stop(self) -> None:
        """End the jobs that are still at work, and by force the workers of those that stay."""
        self._is_stopping = True
        for force in (False, True):
            left = [one for one in self._running.values() if one.follower.is_alive()]
            for one in left:
                self._ray.cancel(one.stream, force=force)
            for one in left:
                one.follower.join(2 * END_SECONDS)
        self._running.clear()

    def _follow(self, job: Job, stream: Any) -> None:
        """Tell the news of one job until its end."""
        errors, node = self._ray.exceptions, None
        why = "its task ended without saying how"
        try:
            for reference in stream:
                told = self._ray.get(reference)
                node = told.get("node", node)
                if (news := _news(job, told)) is not None:
                    self._events.put(news)
                    if news.code is not None:
                        return
        except errors.RayTaskError as error:
            why = f"a node could not train it: {cause_of(error)}"
        except errors.RayError:
            if not self._is_stopping:
                with suppress(Exception):  # then the sweep's own withdrawal does
                    self._withdraw(job, node)
                self._events.put(Progress(cell=job.cell, run_id=job.run_id, is_lost=True))
            return
        except Exception as error:  # noqa: BLE001 - a job that nobody hears of would be waited for for ever
            why = f"what it told could not be read: {cause_of(error)}"
        if not self._is_stopping:
            self._events.put(_end(job, {"code": _COULD_NOT_START, "error": why}))

    def _withdraw(self, job: Job, node: str | None) -> None:
        """Take back what the lost job's node still has on its disk, if the node lives."""
        alive = {one["NodeID"] for one in self._ray.nodes() if one["Alive"]}
        if node not in alive:
            return
        place = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=False)
        remote = self._ray.remote(withdraw_here).options(num_cpus=0, scheduling_strategy=place)
        told = {"store": job.store, "experiment": job.cell.experiment, "why": _LOST}
        try:
            self._ray.get(remote.remote(job.run_id, **told), timeout=_WITHDRAWAL_SECONDS)
        except self._ray.exceptions.RayError:  # the node is on its way out: the sweep's own withdrawal does
            return


def _news(job: Job, told: dict[str, Any]) -> Progress | None:
    if "code" in told:
        return _end(job, told)
    return Progress(cell=job.cell, run_id=job.run_id, step=told["step"]) if "step" in told else None


def _end(job: Job, told: dict[str, Any]) -> Progress:
    return Progress(
        cell=job.cell,
        run_id=job.run_id,
        outcome=Outcome.FAILED if told["code"] else Outcome.FINISHED,
        code=told["code"],
        error=told["error"],
        is_tracked=told.get("is_tracked", False),
        is_on_its_way=told.get("is_on_its_way", False),
    )
