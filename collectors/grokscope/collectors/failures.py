"""What could not be measured: each part by itself, said at once, and counted for the end of the run."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from grokscope.collectors.interrupts import shown
from grokscope.collectors.warning import contained


class Failures:
    """Keeps a failure to the part that it belongs to, says it, and counts it.

    Args:
        warn: Takes a sentence about each failure.

    >>> failures = Failures(print)
    >>> for step in range(2):
    ...     with failures.apart("the weights", step):
    ...         1 / 0
    the weights could not be measured at step 0 (ZeroDivisionError('division by zero'))
    the weights could not be measured at step 1 (ZeroDivisionError('division by zero'))
    >>> failures.counted["the weights"][0]
    2
    """

    def __init__(self, warn: Callable[[str], object]) -> None:
        self._warn = warn
        self._counted: dict[str, tuple[int, str]] = {}

    @property
    def counted(self) -> Mapping[str, tuple[int, str]]:
        """Part -> how often it could not be measured, and what was said the first time."""
        return MappingProxyType(self._counted)

    @contextmanager
    def apart(self, part: str, step: object) -> Generator[None]:
        """Keep what fails inside to ``part``; what breaks the program off passes."""

        def failed(sentence: str) -> None:
            count, first = self._counted.get(part, (0, sentence))
            self._counted[part] = (count + 1, first)
            self._warn(sentence)

        with contained(failed, f"{part} could not be measured at step {shown(step)}"):
            yield
