"""Small arrays that a user logs, made ready for the sink: checked, named, within limits, as plain bytes."""

import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from grokscope.collectors.interrupts import is_interrupt
from grokscope.collectors.recording.arrays.axes import Axes, axes_of
from grokscope.collectors.recording.arrays.values import numbers
from grokscope.collectors.recording.scalar_buffer import whole_step
from grokscope.collectors.recording.sink import Sink
from grokscope.collectors.warning import Warnings
from grokscope.schemas.arrays import MOST_RUN_BYTES, MOST_STEP_BYTES, LoggedArray
from grokscope.schemas.names import stored_name

if TYPE_CHECKING:
    from grokscope.collectors.recording.device_values import HostCopy

_MIB = 1 << 20
# Far more than are ever in flight; beyond it we wait rather than hold memory without bound.
_MOST_WAITING = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    logged: LoggedArray
    copy: "HostCopy"


class ArrayBuffer:
    """Passes on the arrays that can be written now, and holds those that are still on an accelerator.

    What is too large is left out and said once: an array of more than ``MOST_VALUES`` values, and what goes
    beyond ``MOST_STEP_BYTES`` of one step or ``MOST_RUN_BYTES`` of the run.

    Args:
        sink: Takes the arrays.
        warnings: Of arrays that are not taken as they are.
        now_ms: Unix time in ms that never goes back.
    """

    def __init__(self, sink: Sink, warnings: Warnings, *, now_ms: Callable[[], int]) -> None:
        self.sink = sink
        self._warnings = warnings
        self._now_ms = now_ms
        self._waiting: deque[_Waiting] = deque()
        self._lock = threading.RLock()
        self._step: int | None = None
        self._step_bytes = self._run_bytes = 0

    def add(self, step: int, name: str, values: Any, axes: Axes = None) -> None:
        """Write one array of a step.

        Args:
            step: Optimizer step.
            name: Its name.
            values: A tensor on any device, or what numpy makes an array of.
            axes: Its axes in their order.

        Raises:
            ValueError: If it is none that can be logged, or beyond a limit.
        """
        step = whole_step(step)
        shown = self._name(name)
        ready = numbers(shown, values)
        shape = tuple(ready.shape)
        logged = LoggedArray(
            name=shown,
            step=step,
            time_ms=self._now_ms(),
            precision="float32" if ready.itemsize == np.float32().itemsize else "float64",
            shape=shape,
            axes=axes_of(shown, axes, shape, warn=self._warnings.warn_once),
            data=b"",
        )
        self._take_room(step, shown, ready.nbytes + logged.size)
        if isinstance(ready, np.ndarray):
            self._write(logged, ready)
        else:
            from grokscope.collectors.recording.device_values import start_copy  # noqa: PLC0415 - torch is optional

            with self._lock:
                self._waiting.append(_Waiting(logged=logged, copy=start_copy(ready)))
        self.write_arrived()

    def write_arrived(self, *, wait: bool = False) -> None:
        """Write what has come to the host from an accelerator; with ``wait`` everything."""
        while self._waiting:
            with self._lock:
                if not self._waiting:
                    return
                first = self._waiting[0]
                if wait or len(self._waiting) > _MOST_WAITING:
                    first.copy.wait()
                elif not first.copy.is_there():
                    return
                # Taken out first: one that cannot be read must not keep those behind it waiting.
                self._waiting.popleft()
            try:
                self._write(first.logged, first.copy.tensor.cpu().numpy())
            except Exception as error:
                if is_interrupt(error):
                    raise
                self._warnings.warn_once(
                    f"the array {first.logged.name!r} was not logged ({error!r})", dropped=1
                )

    def _write(self, logged: LoggedArray, values: "NDArray[Any]") -> None:
        little = values.astype(values.dtype.newbyteorder("<")) if sys.byteorder == "big" else values
        self.sink.array(replace(logged, data=little.tobytes()))

    def _take_room(self, step: int, name: str, size: int) -> None:
        if step != self._step:
            self._step, self._step_bytes = step, 0
        for limit, used, what in (
            (MOST_STEP_BYTES, self._step_bytes, "one step"),
            (MOST_RUN_BYTES, self._run_bytes, "a run"),
        ):
            if used + size > limit:
                raise ValueError(
                    f"{name!r} would go beyond the {limit // _MIB} MiB that the arrays of {what} may have; "
                    "log fewer, or smaller ones"
                )
        self._step_bytes += size
        self._run_bytes += size

    def _name(self, given: str) -> str:
        name = stored_name(str(given))
        if name != given:
            self._warnings.warn_once(f"arrays have names as metrics have: {given!r} is logged as {name!r}")
        return name
