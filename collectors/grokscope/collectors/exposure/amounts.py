"""Counts that may still be on an accelerator: added, compared and divided without waiting for it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Total:
    """A sum of numbers, and of scalars that are still on an accelerator.

    >>> total = Total()
    >>> total.add(8, 2)
    >>> total.batches, total.value()
    (1, 16)
    """

    batches: int = 0
    amount: float = 0
    on_device: Any = field(default=None)

    @classmethod
    def of(cls, batches: Any, amount: Any) -> "Total":
        """Return a sum that was kept as numbers."""
        whole = float(amount)
        return cls(int(batches), int(whole) if whole.is_integer() else whole)

    def add(self, amount: Any, times: int) -> None:
        """Add an amount so many times."""
        self.batches += 1
        if not is_away(amount):
            self.amount += amount * times
        elif self.on_device is None:
            self.on_device = amount * times
        else:
            self.on_device = self.on_device + amount.to(self.on_device.device, non_blocking=True) * times

    def value(self) -> Any:
        """Return the sum: a number, or a scalar tensor on an accelerator."""
        return self.amount if self.on_device is None else self.on_device + self.amount


def amount_of(name: str, given: Any) -> Any:
    """Return a count that was given, as a whole number where it is one.

    Raises:
        ValueError: If it is no number of at least 0.

    >>> amount_of("examples", 32.0), amount_of("examples", None)
    (32, None)
    """
    if given is None or is_away(given):
        return given
    try:
        number = given.item() if hasattr(given, "item") else given
        if 0 <= number < float("inf"):
            return int(number) if number == int(number) else float(number)
    except (TypeError, ValueError, RuntimeError):  # no number, or more than one
        pass
    raise ValueError(f"{name} is a number of at least 0, got {type(given).__name__} {str(given)[:50]!r}")


def is_away(value: Any) -> bool:
    """Say whether a value is on an accelerator, so that reading it would wait.

    >>> is_away(3)
    False
    """
    return getattr(getattr(value, "device", None), "type", "cpu") != "cpu"


def at_most(value: Any, most: int | None) -> Any:
    """Return the lesser; ``None`` where one of them is not known.

    >>> at_most(3, 2), at_most(3, None)
    (2, None)
    """
    if value is None or most is None:
        return None
    return value.clamp(max=most) if is_away(value) else min(value, most)


def ratio(value: Any, whole: Any) -> Any:
    """Return a share; ``None`` where one of them is not known, or nothing was seen.

    >>> ratio(3, 2), ratio(3, None), ratio(0, 0)
    (1.5, None, None)
    """
    if value is None or whole is None:
        return None
    if is_away(whole):
        return value / whole.clamp(min=1)
    return value / whole if whole else None


def plain(value: Any) -> Any:
    """Return a number as a float, and what is on an accelerator as it is.

    >>> plain(3)
    3.0
    """
    return value if is_away(value) else float(value)
