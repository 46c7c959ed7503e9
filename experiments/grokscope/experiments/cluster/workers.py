"""A cluster as workers: pure tasks over all its CPUs, the results in order."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grokscope.experiments.cluster.connection import ClusterError
from grokscope.experiments.cluster.node import do_tasks, own_version
from grokscope.schemas import GrokscopeError
from grokscope.schemas.workers import Failed, Input, Output, Result, shared_out

_PARTS_A_CPU = 4
"""Tasks go out in so many parts a CPU: few, since each costs some milliseconds, and enough to even out."""
_RETRIES = 3


class WorkersLostError(GrokscopeError):
    """Tasks whose workers died, however often they were given to others."""


class RayWorkers:
    """Does tasks on the nodes of a cluster, one a CPU at a time; those of a worker that dies are done again.

    Args:
        ray: The module, connected to a cluster.
    """

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    @property
    def count(self) -> int:
        """How many tasks are done at once: the CPUs that the cluster has now."""
        return cpus_of(self._ray)

    def map(self, task: Callable[[Input], Output], inputs: Sequence[Input]) -> Iterator[Result[Output]]:
        """Yield how each task ended, in the order of the inputs; leaving early ends what is still done."""
        ray = self._ray
        parts = shared_out(inputs, _PARTS_A_CPU * self.count)
        # Sent once, however many parts there are.
        shared = ray.put(task)
        remote = ray.remote(do_tasks).options(max_retries=_RETRIES, num_cpus=1, scheduling_strategy="SPREAD")
        told = {"folder": str(Path.cwd()), "wanted": own_version()}
        sent: list[Any] = [remote.remote(shared, list(part), **told) for part in parts]
        try:
            for part, reference in zip(parts, sent, strict=True):
                yield from _received(ray, reference, len(part))
        finally:
            # Only what is still done, and not by force: Ray 2.60 ends this process where a task that it has
            # cancelled by force returns all the same.
            done: list[Any] = ray.wait(sent, num_returns=len(sent), timeout=0)[0] if sent else []
            for reference in sent:
                if reference not in done:
                    ray.cancel(reference)


def cpus_of(ray: Any) -> int:
    """Return how many CPUs a cluster has now, at least 1: one that grows on demand may have none yet."""
    return max(1, int(ray.cluster_resources().get("CPU", 0)))


def _received(ray: Any, reference: Any, count: int) -> list[Result[Any]]:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise ClusterError(f"a node of the cluster cannot do the work: {cause_of(error)}") from error
    except ray.exceptions.RayError as error:
        told = f"a worker of the cluster died {_RETRIES + 1} times ({type(error).__name__})"
        lost = WorkersLostError(f"{told}; it may have run out of memory: see Ray's own logs on its node")
        return [Failed(lost)] * count


def cause_of(error: Any) -> str:
    """Return what a function on a node has raised, on one line."""
    cause = getattr(error, "cause", None) or error
    words = " ".join(str(cause).split())
    if isinstance(cause, ModuleNotFoundError):
        return f"{words}; install there what is installed here"
    return words or type(cause).__name__
