"""Small arrays that a user logs, made ready for the sink: checked, named, within limits, as plain bytes."""

import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from grokscope.collectors.interrupts import is_interrupt
from grokscope.collectors.recording.scalar_buffer import whole_step
from grokscope.collectors.recording.sink import Sink
from grokscope.collectors.warning import Warnings
from grokscope.schemas.arrays import (
    MOST_AXES,
    MOST_LABELS,
    MOST_RUN_BYTES,
    MOST_STEP_BYTES,
    MOST_VALUES,
    Axis,
    LoggedArray,
)
from grokscope.schemas.arrays.logged_array import LABEL_LENGTH
from grokscope.schemas.names import plain_text, stored_name

if TYPE_CHECKING:
    from torch import Tensor

    from grokscope.collectors.recording.device_values import HostCopy

Axes = Mapping[str, Sequence[object] | None] | Sequence[str] | None
"""Names of an array's axes, with labels or without."""

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
        shown = stored_name(str(name))
        shape = _shape(values)
        axes_of = self._axes(shown, axes, shape)
        ready = _tensor(shown, values) if hasattr(values, "detach") else _host_array(shown, values)
        logged = LoggedArray(
            name=shown,
            step=step,
            time_ms=self._now_ms(),
            precision="float32" if ready.itemsize == np.float32().itemsize else "float64",
            shape=shape,
            axes=axes_of,
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

    def _axes(self, name: str, axes: Axes, shape: tuple[int, ...]) -> tuple[Axis, ...]:
        named = _named(axes, len(shape))
        if len(named) != len(shape):
            raise ValueError(
                f"{name!r} has {len(shape)} axes (its shape is {list(shape)}), and {len(named)} are named: "
                f"{', '.join(named) or 'none'}; name one an axis"
            )
        return tuple(
            Axis(name=_label(axis), labels=self._labels(name, axis, labels, length))
            for (axis, labels), length in zip(named.items(), shape, strict=True)
        )

    def _labels(self, name: str, axis: str, labels: Sequence[object] | None, length: int) -> tuple[str, ...]:
        if labels is None:
            return ()
        if len(labels) != length:
            raise ValueError(f"axis {axis!r} of {name!r} has {length} places and {len(labels)} labels")
        if length > MOST_LABELS:
            self._warnings.warn_once(
                f"axis {axis!r} of {name!r} has {length} labels, and at most {MOST_LABELS} are kept; it is "
                "logged without them"
            )
            return ()
        return tuple(map(_label, labels))


def _shape(values: Any) -> tuple[int, ...]:
    shape = getattr(values, "shape", None)
    return tuple(map(int, np.shape(values) if shape is None else shape))


def _named(axes: Axes, count: int) -> Mapping[str, Sequence[object] | None]:
    if axes is None:
        return {f"axis {place}": None for place in range(count)}
    if isinstance(axes, str):
        return {axes: None}
    if isinstance(axes, Mapping):
        return {str(axis): labels for axis, labels in cast("Mapping[str, Any]", axes).items()}
    named: dict[str, Sequence[object] | None] = {str(axis): None for axis in axes}
    if len(named) != len(axes):
        raise ValueError(f"two axes have one name: {', '.join(map(str, axes))}")
    return named


def _label(text: object) -> str:
    return plain_text(text)[:LABEL_LENGTH] or "_"


def _check_size(name: str, shape: Sequence[int], count: int) -> None:
    if not shape:
        raise ValueError(f"{name!r} is one number; log it with log")
    if len(shape) > MOST_AXES:
        raise ValueError(f"{name!r} has {len(shape)} axes, and may have {MOST_AXES}; reshape it")
    if not count:
        raise ValueError(f"{name!r} has no values (its shape is {list(shape)})")
    if count > MOST_VALUES:
        raise ValueError(
            f"{name!r} has {count:,} values (its shape is {list(shape)}), and may have {MOST_VALUES:,}; log "
            "a part, or a summary of it"
        )


def _tensor(name: str, values: "Tensor") -> "Tensor | NDArray[Any]":
    import torch  # noqa: PLC0415 - torch is optional

    if values.is_complex():
        raise ValueError(f"{name!r} is complex; log its absolute values, or its parts")
    _check_size(name, values.shape, values.numel())
    half = values.dtype in (torch.float16, torch.bfloat16)
    # MPS has no float64; elsewhere it holds every whole number up to 2^53.
    narrow = half or values.dtype == torch.float32 or values.device.type == "mps"
    wide = values.detach().to(torch.float32 if narrow else torch.float64)
    if wide.device.type == "cpu":
        return wide.resolve_neg().contiguous().numpy()
    # A copy on the device: where none is started at once, the caller may change the tensor meanwhile.
    return wide.contiguous().clone() if wide.device.type != "cuda" else wide.contiguous()


def _host_array(name: str, values: Any) -> "NDArray[Any]":
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name!r} must hold numbers, got values of {array.dtype}")
    _check_size(name, array.shape, array.size)
    narrow = array.dtype.kind == "f" and array.dtype.itemsize <= np.float32().itemsize
    return np.ascontiguousarray(array, dtype=np.float32 if narrow else np.float64)
