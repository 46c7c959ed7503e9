"""The step axis: logarithmic by default, step 0 kept, equal in charts that are to be read together."""

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
from numpy.typing import NDArray

LINEAR_BELOW = 10
"""Steps below this lie almost evenly: on a plain log axis the first ten steps, where little happens to
curves that grok, would take a third of the width."""

# Constant: no text from outside is ever put into an expression.
_SHORT = "format(datum.value, '~s')"
_SIGNED = "format(datum.value, abs(datum.value) < 1 ? '.2~g' : '~s')"
_TIME = "timeFormat(datum.value, '%d %b %H:%M')"
STEP = "step"
THOUSANDTHS = "step (thousandths of the log's)"
_ROUND_DIGITS = 2
_DENSE_DECADES, _MOST_DECADES = 4, 16
_APART = 1.8
_SOMEWHAT_APART = 1.2
_LABELS = 7
_NICE = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepAxis:
    """An x-axis over optimizer steps, or over what they are counted in.

    Attributes:
        last: The axis ends here.
        first: It starts here.
        is_cut: Whether there may be steps beyond its ends, which are not drawn.
        log: Symmetric-log (``True``) or linear.
        labels: Whether it is labelled; of charts under each other only the last needs it.
        unit: What is counted, one of a fixed set of words; or, with a title, a text of others.
        in_thousandths: Steps are thousandths of those in the log, which the axis then says.
        linear_below: What lies below this lies almost evenly: of steps ten, of others what ten steps took.
        title: Below the axis; without one, its zero says what is counted.
        is_time: Milliseconds since 1970, drawn linearly.
    """

    last: float
    first: float = 0
    is_cut: bool = False
    log: bool = True
    labels: bool = True
    unit: str = STEP
    in_thousandths: bool = False
    linear_below: float = LINEAR_BELOW
    title: str | None = None
    is_time: bool = False

    def ticks(self) -> list[float]:
        """Return where the labels go; linear axes choose their own.

        >>> StepAxis(last=2500).ticks(), StepAxis(last=4_000_000).ticks()[-3:]
        ([0, 30, 100, 300, 1000, 2500], [100000, 1000000, 4000000])
        """
        if self.is_time or self.first < 0:
            return self._spaced()
        whole = self._marks()
        if not self.first:
            return whole
        inside = [mark for mark in whole if mark > self.first * _APART]
        return [self.first, *inside]

    def _marks(self) -> list[float]:
        lowest = math.ceil(math.log10(self.linear_below))
        highest = max(lowest, math.floor(math.log10(max(self.last, 1e-9))))
        decades = range(lowest, highest + 1, 1 + (highest - lowest) // _MOST_DECADES)
        factors = (1, 3) if len(decades) <= _DENSE_DECADES else (1,)
        # The first one would collide with "step 0", one near the end with the end's own.
        marks = [_power(factor, exponent) for exponent in decades for factor in factors][1:]
        end = [self.last] if self._is_round() else []
        inside = (
            [m for m in marks if m * _APART <= self.last] if end else [m for m in marks if m <= self.last]
        )
        if inside:
            return [0, *inside, *end]
        # The axis ends before the first of them: it is almost linear.
        return [0, *(m for m in _even(self.last) if not end or m * _SOMEWHAT_APART <= self.last), *end]

    def _spaced(self) -> list[float]:
        """Return labels of an axis that does not begin at 0: about evenly, 0 among them if it is there."""
        low, high = self.position(np.asarray([self.first, self.last], dtype=np.float64))
        places = np.linspace(float(low), float(high), _LABELS)
        if not self.log:
            return [float(p) for p in places]
        found: list[float] = (np.sign(places) * np.expm1(np.abs(places)) * self.linear_below).tolist()
        rounded = {0.0, *(float(f"{value:.1g}") for value in found)}
        return sorted(value for value in rounded if self.first <= value <= self.last)

    def _is_round(self) -> bool:
        """Whether the end is worth a label: a step with few digits."""
        is_whole = self.unit == STEP and self.last >= LINEAR_BELOW
        return is_whole and len(str(int(self.last)).rstrip("0")) <= _ROUND_DIGITS

    def position(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where steps lie on the axis, in arbitrary units."""
        return np.sign(steps) * np.log1p(np.abs(steps) / self.linear_below) if self.log else steps

    def _labels(self) -> str:
        # Units are a closed set: nothing from outside gets into the expression.
        if self.is_time:
            return _TIME
        zero = "0" if self.title else "step 0" if self.unit == STEP else f"0 {self.unit}"
        return f"datum.value === 0 ? '{zero}' : {_SIGNED if self.title else _SHORT}"

    def encoding(self, field: str = "step") -> alt.X:
        """Return the x-channel of a column of steps."""
        scale: dict[str, Any] = {"domain": [self.first, self.last or 1], "nice": False}
        if self.log:
            scale |= {"type": "symlog", "constant": self.linear_below}
        axis: dict[str, Any] = {
            "grid": False,
            "labelExpr": self._labels(),
            "labels": self.labels,
            "tickCount": 6,
            "labelOverlap": "greedy",
            "labelSeparation": 6,
        }
        if self.unit == STEP and not self.is_time:
            axis["tickMinStep"] = 1  # there is nothing between two steps
        if self.log:
            axis |= {"values": self.ticks(), "labelOverlap": False}
        if self.is_time:
            axis |= {"values": self.ticks()}
        title = self._title() if self.labels else None
        return alt.X(field, type="quantitative", title=title, scale=alt.Scale(**scale), axis=alt.Axis(**axis))

    @property
    def on_paper(self) -> str:
        """Return what is counted: a figure by itself has to say it."""
        return self._title() or self.unit

    def _title(self) -> str | None:
        return THOUSANDTHS if self._says_thousandths() else self.title

    def _says_thousandths(self) -> bool:
        return self.in_thousandths and self.unit == STEP

    def tooltip(self, field: str = "step", *, title: str | None = None) -> alt.Tooltip:
        """Return how a value on the axis is said under the pointer: steps in full, others in three digits."""
        said = ",d" if self.unit == STEP else ".3~s"
        unit = THOUSANDTHS if self._says_thousandths() else self.unit
        return alt.Tooltip(field, type="quantitative", title=title or unit, format=said)


def _even(last: float) -> list[float]:
    """Return round values between 0 and the end, at equal distances.

    >>> _even(50), _even(12)
    ([10.0, 20.0, 30.0, 40.0, 50.0], [2.0, 4.0, 6.0, 8.0, 10.0, 12.0])
    """
    if last < sys.float_info.min:  # an axis that ends where it begins, or before
        return []
    scale = 10.0 ** math.floor(math.log10(last))
    step = next(n * scale for n in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if last / (n * scale) <= _LABELS)
    return [round(step * i, 12) for i in range(1, math.floor(last / step) + 1)]


def _power(factor: int, exponent: int) -> float:
    return factor * 10**exponent if exponent >= 0 else factor * 10.0**exponent


def ceiling(steps: Iterable[int | None], planned: Iterable[int | None] = ()) -> int:
    """Return where an axis over ``steps`` ends: the planned end, or a round number that is not passed soon.

    A live chart whose axis grew with every point would be redrawn every second.

    >>> ceiling([130, None], [2500, None]), ceiling([2525]), ceiling([])
    (2500, 3000, 1)
    """
    reached = max((s for s in steps if s is not None), default=0)
    plan = max((s for s in planned if s is not None), default=0)
    if plan >= reached:
        return max(1, plan)
    scale = 10 ** math.floor(math.log10(reached))
    return math.ceil(next(n for n in _NICE if n * scale >= reached) * scale)
