"""A number with its interval, or the reason why there is none."""

from dataclasses import dataclass


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
