"""What a user logs, made ready for the sink: names MLflow takes, whole steps, plain floats, a time."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from grokscope.collectors.interrupts import is_interrupt, shown
from grokscope.collectors.recording.sink import Sink
from grokscope.collectors.warning import Warnings
from grokscope.schemas.names import stored_name

if TYPE_CHECKING:
    from grokscope.collectors.recording.device_values import DeviceValues

_LEAST, _MOST = -(2**63), 2**63 - 1
# A loop that logs a new name at every step must not fill the memory.
_MOST_NAMES = 10_000


class ScalarBuffer:
    """Passes on the values that can be written now, and holds those that are still on an accelerator.

    Args:
        sink: Takes the values.
        warnings: Of values and names that are not taken as they are.

    Attributes:
        sink: Takes the values.
        last_step: The step that was added last.
        count: How many calls have added something.
    """

    def __init__(self, sink: Sink, warnings: Warnings) -> None:
        self.last_step = 0
        self.count = 0
        self.sink = sink
        self._warnings = warnings
        self._names: dict[str, str] = {}
        self._measured: dict[str, Any] = {}
        self._device: DeviceValues | None = None
        self._last_ms = 0

    def add(self, step: int, values: Mapping[str, Any], *, is_measured: bool = False) -> None:
        """Write ``values`` of one step.

        Args:
            step: Optimizer step.
            values: Name -> value.
            is_measured: Whether they are ours. A name of these that is logged too is said: one curve would
                hold two quantities, as the loss of batches and that of their split.

        Raises:
            ValueError: If ``step`` is not a whole number of at most 64 bits.
        """
        step = whole_step(step)
        if is_measured:
            self._measured.update(values)
        elif self._measured:
            self._say_doubles(values)
        time_ms = self.now_ms()
        plain: dict[str, float] = {}
        on_device: dict[str, Any] = {}
        names = self._names
        for key, value in values.items():
            name = names.get(key) or self._name(key)
            if type(value) is float:
                plain[name] = value
            elif _is_on_accelerator(value) and value.numel() == 1:
                on_device[name] = value
            else:
                self._convert(plain, name, value)
        if plain:
            self.sink.points(step, time_ms, plain)
        if on_device:
            self._waiting().put(step, time_ms, on_device)
        if self._device is not None:
            self._write_arrived(wait=False)
        self.last_step = step
        self.count += 1

    def flush(self) -> None:
        """Write what is still on an accelerator, waiting for it."""
        if self._device is not None:
            self._write_arrived(wait=True)

    def now_ms(self) -> int:
        """Return Unix time in ms that never goes back.

        A clock set back must not reorder points: the time is also what tells the last of two attempts.
        """
        self._last_ms = max(self._last_ms, time.time_ns() // 1_000_000)
        return self._last_ms

    def _write_arrived(self, *, wait: bool) -> None:
        for arrived in self._waiting().arrived(wait=wait):
            self.sink.points(arrived.step, arrived.time_ms, arrived.values)

    def _waiting(self) -> "DeviceValues":
        if self._device is None:
            from grokscope.collectors.recording.device_values import DeviceValues  # noqa: PLC0415 - torch is optional

            self._device = DeviceValues()
        return self._device

    def _convert(self, plain: dict[str, float], name: str, value: Any) -> None:
        try:
            # Of torch, numpy and jax alike; float() of a loss that still hangs on its graph would warn.
            plain[name] = float(value.item() if hasattr(value, "item") else value)
        except Exception as error:
            if is_interrupt(error):
                raise
            got = type(value).__name__
            self._warnings.warn_once(
                f"{name!r} must be a number or a tensor of one element, got {got}; it is left out", dropped=1
            )

    def _say_doubles(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            # The very object is what evaluate has returned, logged once more: the same point.
            if name in self._measured and value is not self._measured[name]:
                self._warnings.warn_once(
                    f"{name!r} is logged, and measured by evaluate too, so its curve holds both; log yours "
                    "under another name, that of a batch as 'train/batch_loss'"
                )

    def _name(self, key: str) -> str:
        if len(self._names) >= _MOST_NAMES:
            self._names.clear()
        name = stored_name(str(key))
        if name != key:
            self._warnings.warn_once(f"MLflow cannot take the name {key!r}; logged as {name!r}")
        self._names[key] = name
        return name


def whole_step(step: Any) -> int:
    """Return a step as a number of its own: a tensor that counts steps goes on counting.

    Raises:
        ValueError: If it is not a whole number of at most 64 bits.

    >>> whole_step(3.0)
    3
    """
    if type(step) is int and _LEAST <= step <= _MOST:
        return step
    try:
        number = int(step)
        is_whole = bool(number == step) and _LEAST <= number <= _MOST
    except Exception as error:
        if is_interrupt(error):
            raise
        number, is_whole = 0, False  # None, NaN, a tensor of several elements, or one without a value
    if not is_whole:
        raise ValueError(f"a step is a whole number of at most 64 bits, got {shown(step)}")
    return number


def _is_on_accelerator(value: Any) -> bool:
    device = getattr(value, "device", None)
    return getattr(device, "type", "cpu") != "cpu"
