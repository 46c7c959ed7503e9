"""Counters on the accuracies of a live run: when it is worth running the engine again.

They mirror the levels that the engine's answer turns on, evaluation by evaluation; they decide nothing.
"""

import math
from collections.abc import Collection, Mapping

from grokscope.schemas import Kind, score_of
from grokscope.transitions.curves.series import SHORT
from grokscope.transitions.events.collapse import CHRONIC_SHARE, OFTEN
from grokscope.transitions.events.completion import GENERALIZED, LOST, NEARLY
from grokscope.transitions.events.memorization import FITTED, MEMORIZED

FEW, MANY = 2, 5
"""Rows of evaluations that make a level sustained, in short logs and in long ones."""
_WINDOW, _USUAL = 0x7FF, 6
"""Bits of the last eleven evaluations; a running median over them lies above a level if six of them do."""
_DIPS = 4


class Row:
    """How often in a row a level has held, and how often lately."""

    __slots__ = ("_lately", "_seen", "length")

    def __init__(self) -> None:
        self.length = self._lately = self._seen = 0

    def add(self, *, holds: bool) -> bool:
        """Take one evaluation; return whether it is the one that makes the level sustained."""
        self._seen += 1
        self._lately = (self._lately << 1 | holds) & _WINDOW
        if not holds:
            self.length = 0
            return False
        self.length += 1
        return self.length == (MANY if self._seen >= SHORT else FEW) or self._lately.bit_count() == _USUAL


class Dips:
    """How often a level that was held has been lost, single evaluations included."""

    __slots__ = ("_lost", "_seen", "_share")

    def __init__(self, *, share: float) -> None:
        self._seen = self._lost = 0
        self._share = share

    def add(self, *, is_lost: bool) -> bool:
        """Take one evaluation since the level was held; return whether dips have become twice as many."""
        self._seen += 1
        self._lost += is_lost
        is_round = self._lost >= _DIPS and self._lost.bit_count() == 1  # 4, 8, 16, ...
        return is_lost and is_round and self._lost >= self._share * self._seen


class Triggers:
    """Train fit, generalization, their loss and their return, and curves that are no numbers any more.

    >>> triggers = Triggers()
    >>> [triggers.train(value, reported=()) for value in (0.5, 0.97, 0.999, 1.0)], triggers.is_fit
    ([False, False, False, True], True)
    """

    def __init__(self) -> None:
        self.is_fit = self.has_train = False
        self._fitted, self._memorized, self._train_lost = Row(), Row(), Row()
        self._nearly, self._generalized, self._test_lost = Row(), Row(), Row()
        self._train_dips, self._test_dips = Dips(share=OFTEN), Dips(share=CHRONIC_SHARE)
        self._was_up = self._is_train_back = self._is_test_back = False
        self._numberless = Row()

    def update(self, values: Mapping[str, float], *, test: str, reported: Collection[Kind]) -> bool:
        """Take one evaluation; return whether the engine's answer may have changed.

        Args:
            values: Canonical key -> value, as shares.
            test: Key of the held-out accuracy.
            reported: Kinds of event that stand.
        """
        has_news = self._is_lost(values, reported)
        train, held_out = values.get("train/accuracy"), values.get(test)
        if train is not None and math.isfinite(train):
            has_news |= self.train(train, reported=reported)
        if held_out is not None and math.isfinite(held_out):
            has_news |= self.test(held_out, reported=reported)
        return has_news

    def train(self, value: float, *, reported: Collection[Kind]) -> bool:
        """Take train accuracy; return whether the engine's answer may have changed."""
        self.has_train = True
        is_memorized = self._memorized.add(holds=value >= MEMORIZED) and Kind.MEMORIZATION not in reported
        is_back = self._fitted.add(holds=value >= FITTED) and self._is_train_back
        is_lost = self._train_lost.add(holds=value < LOST) and self.is_fit
        is_lost |= self.is_fit and self._train_dips.add(is_lost=value < LOST)
        self.is_fit = self.is_fit or self._fitted.length >= FEW
        self._is_train_back = (self._is_train_back or value < LOST) and self.is_fit and not is_back
        return is_memorized or is_back or (is_lost and Kind.COLLAPSE not in reported)

    def test(self, value: float, *, reported: Collection[Kind]) -> bool:
        """Take held-out accuracy; return whether the engine's answer may have changed."""
        is_nearly = self._nearly.add(holds=value >= NEARLY)
        is_up = self._generalized.add(holds=value >= GENERALIZED) or is_nearly
        self._was_up = self._was_up or is_up
        is_lost = self._test_lost.add(holds=value < LOST) and self._was_up
        is_often_lost = self._was_up and self._test_dips.add(is_lost=value < LOST)
        is_back, self._is_test_back = (
            is_up and self._is_test_back,
            (self._is_test_back or is_lost) and not is_up,
        )
        is_new = is_up and Kind.GENERALIZATION not in reported
        return is_new or is_back or ((is_lost or is_often_lost) and Kind.COLLAPSE not in reported)

    def _is_lost(self, values: Mapping[str, float], reported: Collection[Kind]) -> bool:
        """Return whether losses or accuracies have stopped, or begun again, to be numbers."""
        scores = [value for name, value in values.items() if score_of(name) is not None]
        if not scores:
            return False
        is_finite = math.isfinite(sum(scores))
        is_sustained = self._numberless.add(holds=not is_finite)
        return is_finite if Kind.DIVERGENCE in reported else is_sustained
