"""Counters on the accuracies of a live run: when it is worth asking the engine again.

They mirror the levels that the engine's answer turns on, evaluation by evaluation; they decide nothing.
"""

from collections import deque

from grokscope.transitions.memorization import FITTED, MEMORIZED
from grokscope.transitions.rise import GENERALIZED, LOST, NEARLY

_ROWS = (2, 5)
"""Rows of evaluations that make a level sustained, in short logs and in long ones."""
_WINDOW, _USUAL = 11, 6
"""A running median over so many evaluations lies above a level if so many of them do."""


class Row:
    """How often in a row a level has held, and how often lately."""

    def __init__(self) -> None:
        self.length = 0
        self._lately: deque[bool] = deque(maxlen=_WINDOW)
        self._count = 0

    def take(self, *, holds: bool) -> bool:
        """Take one evaluation; return whether it is the one that may make the level sustained."""
        if len(self._lately) == _WINDOW:
            self._count -= self._lately[0]
        self._lately.append(holds)
        self._count += holds
        self.length = self.length + 1 if holds else 0
        return self.length in _ROWS or (holds and self._count == _USUAL)


class Levels:
    """Train fit, generalization and their loss.

    >>> levels = Levels()
    >>> [levels.train(value) for value in (0.5, 0.97, 0.98)], levels.is_fit
    ([False, False, True], True)
    """

    def __init__(self) -> None:
        self.is_fit = self.has_train = False
        self._train = {level: Row() for level in (FITTED, MEMORIZED)}
        self._test = {level: Row() for level in (NEARLY, GENERALIZED)}
        self._lost = {"train": Row(), "test": Row()}

    def train(self, value: float) -> bool:
        """Take train accuracy; return whether the engine's answer may have changed."""
        self.has_train = True
        news = [row.take(holds=value >= level) for level, row in self._train.items()]
        self.is_fit = self.is_fit or self._train[FITTED].length >= _ROWS[0]
        return any(news) or (self._lost["train"].take(holds=value < LOST) and self.is_fit)

    def test(self, value: float) -> bool:
        """Take held-out accuracy; return whether the engine's answer may have changed."""
        news = [row.take(holds=value >= level) for level, row in self._test.items()]
        was_up = self._test[NEARLY].length == 0 and value < LOST
        return any(news) or (self._lost["test"].take(holds=value < LOST) and was_up and self.is_fit)
