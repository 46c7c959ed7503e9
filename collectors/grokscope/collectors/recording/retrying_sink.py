"""Where a tracker writes while no spool can be created: all is counted, nothing kept, and it tries again."""

import threading
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from grokscope.collectors.warning import warn
from grokscope.schemas import NoHomeError
from grokscope.schemas.arrays import LoggedArray

if TYPE_CHECKING:
    from grokscope.collectors.recording.sink import Sink

_RETRY_SECONDS = 5.0


class RetryingSink:
    """Stands in for a spool until there is one, and passes everything on from then.

    Args:
        open_spool: Opens the real sink; raises ``OSError`` or ``NoHomeError`` while that cannot be.
    """

    def __init__(self, open_spool: "Callable[[], Sink]") -> None:
        self._lost = 0
        self._found: Sink | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        # One that is dropped without an end must not be kept alive by this.
        arguments = (weakref.ref(self), open_spool, self._ended)
        threading.Thread(target=_retry, args=arguments, name="grokscope-retry", daemon=True).start()

    @property
    def dropped(self) -> int:
        """How many scalars could not be kept."""
        return self._lost + (self._found.dropped if self._found else 0)

    def points(self, step: int, time_ms: int, values: Mapping[str, float]) -> None:
        """Pass the points on, or count them as dropped."""
        if self._found is None:
            self._lost += len(values)
        else:
            self._found.points(step, time_ms, values)

    def array(self, logged: LoggedArray) -> None:
        """Pass the array on, or count it as dropped."""
        if self._found is None:
            self._lost += 1
        else:
            self._found.array(logged)

    def end(self, status: str, time_ms: int, *, failed: str = "", is_withdrawn: bool = False) -> None:
        """Pass the end on, or say how much was lost."""
        with self._lock:
            self._ended.set()
        if self._found is not None:
            self._found.end(status, time_ms, failed=failed, is_withdrawn=is_withdrawn)
        else:
            warn(f"{self._lost} points were lost, since no spool could be written.")

    def wait_shipped(self, seconds: float) -> int:
        """Wait for what was kept; return 0 if nothing was."""
        return self._found.wait_shipped(seconds) if self._found else 0

    def try_again(self, open_spool: "Callable[[], Sink]") -> bool:
        """Try to open the spool; say whether there is one now, or none is needed any more."""
        with self._lock:
            if self._ended.is_set():
                return True
            try:
                self._found = open_spool()
            except (OSError, NoHomeError):
                return False
        warn(f"the spool can be written now; points are kept from here on, and {self._lost} were lost.")
        return True


def _retry(
    mine: "weakref.ref[RetryingSink]", open_spool: "Callable[[], Sink]", ended: threading.Event
) -> None:
    while not ended.wait(_RETRY_SECONDS):
        waiting = mine()
        if waiting is None or waiting.try_again(open_spool):
            return
