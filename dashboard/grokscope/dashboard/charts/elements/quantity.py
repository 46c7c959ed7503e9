"""The y-axis that suits a metric: percent, logarithmic or plain."""

import math
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.palette import Y_AXIS_WIDTH
from grokscope.schemas import find_metric

_LOG = frozenset({"loss"})
_SHARES = frozenset({"accuracy"})
_LOG_FROM_RATIO = 20
_MOST_TICKS = 4
_PLAIN = "format(datum.value, '.3~g')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """How the values of a metric are drawn.

    Attributes:
        low: Lower end of the axis.
        high: Upper end of the axis.
        log: Logarithmic or linear.
        share: In percent.
    """

    low: float
    high: float
    log: bool = False
    share: bool = False

    def encoding(self, *, title: str | None = None) -> alt.Y:
        """Return the y-channel of the column ``value``."""
        scale = alt.Scale(domain=[self.low, self.high], nice=False, type="log" if self.log else "linear")
        if self.share:
            return alt.Y("value:Q", title=title, scale=scale, axis=_axis(format=".0%", values=[0, 0.5, 1]))
        ticks = {"values": _decades(self.low, self.high)} if self.log else {"tickCount": 3}
        return alt.Y("value:Q", title=title, scale=scale, axis=_axis(labelExpr=_PLAIN, **ticks))

    def place(self, value: float) -> float:
        """Return where ``value`` is drawn, 0 at the lower end and 1 at the upper."""
        low, high, at = (
            (math.log(v) for v in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        )
        return (at - low) / (high - low)

    def value_at(self, place: float) -> float:
        """Return the value that is drawn at ``place``: the inverse of ``place``."""
        if self.log:
            return math.exp(math.log(self.low) + place * math.log(self.high / self.low))
        return self.low + place * (self.high - self.low)


def quantity_of(metric: str, values: pl.Series) -> Quantity:
    """Return how ``values`` of ``metric`` are best drawn.

    Accuracy in percent over its whole range; losses, and what spans more than a factor of 20, on a log
    axis where all values are above 0; everything else from its own low to its own high.
    """
    known = find_metric(metric)
    name = known.quantity if known else metric.rpartition("/")[2]
    low, high = _span(values)
    if name in _SHARES and low >= 0 and high <= 1:
        # A little air, so that lines at 0 and 100 % and the marks on them are not cut.
        return Quantity(low=-0.03, high=1.05, share=True)
    if low > 0 and (name in _LOG or high / low > _LOG_FROM_RATIO):
        return Quantity(low=low / 1.15, high=high * 1.15, log=True)
    air = (high - low) * 0.06 or abs(high) * 0.06 or 1.0
    return Quantity(low=low - air, high=high + air)


def _span(values: pl.Series) -> tuple[float, float]:
    low, high = values.drop_nulls().min(), values.drop_nulls().max()
    return (low, high) if isinstance(low, float) and isinstance(high, float) else (0.0, 1.0)


def _decades(low: float, high: float) -> list[float]:
    """Return at most four powers of ten within the axis; where it holds none, its two ends."""
    exponents = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    every = math.ceil(len(exponents) / _MOST_TICKS) or 1
    return [10.0**e for e in exponents][::-every][::-1] or [low * 1.15, high / 1.15]


def _axis(**options: Any) -> alt.Axis:
    return alt.Axis(minExtent=Y_AXIS_WIDTH, maxExtent=Y_AXIS_WIDTH, **options)


def label_of(metric: str) -> str:
    """Return what to call a metric: the table's own label and where it is taken, else its key.

    >>> label_of("test/loss"), label_of("weights/norm"), label_of("my/own")
    ('test loss', 'weight norm', 'my/own')
    """
    known = find_metric(metric)
    if known is None:
        return metric
    family, _, rest = metric.partition("/")
    where = rest.partition("/")[2]
    split = f"{family} " if known.family == "curve" else ""
    return f"{split}{known.label}" + (f", {where}" if where else "")
