"""One metric over many runs, as one of several charts that are read together."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.averages import AVERAGE_SCHEMA
from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.marks import mark_layer
from grokscope.dashboard.charts.elements.more_marks import interval_layer
from grokscope.dashboard.charts.elements.outliers import outlying
from grokscope.dashboard.charts.elements.palette import Colouring, layered
from grokscope.dashboard.charts.elements.quantity import Quantity, label_of, quantity_of
from grokscope.dashboard.charts.linked import Line, LinkedChart
from grokscope.schemas import find_metric

YScale = Literal["auto", "linear", "log"]
HEIGHTS: Mapping[int, int] = {1: 380, 2: 260, 3: 210, 4: 180}
"""Of a plot, in pixels, by how many stand in a row."""

_TOOLS = ("left", "right", "remove")
_TOOLS_OF_ROW = ("up", "down", "remove")

_DIGITS = 6
_CENTRE_WIDTH = 2.4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    width: float
    opacity: float
    is_read: bool = False


_OF_MEMBERS = _Style(width=0.8, opacity=0.32)
_OF_RUNS = _Style(width=1.5, opacity=0.95, is_read=True)
_OF_RAW = _Style(width=0.7, opacity=0.22)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some of the runs, drawn beside the others.

    Attributes:
        name: What is common to them.
        key: Tells the charts of one metric apart; ``""`` of the first one, which stands for all of them.
        extent: ``run_id, value`` of all parts: their y-axes are the same, so that they can be compared.
    """

    name: str
    key: str
    extent: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What is drawn of one metric.

    Attributes:
        metric: Its name.
        title: Above the chart.
        points: ``run_id, run, group, step, value``, thinned; ``step`` is a place on the x-axis. With a column
            ``x`` of places, each run is a path from step to step.
        raw: The same before smoothing, drawn faint; without rows if nothing was smoothed.
        averages: ``AVERAGE_SCHEMA``; with rows, they are what is read off and the runs are faint.
        marks: ``MARKS_SCHEMA`` with ``run`` and ``group``.
        has_members: Whether runs are drawn behind averages.
        part: Which of the runs they are; ``None`` for all.
    """

    metric: str
    title: str
    points: pl.DataFrame
    raw: pl.DataFrame
    averages: pl.DataFrame
    marks: pl.DataFrame
    has_members: bool = True
    part: Part | None = None

    @property
    def key(self) -> str:
        """Return the name of its chart."""
        return f"metric:{self.metric}{self.part.key if self.part else ''}"

    @property
    def begins_row(self) -> bool:
        """Return whether it is the first of several parts."""
        return self.part is not None and not self.part.key

    @property
    def tools(self) -> tuple[str, ...]:
        """Return what can be done with its chart, or with the row of parts that it begins."""
        return _TOOLS if self.part is None else _TOOLS_OF_ROW if self.begins_row else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How all charts are drawn.

    Attributes:
        axis: Their x-axis.
        colouring: By ``group`` or by ``run``.
        dashes: By value of the colouring's column; a full line without.
        y: Scale of the y-axes.
        has_outliers: Whether these hold runs far beyond all others, too.
        columns: Charts in a row.
    """

    axis: StepAxis
    colouring: Colouring
    dashes: Mapping[str, tuple[float, ...]] = field(default_factory=dict[str, tuple[float, ...]])
    y: YScale = "auto"
    has_outliers: bool = False
    columns: int = 2


def compared_chart(compared: Compared, look: Look) -> LinkedChart:
    """Return the chart: Vega-Lite for axes, marks and intervals, numbers for the curves."""
    quantity = _quantity(compared, look)
    return LinkedChart(
        key=compared.key,
        title=compared.title,
        text=f"{compared.title} over {look.axis.title or look.axis.unit} of {runs_of(compared):,} runs",
        spec=_frame(compared, quantity, look),
        lines=_lines(compared, look, is_log=quantity.log),
        format="percent" if quantity.percent else "number",
        begins_row=compared.begins_row,
        tools=compared.tools,
    )


def y_title(metric: str, *, is_log: bool) -> str:
    """Return what stands beside a y-axis: what is measured, in which unit, and that a scale is logarithmic.

    >>> y_title("weights/norm", is_log=True), y_title("my/own", is_log=False)
    ('weight norm, log scale', 'my/own')
    """
    known = find_metric(metric)
    label = known.label if known is not None else label_of(metric).rpartition("held-out/")[2]
    unit = f" ({known.unit})" if known is not None and known.unit not in ("1", "") else ""
    return f"{label}{unit}{', log scale' if is_log else ''}"


def runs_of(compared: Compared) -> int:
    """Return how many runs are drawn."""
    return compared.points["run_id"].n_unique()


def cut_runs(compared: Compared, look: Look) -> list[str]:
    """Return the runs that go beyond the y-axis, since it would hold nothing else that can be read."""
    extent = _extent(compared)
    quantity = _scaled(compared.metric, extent["value"], look.y)
    return [] if look.has_outliers or quantity.share else outlying(extent, log=quantity.log)


def _quantity(compared: Compared, look: Look) -> Quantity:
    cut = cut_runs(compared, look)
    extent = _extent(compared).filter(~pl.col("run_id").is_in(cut))
    return _scaled(compared.metric, extent["value"], look.y)


