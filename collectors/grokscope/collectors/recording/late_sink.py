"""Where a tracker writes that may turn out to be one of several: the run begins with its first record."""

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from grokscope.collectors.recording.ranks import NullSink, is_first_process, may_join_others, rank_in_group
from grokscope.schemas.arrays import LoggedArray

if TYPE_CHECKING:
    from grokscope.collectors.recording.sink import Sink


class LateSink:
    """Opens the real sink at the first record, or at the end, in whichever process is the first by then.

    Trackers are made before the process group in many scripts, and each would open a run of its own.

    Args:
        open_sink: Opens it; called at most once.
    """

    def __init__(self, open_sink: "Callable[[], Sink]") -> None:
        self._open_sink = open_sink
        self._opened: Sink | None = None
        self._lock = threading.RLock()

    @property
    def dropped(self) -> int:
        """How many scalars could not be kept."""
        return self._opened.dropped if self._opened else 0

    def points(self, step: int, time_ms: int, values: Mapping[str, float]) -> None:
        """Pass the points on."""
        (self._opened or self._open()).points(step, time_ms, values)

    def array(self, logged: LoggedArray) -> None:
        """Pass the array on."""
        (self._opened or self._open()).array(logged)

    def end(self, status: str, time_ms: int, *, failed: str = "", is_withdrawn: bool = False) -> None:
        """Pass the end on; a run that is withdrawn before it began needs none."""
        if self._opened or not is_withdrawn:
            (self._opened or self._open()).end(status, time_ms, failed=failed, is_withdrawn=is_withdrawn)

    def wait_shipped(self, seconds: float) -> int:
        """Wait until everything has arrived, at most ``seconds``; return how many scalars have not."""
        return self._opened.wait_shipped(seconds) if self._opened else 0

    def _open(self) -> "Sink":
        with self._lock:
            if self._opened is None:
                self._opened = NullSink() if rank_in_group() else self._open_sink()
            return self._opened


def sink_of_first(open_sink: "Callable[[], Sink]") -> "Sink":
    """Return the sink of a process that may be one of several: of the first, or of one that may be it.

    >>> from grokscope.collectors.testing import MemorySink
    >>> isinstance(sink_of_first(MemorySink), MemorySink)
    True
    """
    if not is_first_process():
        return NullSink()
    return LateSink(open_sink) if may_join_others() else open_sink()
