"""The y-axis that suits a metric: percent, shares, logarithmic or plain."""

import math
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.palette import Y_AXIS_WIDTH
from grokscope.schemas import Scale, Score, find_metric, score_of

_LOG_SCALES = frozenset({Scale.LOG, Scale.POSITIVE})
_IN_PER_CENT = frozenset({"exact_match", "success_rate"})
"""Besides accuracies; of other shares, such as F1, people say 0.83."""
_WHOLE = 1.001
"""A share that was averaged in single precision may pass 1 by a hair."""
_LOG_FROM_RATIO = 20
_FEWEST_TICKS, _MOST_TICKS = 2, 4
FARTHEST = 8e307
"""Where an axis ends at most: from there to its negative is still a number."""
_PLAIN = "format(datum.value, '.3~g')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """How the values of a metric are drawn.

    Attributes:
        low: Lower end of the axis.
        high: Upper end of the axis.
        log: Logarithmic or linear.
        share: From 0 to 1, whatever part of that the values take.
        percent: Said in percent.
    """

    low: float
    high: float
    log: bool = False
    share: bool = False
    percent: bool = False

    @property
    def said(self) -> str:
        """Return the format of a value under the pointer."""
        return ".1%" if self.percent else ".4~g"

    def encoding(self, *, title: str | None = None) -> alt.Y:
        """Return the y-channel of the column ``value``."""
        scale = alt.Scale(domain=[self.low, self.high], nice=False, type="log" if self.log else "linear")
        if self.share:
            said = ".0%" if self.percent else ".1~f"
            return alt.Y("value:Q", title=title, scale=scale, axis=_axis(format=said, values=[0, 0.5, 1]))
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
            low, high = math.log(self.low), math.log(self.high)
            return math.exp(low + place * (high - low))
        return self.low + place * (self.high - self.low)


def quantity_of(metric: str, values: pl.Series) -> Quantity:
    """Return how ``values`` of ``metric`` are best drawn.

    Scores between 0 and 1 over that whole range, accuracies in percent; losses, and measures that span more
    than a factor of 20, on a log axis where all values are above 0; all else from its low to its high.
    """
    score = _score(metric)
    low, high = _span(values)
    if score is not None and is_whole_share(score) and low >= 0 and high <= _WHOLE:
        # A little air, so that lines at 0 and 1 and the marks on them are not cut.
        return Quantity(low=-0.03, high=1.05, share=True, percent=is_in_percent(score.quantity))
    is_loss = score is not None and score.scale in _LOG_SCALES and not score.higher_is_better
    is_wide = score is None and low > 0 and high / low > _LOG_FROM_RATIO
    if low > 0 and (is_loss or is_wide):
        return Quantity(low=low / 1.15, high=min(high * 1.15, FARTHEST), log=True)
    air = (high - low) * 0.06 or abs(high) * 0.06 or 1.0
    return Quantity(low=max(low - air, -FARTHEST), high=min(high + air, FARTHEST))


def _score(metric: str) -> Score | None:
    known = find_metric(metric)
    return score_of(metric) if known is None or known.family == "curve" else None


def is_whole_share(score: Score) -> bool:
    """Return whether a score is drawn from 0 to 1; of errors, what is below a few per cent is to be seen."""
    return score.scale is Scale.SHARE and score.higher_is_better


def is_in_percent(quantity: str) -> bool:
    """Return whether a quantity is said in percent.

    >>> is_in_percent("top5_accuracy"), is_in_percent("f1")
    (True, False)
    """
    return quantity.endswith("accuracy") or quantity in _IN_PER_CENT


def quantity_name(metric: str) -> str:
    """Return the quantity that a curve is of; of a metric that is no score, the last part of its name.

    >>> quantity_name("test/accuracy"), quantity_name("acc/val_clean"), quantity_name("weights/norm")
    ('accuracy', 'accuracy', 'norm')
    """
    score = _score(metric)
    return metric.rpartition("/")[2] if score is None else score.quantity


def _span(values: pl.Series) -> tuple[float, float]:
    known = values.filter(values.is_finite()).clip(-FARTHEST, FARTHEST)
    low, high = known.min(), known.max()
    return (low, high) if isinstance(low, float) and isinstance(high, float) else (0.0, 1.0)


def _decades(low: float, high: float) -> list[float]:
    """Return at most four round values within the axis; where it holds less than two, its two ends.

    >>> _decades(0.01, 200.0), _decades(0.6, 6.4), _decades(2.1, 4.4)
    ([0.01, 1.0, 100.0], [1.0, 3.0], [2.415, 3.8260869565217397])
    """
    exponents = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    for factors in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0)):
        found = [f * 10.0**e for e in exponents for f in factors if low <= f * 10.0**e <= high]
        if len(found) >= _FEWEST_TICKS:
            every = math.ceil(len(found) / _MOST_TICKS)
            return found[::-every][::-1]
    return [low * 1.15, high / 1.15]


def titled(metric: str) -> str:
    """Return what to call the axis of a metric: its label, and its unit where it has one.

    >>> titled("test/accuracy"), titled("weights/effective_rank/embedding")
    ('test accuracy', 'effective rank (entropy of σ), embedding (dimensions)')
    """
    known = find_metric(metric)
    unit = "" if known is None or known.unit == "1" else f" ({known.unit})"
    return f"{label_of(metric)}{unit}"


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
