"""What failed in evaluations: each part by itself, said at once, and counted for the end of the run."""

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
    >>> failures.told()
    "2 evaluations failed: the weights could not be measured (ZeroDivisionError('division by zero'))"
    """

    def __init__(self, warn: Callable[[str], object]) -> None:
        self._warn = warn
        self._counted: dict[str, tuple[int, str]] = {}

    @property
    def counted(self) -> Mapping[str, tuple[int, str]]:
        """Part -> how often it failed, and the first time in words, without its step."""
        return MappingProxyType(self._counted)

    @contextmanager
    def apart(self, part: str, step: object, *, failed: str = "could not be measured") -> Generator[None]:
        """Keep what fails inside to ``part``; what breaks the program off passes.

        Args:
            part: Of an evaluation.
            step: Where it was made.
            failed: What is said of the part then.
        """
        at = f" at step {shown(step)}"

        def count(sentence: str) -> None:
            times, first = self._counted.get(part, (0, sentence.replace(at, "", 1)))
            self._counted[part] = (times + 1, first)
            self._warn(sentence)

        with contained(count, f"{part} {failed}{at}"):
            yield

    def told(self) -> str:
        """Return all that failed as one sentence, the most frequent first; empty where nothing did."""
        return "; ".join(
            f"{times} {'evaluation' if times == 1 else 'evaluations'} failed: {first}"
            for times, first in sorted(self._counted.values(), key=lambda one: -one[0])
        )
