"""A run that is being written: where its values go, and its end, at the latest that of the program."""

import atexit
import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from grokscope.collectors.failures import Failures
from grokscope.collectors.interrupts import is_interrupt, shown
from grokscope.collectors.recording.arrays.axes import Axes
from grokscope.collectors.recording.arrays.buffer import ArrayBuffer
from grokscope.collectors.recording.ranks import NullSink, rank_in_group
from grokscope.collectors.recording.run_ids import TrackerError
from grokscope.collectors.recording.run_status import EXITS, checked_status, end_of_program, uncaught
from grokscope.collectors.recording.scalar_buffer import ScalarBuffer
from grokscope.collectors.recording.sink import Sink
from grokscope.collectors.warning import Warnings, contained, warn

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
        reopen: Opens a sink that goes on with the run, where a notebook has ended it and it is used again.

    Attributes:
        buffer: Takes values on their way to the sink.
        arrays: Takes arrays on theirs.
        is_open: Whether the run can still be written to.
        is_first: Whether this process is the one that logs, as far as is known.
        failures: What failed in evaluations; told at the end.
    """

    def __init__(self, sink: Sink, warnings: Warnings, *, reopen: Callable[[], Sink] | None = None) -> None:
        self.sink = sink
        self.warnings = warnings
        self.buffer = ScalarBuffer(sink, warnings)
        self.arrays = ArrayBuffer(sink, warnings, now_ms=self.buffer.now_ms)
        self.is_open = True
        self.is_first = not isinstance(sink, NullSink)
        self.failures = Failures(warnings.warn_once)
        self._reopen = reopen
        self._is_left = False
        self._is_alone = rank_in_group() is None
        self._pid = os.getpid()
        self._begin()

    @property
    def dropped(self) -> int:
        """How many scalars could not be kept so far."""
        return self.sink.dropped + self.warnings.dropped

    def is_mine(self) -> bool:
        """Say whether this process writes the run: a forked child (a DataLoader's worker) must not.

        Where a process group has come meanwhile and another process is its first, the run is withdrawn;
        where a notebook has ended it, it goes on.
        """
        if os.getpid() != self._pid:
            return False
        if self._is_alone and (rank := rank_in_group()) is not None:
            self._is_alone = False
            if rank != 0:
                self._leave_to_first()
        if self._is_left and self._reopen is not None:
            self._is_left = False  # tried once: what cannot be opened now costs no more than this record
            with contained(self.warnings.warn_once, "the run was not opened again"):
                self._go_on(self._reopen())
        return True

    def log(self, step: int, values: Mapping[str, Any], *, is_measured: bool = False) -> bool:
        """Write scalars of one step and say whether they were; what cannot be logged is said once.

        Args:
            step: See ``Tracker.log``, as for all.
            values: Metric key -> value.
            is_measured: Whether these are measures of an evaluation.
        """
        if not self.is_mine():
            return False
        if not self.is_open:
            self._not_logged(step, TrackerError("the run was closed before"), values)
            return False
        try:
            self.buffer.add(step, values, is_measured=is_measured)
        except Exception as error:
            if is_interrupt(error):
                raise
            self._not_logged(step, error, values)
            return False
        return True

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
        """Write the end, wait at most five seconds for what is on its way.

        What breaks this off leaves the run open, to be ended again.

        Args:
            status: See ``Tracker.close``.
        """
        with contained(self.warnings.warn_once, "the run was not closed"):
            self._end(status)
            self.sink.wait_shipped(_CLOSE_SECONDS)

    def leave(self, status: str) -> None:
        """Write the end without waiting; a run that is logged to after this goes on.

        Args:
            status: FINISHED, FAILED or KILLED.
        """
        if self.is_open and os.getpid() == self._pid:
            with contained(self.warnings.warn_once, "the run was not closed"):
                self._end(status)
                self._is_left = True

    def _begin(self) -> None:
        self._earlier_error = uncaught()
        EXITS.watch()
        atexit.register(self._end_with_program)

    def _go_on(self, sink: Sink) -> None:
        self._put(sink)
        self.is_open = True
        self._begin()

    def _put(self, sink: Sink) -> None:
        self.sink = self.buffer.sink = self.arrays.sink = sink

    def _leave_to_first(self) -> None:
        """Take back what this process has begun: another one logs the run."""
        with contained(
            self.warnings.warn_once, "the run of a process that is not the first was not withdrawn"
        ):
            self.sink.end("KILLED", self.buffer.now_ms(), is_withdrawn=True)
        self._put(NullSink())
        self.warnings.is_quiet, self.is_first = True, False

    def _end(self, status: str) -> None:
        self._flush()
        if self.is_open:  # a signal's handler may have closed it meanwhile
            checked = checked_status(status, warn=self.warnings.warn_once)
            failed = self.failures.told()
            self.sink.end(checked, self.buffer.now_ms(), failed=failed)
            self.is_open = False
            EXITS.leave()
            atexit.unregister(self._end_with_program)
            if failed and not self.warnings.is_quiet:
                warn(f"{failed}.")

    def _not_logged(self, step: object, error: Exception, values: Mapping[str, Any]) -> None:
        try:
            count = len(values) if hasattr(values, "__len__") else 0
            self.warnings.warn_once(f"step {step!r} was not logged ({error!r})", dropped=count)
        except Exception as another:  # a step or an error that cannot even be shown
            if is_interrupt(another):
                raise
            self.warnings.warn_once("a step was not logged, and cannot be shown")

    def _count_array(self, sentence: str) -> None:
        self.warnings.warn_once(sentence, dropped=1)

    def _flush(self) -> None:
        """Hand over what is still on its way to the sink; a failure here must not leave the run open."""
        with contained(self.warnings.warn_once, "the last values were not logged"):
            self.buffer.flush()
            self.arrays.write_arrived(wait=True)
            if dropped := self.dropped:
                values = {"collector/dropped": float(dropped)}
                self.buffer.add(self.buffer.last_step, values, is_measured=True)

    def _end_with_program(self) -> None:
        if self.is_open and os.getpid() == self._pid:
            self.end(end_of_program(self._earlier_error, warn=self._warn))

    def _warn(self, sentence: str) -> None:
        if not self.warnings.is_quiet:
            warn(sentence)
