"""Several processes that train one model: the first of them logs."""

import os
import sys
from collections.abc import Mapping

from grokscope.schemas.arrays import LoggedArray


def is_first_process() -> bool:
    """Say whether this is rank 0 of a distributed training, or not distributed at all.

    >>> is_first_process()
    True
    """
    distributed = sys.modules.get("torch.distributed")  # if it was never imported, nobody initialised it
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank() == 0
    is_launched = "TORCHELASTIC_RUN_ID" in os.environ  # by torchrun, which sets the rank beforehand
    return not is_launched or os.environ.get("RANK", "0") == "0"


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

    def end(self, status: str, time_ms: int) -> None:
        """Close nothing."""

    def wait_shipped(self, seconds: float) -> int:  # noqa: ARG002 - the sink's contract
        """Return 0: nothing is on its way."""
        return 0
