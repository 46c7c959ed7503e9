"""How long work takes on the device that does it."""

import time
from collections.abc import Generator
from contextlib import contextmanager

import torch


class Stopwatch:
    """Times named parts of a collection: on the host, and on CUDA also on the device.

    Kernels run behind the host: a part that merely queues them looks free to a host's clock. So each part
    also records two events, and what counts is the longer of the two times. Events are read in ``laps``,
    after the one synchronisation of the collection, and never make anybody wait.

    Args:
        device: Where the work is done.

    >>> watch = Stopwatch(torch.device("cpu"))
    >>> with watch.timing("nothing"):
    ...     pass
    >>> 0 <= watch.laps()["nothing"] < 0.1
    True
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._host: dict[str, float] = {}
        self._events: dict[str, tuple[torch.cuda.Event, torch.cuda.Event]] = {}

    @contextmanager
    def timing(self, name: str) -> Generator[None]:
        """Time what is done inside as ``name``."""
        event = self._mark()
        began = time.perf_counter()
        try:
            yield
        finally:
            self._host[name] = time.perf_counter() - began
            if event is not None and (after := self._mark()) is not None:
                self._events[name] = (event, after)

    def laps(self) -> dict[str, float]:
        """Return the seconds of each part, and start anew; call it after the device was synchronised."""
        host, events = self._host, self._events
        self._host, self._events = {}, {}
        return {name: max(seconds, _on_device(events.get(name))) for name, seconds in host.items()}

    def _mark(self) -> torch.cuda.Event | None:
        if self._device.type != "cuda":
            return None
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self._device))
        return event


def _on_device(events: tuple[torch.cuda.Event, torch.cuda.Event] | None) -> float:
    if events is None or not events[1].query():
        return 0.0
    return events[0].elapsed_time(events[1]) / 1000
