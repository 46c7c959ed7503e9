"""Saying what went wrong: once each, on stderr, never as an exception."""

import re
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from grokscope.collectors.interrupts import is_interrupt, shown
from grokscope.schemas.printable import written_out
from grokscope.schemas.secrets import redacted

# A loop that fails in ever new ways must not flood the terminal either.
_MOST_SAID = 20
_STEP = re.compile(r"\bstep \S+")


def tell(sentence: str) -> None:
    """Write ``sentence`` to stderr, plain and without secrets; a closed or broken one costs only that.

    >>> tell("")
    """
    try:
        if sentence:
            sys.stderr.write(f"grokscope: {written_out(redacted(sentence))}\n")
    except Exception as error:
        if is_interrupt(error):
            raise


@contextmanager
def contained(say: Callable[[str], object], failure: str) -> Generator[None]:
    """Say ``failure``, and the error, instead of raising it; what breaks the program off passes.

    >>> with contained(print, "nothing was divided"):
    ...     1 / 0
    nothing was divided (ZeroDivisionError('division by zero'))
    """
    try:
        yield
    except Exception as error:
        if is_interrupt(error):
            raise
        say(f"{failure} ({shown(error)})")


class Complaints:
    """Says each thing once and counts what was lost; a quiet one only counts.

    >>> complaints = Complaints()
    >>> complaints.say("", dropped=2)
    >>> complaints.dropped
    2
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self.dropped = 0
        self._is_quiet = is_quiet
        self._said: set[str] = set()
        self._lock = threading.RLock()

    def say(self, sentence: str, *, dropped: int = 0) -> None:
        """Say ``sentence`` unless it was said before, and count ``dropped`` points."""
        with self._lock:
            self.dropped += dropped
            kind = _STEP.sub("step", sentence)  # the same thing at another step is not news
            if self._is_quiet or not sentence or kind in self._said or len(self._said) >= _MOST_SAID:
                return
            self._said.add(kind)
        tell(f"{sentence}. Training goes on.")
