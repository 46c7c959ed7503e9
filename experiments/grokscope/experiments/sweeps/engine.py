"""The seam between a sweep and the machines that train it: jobs in, their progress out."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from grokscope.experiments.sweeps.cells.cell import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One attempt at a cell: plain data, for a process on this machine or on another.

    Attributes:
        cell: What is trained.
        run_id: The run's id on the tracker's side, which MLflow's run carries as ``grokscope.client_run_id``.
        store: MLflow tracking URI.
        attempt: 1 for the first.
        detector: What makes the run's ``OnlineDetector`` from its id, as in ``package.module:Name``; the job
            imports it in its own process.
    """

    cell: Cell
    run_id: str
    store: str
    attempt: int = 1
    detector: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the job as what JSON knows."""
        return {
            "cell": self.cell.to_json(),
            "run_id": self.run_id,
            "store": self.store,
            "attempt": self.attempt,
            "detector": self.detector,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Job":
        """Return the job that ``to_json`` told."""
        plain: dict[str, Any] = {**told, "cell": Cell.from_json(told["cell"])}
        return cls(**plain)


class Outcome(StrEnum):
    """How a cell came to its end."""

    FINISHED = "finished"
    EARLIER = "earlier"
    """It was finished before the sweep began, and nothing was trained."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How a cell is doing.

    Attributes:
        cell: Which.
        run_id: Of the run that it is logged as.
        step: How many steps are done, as far as is known.
        outcome: ``None`` while it trains.
        code: Exit status of the process once it has ended; negative is the signal that ended it.
        error: The last line of what it said, where it failed, and where the rest is.
        is_held: Whether another process trains it, another sweep or what is left of one: it is waited for.
        is_lost: Whether the machine or the process that trained it has gone, so that nothing is known of its
            end: the attempt was broken off.
        is_tracked: Whether a tracker has written to its run, known once it has ended.
        is_on_its_way: Whether points of its run wait on another machine for the store, known at its end.
    """

    cell: Cell
    run_id: str
    step: int = 0
    outcome: Outcome | None = None
    code: int | None = None
    error: str = ""
    is_held: bool = False
    is_lost: bool = False
    is_tracked: bool = False
    is_on_its_way: bool = False


class Engine(Protocol):
    """Runs jobs side by side: ``LocalEngine`` on this machine, ``RayEngine`` on the nodes of a cluster.

    A job is whole in its JSON: ``python -m grokscope.experiments.sweeps.job`` takes it on its first line of
    stdin, wherever the store and the spool's home can be reached.
    """

    @property
    def is_elsewhere(self) -> bool:
        """Whether jobs may train on other machines, whose disks are not this one's.

        They end with this process all the same.
        """
        ...

    @property
    def room(self) -> int:
        """How many more jobs can be started now."""
        ...

    def start(self, job: Job, *, record: int | None = None) -> None:
        """Start a job; there must be room.

        Args:
            job: What to train.
            record: Descriptor of the cell's record, locked as long as it is open. The job appends its end
                to it. An engine whose jobs are on another machine keeps it open itself while a job lives.
        """
        ...

    def news(self, seconds: float) -> Progress | None:
        """Return how a job is doing, as soon as one tells; ``None`` if none does for so long."""
        ...

    def stop(self) -> None:
        """End the jobs that are still at work, at once."""
        ...
