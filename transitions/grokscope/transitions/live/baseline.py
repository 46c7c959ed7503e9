"""The level that a live score has to exceed: what was seen before it, never the score itself."""

SETTLING = 5
"""Evaluations after the train fit before the first bet."""
DEVIATIONS = 2.5
"""The level lies so many standard deviations above the mean, where that is more than the margin: the
part of autocorrelated noise that its own past predicts is to lie below."""
_EDGE = 1e-3


class Baseline:
    """The level m_t, known before evaluation t.

        m_t = mean + max(margin, 2.5 sd)    of min(x_i, m_i) over all i < t

    Scores are cut at the level of their day, so that a rise lifts it only slowly while noise that wanders for
    long carries it along.

    Args:
        margin: Distance from the mean that is of no interest.
        known: The level less the margin, if it is known without looking; it then stays as it is.

    >>> baseline = Baseline(margin=0.05)
    >>> for score in (0.1, 0.1, 0.1, 0.1, 0.1):
    ...     baseline.add(score)
    >>> round(baseline.level, 3)
    0.15
    """

    def __init__(self, *, margin: float, known: float | None = None) -> None:
        self.margin = margin
        self.known = known
        self.level = None if known is None else _inside(known + margin)
        self._seen = 0
        self._mean = self._squares = 0.0

    def add(self, score: float) -> None:
        """Add a score in 0..1; ``level`` is that of the next one."""
        if self.known is not None:
            return
        if self.level is not None and score > self.level:
            score = self.level
        self._seen += 1
        distance = score - self._mean
        self._mean += distance / self._seen
        self._squares += distance * (score - self._mean)
        if self._seen >= SETTLING:
            deviation = (self._squares / (self._seen - 1)) ** 0.5
            self.level = _inside(self._mean + max(self.margin, DEVIATIONS * deviation))


def _inside(level: float) -> float:
    return min(max(level, _EDGE), 1 - _EDGE)
