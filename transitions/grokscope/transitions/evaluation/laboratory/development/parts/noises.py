"""Noise as evaluations have it: of finite sets, of wandering models, cut off at the ends of a scale."""

import math
from dataclasses import dataclass

import numpy as np

from grokscope.transitions.curves.noise import autoregressive
from grokscope.transitions.curves.series import Floats

_FAR_FROM_ENDS = 0.0004
"""p (1 - p) never counts as less: a score near its end still moves a little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Noise of one curve.

    Attributes:
        size: Standard deviation of what one evaluation adds, in the score's unit, half-way between its ends.
        persistence: Autocorrelation between an evaluation and the next, in [0, 1).
        examples: Of the set that is evaluated: the score is a count of these; ``None``: very many.
    """

    size: float = 0.01
    persistence: float = 0.0
    examples: int | None = None

    def on_shares(self, shares: Floats, rng: np.random.Generator) -> Floats:
        """Return ``shares`` in [0, 1] as they are measured, within the same limits, shape (n,).

        >>> Noise(size=0.0, examples=4).on_shares(np.ones(2), np.random.default_rng(0)).tolist()
        [1.0, 1.0]
        """
        room = 2 * np.sqrt(np.clip(shares * (1 - shares), _FAR_FROM_ENDS, 0.25))
        seen = np.clip(shares + room * self._drawn(len(shares), rng), 0.0, 1.0)
        if self.examples is None:
            return seen
        counts = rng.binomial(self.examples, seen)
        return counts / self.examples

    def _drawn(self, count: int, rng: np.random.Generator) -> Floats:
        return autoregressive(rng.normal(0.0, self.size, count), persistence=self.persistence)


def any_noise(rng: np.random.Generator, *, most: float = 0.03) -> Noise:
    """Return noise as most logs have it: little, of a finite set, or with some persistence."""
    size = math.exp(rng.uniform(math.log(0.001), math.log(most)))
    kind = int(rng.integers(3))
    if kind == 0:
        return Noise(size=size)
    if kind == 1:
        return Noise(size=size / 2, examples=int(rng.choice([500, 1000, 5000, 10_000])))
    return Noise(size=size, persistence=float(rng.uniform(0.2, 0.7)))
