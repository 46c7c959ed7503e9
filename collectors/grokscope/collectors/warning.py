"""Warnings on stderr: each once, never as an exception."""

import re
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from grokscope.collectors.interrupts import is_interrupt, shown
from grokscope.schemas.printable import written_out
from grokscope.schemas.secrets import redacted

# A loop that fails in ever new ways must not flood the terminal either.
_MOST_WARNINGS = 20
_STEP = re.compile(r"\bstep \S+")


def warn(sentence: str) -> None:
    """Write ``sentence`` to stderr, plain and without secrets; a closed or broken one costs only that.

    >>> warn("")
    """
    try:
        if sentence:
            sys.stderr.write(f"grokscope: {written_out(redacted(sentence))}\n")
    except Exception as error:
        if is_interrupt(error):
            raise


@contextmanager
def contained(warn: Callable[[str], object], failure: str) -> Generator[None]:
    """Warn of ``failure``, and the error, instead of raising it; what breaks the program off passes.

    >>> with contained(print, "nothing was divided"):
    ...     1 / 0
    nothing was divided (ZeroDivisionError('division by zero'))
    """
    try:
        yield
    except Exception as error:
        if is_interrupt(error):
            raise
        warn(f"{failure} ({shown(error)})")


class Warnings:
    """Writes each warning once and counts the points that were lost; a quiet one only counts.

    Args:
        is_quiet: Whether nothing is written.

    Attributes:
        dropped: How many points were lost.

    >>> warnings = Warnings()
    >>> warnings.warn_once("", dropped=2)
    >>> warnings.dropped
    2
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self.dropped = 0
        self.is_quiet = is_quiet
        self._written: set[str] = set()
        self._lock = threading.RLock()

    def warn_once(self, sentence: str, *, dropped: int = 0) -> None:
        """Write ``sentence`` unless it was written before, and count ``dropped`` points."""
        with self._lock:
            self.dropped += dropped
            kind = _STEP.sub("step", sentence)  # the same thing at another step is not news
            is_known = kind in self._written or len(self._written) >= _MOST_WARNINGS
            if self.is_quiet or not sentence or is_known:
                return
            self._written.add(kind)
        warn(f"{sentence}. Training goes on.")
