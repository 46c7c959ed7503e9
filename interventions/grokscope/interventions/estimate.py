"""A number with its interval, or the reason why there is none."""

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with the interval that covers it as often as ``level`` says.

    Attributes:
        value: The estimate; ``None`` where there is none, and ``missing`` says why.
        low, high: The interval; an end is ``None`` where it is unbounded or not known, and ``missing`` says
            which.
        level: Share of such intervals that cover the true value.
        method: Which interval it is, in the field's words: ``"Clopper-Pearson"``.
        missing: What could not be told, and why, in one sentence; ``None`` if nothing.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: str = ""
    missing: str | None = None


def exponential(estimate: Estimate, *, sign: int = 1) -> Estimate:
    """Return an estimate of a logarithm as one of the number, or of its inverse: exp(sign · estimate).

    >>> exponential(Estimate(value=0.0, low=-1.0), sign=-1)
    Estimate(value=1.0, low=None, high=2.718281828459045, level=0.95, method='', missing=None)
    """
    low, high = (estimate.low, estimate.high) if sign > 0 else (estimate.high, estimate.low)
    value, low, high = (None if end is None else math.exp(sign * end) for end in (estimate.value, low, high))
    return replace(estimate, value=value, low=low, high=high)