def _extent(compared: Compared) -> pl.DataFrame:
    drawn = compared.raw if compared.raw.height else compared.points
    extent = compared.part.extent if compared.part else drawn
    return extent.select("run_id", pl.col("value").cast(pl.Float64))


def _scaled(metric: str, values: pl.Series, y: YScale) -> Quantity:
    quantity = quantity_of(metric, values)
    if y == "auto" or quantity.log == (y == "log"):
        return quantity
    known = values.drop_nulls()
    if y == "linear":
        low, high = known.min(), known.max()
        low, high = float(str(low)), float(str(high))
        air = (high - low) * 0.06 or abs(high) * 0.06 or 1.0
        return replace(quantity, log=False, low=low - air, high=high + air)
    above = known.filter(known > 0)
    if above.is_empty():
        return quantity
    low, high = float(str(above.min())), float(str(above.max()))
    return Quantity(low=low / 1.15, high=high * 1.15, log=True, percent=quantity.percent)


def _frame(compared: Compared, quantity: Quantity, look: Look) -> dict[str, object]:
    """Return axes, intervals and marks; what is dated beyond the y-axis stands at its end."""
    corner = pl.DataFrame({"step": [float(look.axis.first)], "value": [quantity.low]})
    y = quantity.encoding(title=y_title(compared.metric, is_log=quantity.log))
    anchor = alt.Chart(corner).mark_point(opacity=0, tooltip=None).encode(x=look.axis.encoding(), y=y)
    marks = compared.marks.with_columns(pl.col("value").clip(quantity.low, quantity.high))
    layers = [
        anchor,
        interval_layer(marks, look.axis, look.colouring),
        mark_layer(marks, look.axis, look.colouring),
    ]
    titles = {"x": look.axis.on_paper, "y": compared.title}
    chart = layered(layers, look.colouring.palette, height=HEIGHTS[look.columns], titles=titles)
    return chart.to_dict(validate=False)


def _lines(compared: Compared, look: Look, *, is_log: bool) -> list[Line]:
    by_group = compared.averages.height > 0
    lines = _of_runs(compared.raw, look, _OF_RAW, is_log=is_log)
    if not by_group:
        return [*lines, *_of_runs(compared.points, look, _OF_RUNS, is_log=is_log)]
    if not compared.has_members:
        lines = []
    elif not lines:
        lines = _of_runs(compared.points, look, _OF_MEMBERS, is_log=is_log)
    return [*lines, *_of_groups(compared.averages, look, is_log=is_log)]


def _of_runs(points: pl.DataFrame, look: Look, style: _Style, *, is_log: bool) -> list[Line]:
    is_path = "x" in points.columns
    frame = points.sort("run_id", "step").select(
        "run_id",
        "run",
        pl.col(look.colouring.field).cast(pl.String).alias("of"),
        _place(points, "x" if is_path else "step").alias("at"),
        _place(points, "step").alias("steps"),
        _value("value", is_log=is_log),
    )
    lines = frame.group_by("run_id", maintain_order=True).agg(pl.first("run", "of"), "at", "steps", "value")
    return [
        Line(
            key=str(key),
            name=str(name),
            group=str(group),
            color=_colour(str(group), look),
            dash=look.dashes.get(str(group), ()),
            width=style.width,
            opacity=style.opacity,
            is_read=style.is_read,
            x=at,
            y=values,
            steps=steps if is_path else None,
        )
        for key, name, group, at, steps, values in lines.iter_rows()
    ]


def _of_groups(averages: pl.DataFrame, look: Look, *, is_log: bool) -> list[Line]:
    levels = [_value(name, is_log=is_log) for name in ("mean", "low", "high")]
    frame = averages.sort("group", "step").select("group", _place(averages, "step"), *levels, "runs")
    columns = frame.group_by("group", maintain_order=True).agg("step", "mean", "low", "high", "runs")
    lines = {str(row[0]): _of_group(row, look) for row in columns.iter_rows()}
    order = [name for name in look.colouring.colours if name in lines]
    return [lines[name] for name in [*order, *(name for name in lines if name not in order)]]


def _of_group(row: tuple[Any, ...], look: Look) -> Line:
    group, (steps, mean, low, high, runs) = str(row[0]), row[1:]
    has_band = any(end is not None for end in low)
    return Line(
        key=group,
        name=group,
        group=group,
        color=_colour(group, look),
        dash=look.dashes.get(group, ()),
        width=_CENTRE_WIDTH,
        x=steps,
        y=mean,
        low=low if has_band else None,
        high=high if has_band else None,
        count=runs,
    )


def _colour(name: str, look: Look) -> str:
    return look.colouring.colours.get(name, look.colouring.palette.muted)


def _place(frame: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name) if frame.schema[name].is_integer() else pl.col(name).round_sig_figs(15)


def _value(name: str, *, is_log: bool) -> pl.Expr:
    """Return numbers without digits that nobody sees; what a logarithmic axis cannot show is a gap."""
    short = pl.col(name).cast(pl.Float64).round_sig_figs(_DIGITS)
    is_seen = short.is_finite() & (short > 0) if is_log else short.is_finite()
    return pl.when(is_seen).then(short).alias(name)


def no_averages() -> pl.DataFrame:
    """Return averages without a row, for charts by run."""
    return AVERAGE_SCHEMA.to_frame()
