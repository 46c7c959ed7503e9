"""Several processes that train one model: the first of them logs."""

import multiprocessing
import os
import sys
from collections.abc import Mapping

from grokscope.schemas.arrays import LoggedArray

# Of launchers that start whatever they are told to: maybe one training, maybe many.
_COUNTS = ("WORLD_SIZE", "SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")


def is_first_process() -> bool:
    """Say whether this is rank 0 of a distributed training, or not distributed at all.

    Where no process group is there yet, what a launcher of one training has set tells: ``RANK`` of torchrun,
    DeepSpeed and MPI's operators, or ``LOCAL_RANK`` and ``NODE_RANK`` of Lightning. The numbers that SLURM
    and MPI give do not: a sweep's runs have them too.

    >>> is_first_process()
    True
    """
    rank = rank_in_group()
    if rank is not None:
        return rank == 0
    environment = os.environ
    if "TORCHELASTIC_RUN_ID" not in environment and _number("WORLD_SIZE") <= 1:
        return True
    named = ("RANK",) if "RANK" in environment else ("LOCAL_RANK", "NODE_RANK")
    return all(environment.get(name, "0") == "0" for name in named)


def rank_in_group() -> int | None:
    """Return the rank in torch's process group; ``None`` while there is none.

    >>> rank_in_group() is None
    True
    """
    distributed = sys.modules.get("torch.distributed")  # if it was never imported, nobody initialised it
    is_initialized = getattr(distributed, "is_initialized", None)  # which builds without it do not have
    return int(distributed.get_rank()) if distributed and is_initialized and is_initialized() else None


def processes() -> int:
    """Return how many processes are in torch's process group; 1 while there is none.

    >>> processes()
    1
    """
    return 1 if rank_in_group() is None else int(sys.modules["torch.distributed"].get_world_size())


def is_one_of_several() -> bool:
    """Say whether this process is one of several that train one model.

    >>> is_one_of_several()
    False
    """
    if rank_in_group() is not None:
        return processes() > 1
    return "TORCHELASTIC_RUN_ID" in os.environ and _number("WORLD_SIZE") > 1


def may_join_others() -> bool:
    """Say whether this process looks like one of several that may yet form a group.

    >>> may_join_others()
    False
    """
    if rank_in_group() is not None:
        return False
    return multiprocessing.parent_process() is not None or any(_number(name) > 1 for name in _COUNTS)


class NullSink:
    """Keeps nothing: the sink of a process that is not the first.

    >>> NullSink().wait_shipped(5.0)
    0
    """

    dropped = 0

    def points(self, step: int, time_ms: int, values: Mapping[str, float]) -> None:
        """Keep nothing."""

    def array(self, logged: LoggedArray) -> None:
        """Keep nothing."""

    def end(self, status: str, time_ms: int, *, failed: str = "", is_withdrawn: bool = False) -> None:
        """Close nothing."""

    def wait_shipped(self, seconds: float) -> int:  # noqa: ARG002 - the sink's contract
        """Return 0: nothing is on its way."""
        return 0


def _number(name: str) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else 0
