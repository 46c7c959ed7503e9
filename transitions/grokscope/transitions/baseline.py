"""The level that a live score has to exceed, fixed before the first bet."""

SETTLING = 5
"""Evaluations after the train fit that fix the level."""
DEVIATIONS = 2.0
"""... at so many of their standard deviations above their mean, where that is more than the margin: what
autocorrelated noise can foretell of itself is to lie below."""
_EDGE = 1e-3


class Baseline:
    """Fixes m₀ and never touches it again.

    Args:
        margin: Distance from the settled level that is of no interest.
        known: The level, if it is known without looking.

    >>> baseline = Baseline(margin=0.05)
    >>> for score in (0.1, 0.1, 0.1, 0.1, 0.1):
    ...     baseline.settle(score)
    >>> round(baseline.level, 3)
    0.15
    """

    def __init__(self, *, margin: float, known: float | None = None) -> None:
        self.margin = margin
        self.level = None if known is None else _inside(known + margin)
        self._scores: list[float] = []

    def settle(self, score: float) -> None:
        """Take one of the first scores; the last of them fixes ``level``."""
        self._scores.append(min(max(score, 0.0), 1.0))
        if len(self._scores) < SETTLING:
            return
        mean = sum(self._scores) / SETTLING
        variance = sum((s - mean) ** 2 for s in self._scores) / (SETTLING - 1)
        self.level = _inside(mean + max(self.margin, DEVIATIONS * variance**0.5))
        self._scores.clear()


def _inside(level: float) -> float:
    return min(max(level, _EDGE), 1 - _EDGE)
