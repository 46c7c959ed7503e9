"""Single random numbers and choices."""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number drawn evenly between ``low`` and ``high``.

    >>> 2.0 <= between(np.random.default_rng(0), 2.0, 3.0) <= 3.0
    True
    """
    return float(rng.uniform(low, high))


def decades(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number whose logarithm is drawn evenly between those of ``low`` and ``high``, both positive.

    >>> 10.0 <= decades(np.random.default_rng(0), 10.0, 1e4) <= 1e4
    True
    """
    return math.exp(between(rng, math.log(low), math.log(high)))


def whole(rng: np.random.Generator, low: int, high: int) -> int:
    """Return a whole number from ``low`` to ``high``, both included; large spans are drawn by logarithm.

    >>> whole(np.random.default_rng(0), 3, 3)
    3
    """
    return min(high, int(decades(rng, low, high + 1)))


def pick(rng: np.random.Generator, choices: Sequence[T]) -> T:
    """Return one of ``choices``, each as likely.

    >>> pick(np.random.default_rng(0), ["only"])
    'only'
    """
    return choices[int(rng.integers(len(choices)))]


def happens(rng: np.random.Generator, probability: float) -> bool:
    """Return whether something of this probability happens.

    >>> happens(np.random.default_rng(0), 1.0)
    True
    """
    return bool(rng.random() < probability)
