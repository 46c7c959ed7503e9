"""Rises whose every date is known in closed form, and sums of them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from grokscope.transitions.curves.series import Floats, Integers
from grokscope.transitions.evaluation.synthetic import DISTRIBUTIONS, QUANTILES, Shape

HALVINGS = 60
"""Of an interval of many decades: what is left is beyond the precision of a number."""
STRAIGHT, FAST_START = "straight", "fast start"
_QUANTILES: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {**QUANTILES, STRAIGHT: float, FAST_START: lambda p: float(-np.log(1 - p))}
)
_DISTRIBUTIONS: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        **DISTRIBUTIONS,
        STRAIGHT: lambda z: np.clip(z, 0.0, 1.0),
        FAST_START: lambda z: 1.0 - np.exp(-np.maximum(z, 0.0)),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """A rise from 0 to 1 over steps.

    Attributes:
        at: Step of its half.
        width: From 10 % to 90 %: in decades of steps, or as a multiple of ``at`` if ``is_linear``.
        shape: Its distribution function: a ``Shape``, ``STRAIGHT`` or ``FAST_START``.
        is_linear: It follows that function in the step, not in the step's logarithm.
    """

    at: float
    width: float
    shape: str = Shape.LOGISTIC
    is_linear: bool = False

    def share(self, steps: Integers | Floats) -> Floats:
        """Return how much of it is done at each of ``steps``, shape (n,); nothing at step 0.

        >>> Rise(at=100.0, width=0.5).share(np.array([0, 100])).tolist()
        [0.0, 0.5]
        """
        axis = np.asarray(steps, dtype=np.float64) / self.at
        passed = axis - 1 if self.is_linear else np.log(np.maximum(axis, 1e-12))
        done = _DISTRIBUTIONS[self.shape](passed / self._unit + _QUANTILES[self.shape](0.5))
        return np.where(axis > 0, done, 0.0)

    def step_of(self, share: float) -> float:
        """Return the step at which ``share`` of it is done, 0 < share < 1.

        >>> Rise(at=1000.0, width=1.0).step_of(0.1).__round__()
        316
        """
        quantile = _QUANTILES[self.shape]
        passed = self._unit * (quantile(share) - quantile(0.5))
        return float(self.at * (1 + passed if self.is_linear else np.exp(passed)))

    @property
    def _unit(self) -> float:
        quantile = _QUANTILES[self.shape]
        return self.width * (1 if self.is_linear else np.log(10)) / (quantile(0.9) - quantile(0.1))


def straight(begin: float, end: float) -> Rise:
    """Return the rise that is straight in log step from ``begin`` to ``end``.

    >>> straight(10.0, 1000.0).share(np.array([10, 100, 1000])).round(6).tolist()
    [0.0, 0.5, 1.0]
    """
    return Rise(at=(begin * end) ** 0.5, width=0.8 * math.log10(end / begin), shape=STRAIGHT)


def relaxing(half: float) -> Rise:
    """Return the rise from step 0 on that leaves half of the rest every ``half`` steps.

    >>> relaxing(10.0).share(np.array([0, 10, 20])).round(6).tolist()
    [0.0, 0.5, 0.75]
    """
    return Rise(at=half, width=math.log(9) / math.log(2), shape=FAST_START, is_linear=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """Rises one after another; each brings its ``heights`` share of the whole, and these sum to 1."""

    rises: tuple[Rise, ...]
    heights: tuple[float, ...]

    def share(self, steps: Integers | Floats) -> Floats:
        """Return how much of all of them is done at each of ``steps``, shape (n,)."""
        parts = zip(self.heights, self.rises, strict=True)
        return np.sum([height * rise.share(steps) for height, rise in parts], axis=0)

    def step_of(self, share: float) -> float:
        """Return the step at which ``share`` of them is done, to a millionth.

        >>> one = Rise(at=1000.0, width=0.5)
        >>> Stages(rises=(one, one), heights=(0.3, 0.7)).step_of(0.5).__round__()
        1000
        """
        low = min(rise.step_of(1e-6) for rise in self.rises)
        high = max(rise.step_of(1 - 1e-6) for rise in self.rises)
        for _ in range(HALVINGS):
            middle = (low * high) ** 0.5
            is_done = self.share(np.array([middle]))[0] >= share
            low, high = (low, middle) if is_done else (middle, high)
        return (low * high) ** 0.5
