"""What a shipper needs of a place that takes runs and scalars, and the ways in which it can fail."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from grokscope.collectors.recording.spool import Meta

ENDS = ("FINISHED", "FAILED", "KILLED")
"""How a run can end; MLflow's other states, RUNNING and SCHEDULED, are no ends."""


class Unavailable(Exception):  # noqa: N818 - a state of the store, not a mistake
    """The store cannot take this now; the same call may go through later."""


class TooSlow(Unavailable):
    """The store did not answer in time: smaller batches may go through."""


class OtherVersion(Unavailable):
    """The store is of another MLflow: it takes nothing until somebody upgrades one of the two."""


class Refused(Exception):  # noqa: N818
    """The store says that it will never take this as it is; a store in trouble may say so of anything."""


class NoPlace(Refused):
    """The run's artifacts lie where nothing may be written; that will not change by asking again."""


class RunGone(Exception):  # noqa: N818
    """The run was deleted; its points have nowhere to go."""


class RunMissing(RunGone):
    """The store knows no such run: it was removed, or somebody else's store answers for a while."""


class StoreReplaced(Exception):  # noqa: N818
    """The store's file was deleted or exchanged; only a process that opens it anew can write there."""


class Scalar(NamedTuple):
    """One value on its way."""

    key: str
    value: float
    step: int
    time_ms: int


class Label(NamedTuple):
    """A param or a tag of a run."""

    kind: Literal["param", "tag"]
    key: str
    value: str


class Ending(NamedTuple):
    """How one attempt at a run came to its end.

    Attributes:
        status: One of ``ENDS``.
        time_ms: When, Unix time in ms.
        attempt: Which attempt it was; where a later one is known, that one's end is the run's.
        dropped: How many scalars its disk could not take.
        damage: What of its spool could not be read; empty if all could.
        failed: What of its evaluations has failed, as a sentence; empty if nothing has.
        withdrawn: Whether the run is to be deleted: its process was not the first of several.
    """

    status: str
    time_ms: int
    attempt: int = 1
    dropped: int = 0
    damage: str = ""
    failed: str = ""
    withdrawn: bool = False


class RunStore(Protocol):
    """Takes runs and scalars; sending the same scalar or label twice stores it once.

    Every method may raise ``Unavailable``, ``StoreReplaced`` or ``Refused``; those that name a run may raise
    ``RunGone``.
    """

    def open_run(self, meta: Meta) -> str:
        """Return the id of the run, created at the first call and found again at later ones.

        It carries no params, and of tags only those that it is found by: see ``describe``.
        """
        ...

    def describe(self, run: str, labels: Sequence[Label]) -> None:
        """Store ``labels``; raise ``Refused`` if one of them is bad."""
        ...

    def send(self, run: str, scalars: Sequence[Scalar]) -> None:
        """Store ``scalars``; raise ``Refused`` if one of them is bad (then none may be stored)."""
        ...

    def put_file(self, run: str, path: str, content: bytes) -> None:
        """Store a file among the run's artifacts, in place of one of the same name.

        Args:
            run: The run.
            path: Its folder and name, with ``/`` between.
            content: Its bytes.
        """
        ...

    def file_size(self, run: str, path: str) -> int | None:
        """Return how many bytes a file among the run's artifacts has; ``None`` where there is none."""
        ...

    def heartbeat(self, run: str, time_ms: int) -> None:
        """Note that the training process was alive at ``time_ms``."""
        ...

    def end_run(self, run: str, ending: Ending) -> None:
        """Close the run, unless a later attempt at it was opened; delete it if it is withdrawn."""
        ...

    def withdraw(self, meta: Meta) -> None:
        """Delete the run if it is there, with its tags; one that is not there is not made."""
        ...
