"""What is done again and again, but no more often than need be."""

import time


class Interval:
    """Says whether enough time has passed since something was begun last.

    Args:
        seconds: How much is enough.
        is_first_due: Whether the first time is due at once.

    >>> renewal = Interval(60.0)
    >>> renewal.is_due()
    True
    >>> renewal.begin()
    >>> renewal.is_due()
    False
    """

    def __init__(self, seconds: float, *, is_first_due: bool = True) -> None:
        self._seconds = seconds
        self._next = 0.0
        if not is_first_due:
            self.begin()

    def is_due(self) -> bool:
        """Say whether the time has passed."""
        return time.monotonic() >= self._next

    def begin(self) -> None:
        """Count from now."""
        self._next = time.monotonic() + self._seconds
