"""Scalars that are still on an accelerator when they are logged."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from grokscope.collectors.interrupts import is_interrupt

# Far more than are ever in flight; beyond it we wait rather than hold memory without bound.
_MOST_WAITING = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Values of one step, now on the host."""

    step: int
    time_ms: int
    values: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCopy:
    """A copy on its way to the host.

    Attributes:
        tensor: The copy, to be read once it is there.
        is_there: Says whether it is.
        wait: Waits for it.
    """

    tensor: Tensor
    is_there: Callable[[], bool]
    wait: Callable[[], None]


def start_copy(tensor: Tensor) -> HostCopy:
    """Start to copy a tensor to the host, behind the work that produces it; waits for nothing on CUDA.

    Changing the tensor in place afterwards changes nothing of the copy on CUDA; elsewhere it is the tensor.
    """
    if tensor.device.type == "cuda":
        # The device is named, since a program may have set another default.
        host = torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu", pin_memory=True)
        host.copy_(tensor, non_blocking=True)
        event = torch.cuda.Event()
        event.record(torch.cuda.current_stream(tensor.device))
        return HostCopy(tensor=host, is_there=event.query, wait=event.synchronize)
    return HostCopy(tensor=tensor, is_there=lambda: True, wait=lambda: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    step: int
    time_ms: int
    keys: tuple[str, ...]
    copy: HostCopy


class DeviceValues:
    """Brings scalars to the host without ever making the training loop wait for the device.

    On CUDA each ``put`` starts an asynchronous copy into pinned memory behind the work that produces
    the values; ``arrived`` hands out those copies that have completed. The values are copied when they
    are put, so changing a tensor in place afterwards does not change what was logged.

    >>> waiting = DeviceValues()
    >>> waiting.put(3, 1000, {"train/loss": torch.tensor(0.5)})
    >>> [(a.step, a.values) for a in waiting.arrived(wait=True)]
    [(3, {'train/loss': 0.5})]
    """

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._lock = threading.RLock()

    def put(self, step: int, time_ms: int, values: Mapping[str, Tensor]) -> None:
        """Take scalar tensors (any float type, any devices) of one step.

        Raises:
            ValueError: If a tensor has more than one element.
        """
        for key, value in values.items():
            if value.numel() != 1:
                raise ValueError(f"{key!r} must be a scalar, got shape {tuple(value.shape)}; log its mean")
        for device in {value.device for value in values.values()}:
            there = {key: value for key, value in values.items() if value.device == device}
            scalars = [v.detach().reshape(()) for v in there.values()]
            # MPS has no float64; elsewhere it holds every narrower type exactly.
            wide = torch.float32 if device.type == "mps" else torch.float64
            together = torch.stack([s.to(wide) for s in scalars])
            self._waiting.append(
                _Waiting(step=step, time_ms=time_ms, keys=tuple(there), copy=start_copy(together))
            )

    def arrived(self, *, wait: bool = False) -> list[Arrived]:
        """Return what has come to the host, in order of ``put``; with ``wait`` everything."""
        done: list[Arrived] = []
        taken: list[_Waiting] = []
        with self._lock:  # several threads may log
            try:
                while self._waiting and self._is_due(self._waiting[0], wait=wait):
                    # Taken out first: a tensor that cannot be read must not keep those behind it waiting.
                    taken.append(self._waiting.popleft())
                    done.append(_read(taken[-1]))
            except BaseException as error:
                if not isinstance(error, RuntimeError | NotImplementedError) or is_interrupt(error):
                    self._waiting.extendleft(reversed(taken))  # what breaks us off costs no value
                    raise
                if not done:
                    raise
                self._waiting.extendleft(taken[len(done) :])  # first what has been read
        return done

    def _is_due(self, first: _Waiting, *, wait: bool) -> bool:
        if wait or len(self._waiting) > _MOST_WAITING:
            first.copy.wait()
            return True
        return first.copy.is_there()


def _read(waiting: _Waiting) -> Arrived:
    floats = cast("list[float]", waiting.copy.tensor.tolist())
    values = dict(zip(waiting.keys, floats, strict=True))
    return Arrived(step=waiting.step, time_ms=waiting.time_ms, values=values)
