"""A target: a metric and the level that it must reach."""

import math
import re
from dataclasses import dataclass
from typing import Literal, Self

import polars as pl

from grokscope.schemas import GrokscopeError

_WRITTEN = re.compile(r"(?P<metric>[^<>=≤≥]+)(?P<sign><=|>=|≤|≥)(?P<level>[^<>=≤≥]+)")
_SIGNS: dict[str, Literal["<=", ">="]] = {"<=": "<=", ">=": ">=", "≤": "<=", "≥": ">="}


class TargetError(GrokscopeError):
    """A target that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A metric and the level that a run must reach.

    Attributes:
        metric: Name of the curve.
        sign: ``">="`` where high values are good, ``"<="`` where low ones are.
        level: In the metric's unit.
        sustained: Reached where the level holds at ``SUSTAINED`` evaluations in a row (or at all that are
            left, which are at least two); else at the first evaluation that has it.
    """

    metric: str
    sign: Literal[">=", "<="]
    level: float
    sustained: bool = False

    @classmethod
    def parse(cls, text: str, *, sustained: bool = False) -> Self:
        """Read ``METRIC>=VALUE`` or ``METRIC<=VALUE``.

        Raises:
            TargetError: If it is neither, or the value is no finite number.

        >>> Target.parse("val_loss <= 3.28")
        Target(metric='val_loss', sign='<=', level=3.28, sustained=False)
        """
        found = _WRITTEN.fullmatch(text)
        try:
            level = float(found["level"]) if found else math.nan
        except ValueError:
            level = math.nan
        if found is None or not found["metric"].strip() or not math.isfinite(level):
            raise TargetError(
                f"a target is METRIC>=VALUE or METRIC<=VALUE, got {text!r}; write, say, 'val_loss<=3.28'"
            )
        return cls(
            metric=found["metric"].strip(), sign=_SIGNS[found["sign"]], level=level, sustained=sustained
        )

    @property
    def is_upward(self) -> bool:
        """Whether high values are good."""
        return self.sign == ">="

    def is_met(self, values: pl.Expr) -> pl.Expr:
        """Return at which of ``values`` the level is reached; NaN never is, +Inf counts as a number."""
        met = values >= self.level if self.is_upward else values <= self.level
        return met & values.is_not_nan()

    def __str__(self) -> str:
        """Return it as it is written.

        >>> str(Target(metric="test/accuracy", sign=">=", level=0.95))
        'test/accuracy>=0.95'
        """
        return f"{self.metric}{self.sign}{self.level:g}"


SUSTAINED = 3
"""Evaluations in a row that a sustained target must hold at."""
