"""A run that is being written: where its values go, and its end, at the latest that of the program."""

import atexit
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from grokscope.collectors.interrupts import shown
from grokscope.collectors.recording.array_buffer import ArrayBuffer, Axes
from grokscope.collectors.recording.run_ids import TrackerError
from grokscope.collectors.recording.run_status import EXITS, checked_status, end_of_program, uncaught
from grokscope.collectors.recording.scalar_buffer import ScalarBuffer
from grokscope.collectors.recording.sink import Sink
from grokscope.collectors.warning import Warnings, contained, warn
from grokscope.schemas.secrets import without_credentials

if TYPE_CHECKING:
    from grokscope.collectors.measures.instrument import Array

_CLOSE_SECONDS = 5.0


class OpenRun:
    """What one process writes of a run.

    It is kept until the program ends, or ``end`` is called: a tracker that nobody holds any more can go, with
    its model, and the run is still ended as the program is.

    Args:
        sink: Where values go.
        warnings: Of what could not be written.
        store: Tracking URI, for what is told at the end.

    Attributes:
        buffer: Takes values on their way to the sink.
        arrays: Takes arrays on theirs.
        is_open: Whether the run can still be written to.
    """

    def __init__(self, sink: Sink, warnings: Warnings, *, store: str) -> None:
        self.sink = sink
        self.warnings = warnings
        self.buffer = ScalarBuffer(sink, warnings)
        self.arrays = ArrayBuffer(sink, warnings, now_ms=self.buffer.now_ms)
        self.is_open = True
        self._store = store
        self._pid = os.getpid()
        self._earlier_error = uncaught()
        EXITS.watch()
        atexit.register(self._end_with_program)

    @property
    def dropped(self) -> int:
        """How many scalars could not be kept so far."""
        return self.sink.dropped + self.warnings.dropped

    def is_mine(self) -> bool:
        """Say whether this process writes the run: a forked child (a DataLoader's worker) must not."""
        return os.getpid() == self._pid

    def log_array(self, step: int, name: str, values: Any, axes: Axes = None) -> None:
        """Write one array of a step; what cannot be logged is said once.

        Args:
            step: See ``Tracker.log_array``, as for all.
            name: Its name.
            values: Its values.
            axes: Its axes.
        """
        if not self.is_mine():
            return
        with contained(self._count_array, f"the array {shown(name)} was not logged"):
            if not self.is_open:
                raise TrackerError("the run was closed before")
            self.arrays.add(step, name, values, axes)

    def log_arrays(self, step: int, arrays: "Mapping[str, Array]") -> float:
        """Write what instruments gave, each by itself; return how many seconds that took."""
        began = time.perf_counter()
        for name, one in arrays.items():
            self.log_array(step, name, one.values, one.axes)
        self.arrays.write_arrived()
        return time.perf_counter() - began

    def end(self, status: str) -> None:
        """Write the end, wait at most five seconds for what is on its way, and warn of what is left.

        What breaks this off leaves the run open, to be ended again.

        Args:
            status: See ``Tracker.close``.
        """
        waiting = 0
        with contained(self.warnings.warn_once, "the run was not closed"):
            self._flush()
            if self.is_open:  # a signal's handler may have closed it meanwhile
                checked = checked_status(status, warn=self.warnings.warn_once)
                self.sink.end(checked, self.buffer.now_ms())
                self.is_open = False
                EXITS.leave()
                atexit.unregister(self._end_with_program)
            waiting = self.sink.wait_shipped(_CLOSE_SECONDS)
        if waiting:
            warn(
                f"{waiting} points or more have not reached {without_credentials(self._store)} yet; they are "
                "safe on disk. If the store stays away, run 'grokscope sync' later."
            )

    def _count_array(self, sentence: str) -> None:
        self.warnings.warn_once(sentence, dropped=1)

    def _flush(self) -> None:
        """Hand over what is still on its way to the sink; a failure here must not leave the run open."""
        with contained(self.warnings.warn_once, "the last values were not logged"):
            self.buffer.flush()
            self.arrays.write_arrived(wait=True)
            if dropped := self.dropped:
                self.buffer.add(self.buffer.last_step, {"collector/dropped": float(dropped)})

    def _end_with_program(self) -> None:
        if self.is_open and self.is_mine():
            self.end(end_of_program(self._earlier_error, warn=self._warn))

    def _warn(self, sentence: str) -> None:
        if not self.warnings.is_quiet:
            warn(sentence)
