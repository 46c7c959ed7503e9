"""What each run spent until it generalized, a row a group: the cheapest on top."""

import math
from typing import Any

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.palette import Colouring, layered

_ROW = 44
_ABOVE = -15
"""A row's name stands so far above its line, in pixels: beside it, it would leave a phone no room."""

_FAR = 30
"""Costs that lie further apart than this factor are drawn on a log axis."""

# Constant: no text from outside is ever put into an expression.
_AMOUNT = "datum.value === 0 ? '0' : format(datum.value, '~s')"


def costs_chart(
    costs: pl.DataFrame, groups: pl.DataFrame, *, colouring: Colouring, symbol: str
) -> alt.LayerChart:
    """Return a disc a run that got there, a hollow arrow a run that has not, and a bar at the group's median.

    Args:
        costs: ``run, group, reached, cost, low, high``.
        groups: ``group, median, said`` in the order of the rows; ``said`` is what stands above the row.
        colouring: By group.
        symbol: What costs are counted in.
    """
    order = groups["group"].to_list()
    # Positions alone: names stand in the plot.
    y = alt.Y("group:N", sort=order, title=None, scale=alt.Scale(domain=order), axis=None)
    x = _x(costs, "cost")
    tooltip = [alt.Tooltip("run:N", title="run"), alt.Tooltip("cost:Q", title=symbol, format=".3~s")]
    base = alt.Chart(costs).encode(y=y, color=colouring.color())
    got = base.transform_filter(alt.datum.reached)
    spans = got.mark_rule(strokeWidth=7, opacity=0.25).encode(x=_x(costs, "low"), x2=alt.X2("high"))
    discs = got.mark_point(filled=True, size=64, opacity=0.8).encode(x=x, tooltip=tooltip)
    arrows = (
        base.transform_filter(~alt.datum.reached)
        .mark_point(shape="triangle-right", size=64, strokeWidth=1.6, opacity=0.9)
        .encode(x=x, tooltip=tooltip)
    )
    of_groups = alt.Chart(groups).encode(y=y)
    lines = of_groups.mark_rule(strokeWidth=1, opacity=0.35).encode(
        x=alt.XValue(0), x2=alt.X2Value("width"), color=colouring.color()
    )
    median = alt.Tooltip("median:Q", title=f"median {symbol}", format=".3~s")
    medians = (
        alt.Chart(groups.drop_nulls("median"))
        .mark_tick(thickness=2.5, height=18, color=colouring.palette.ink, opacity=1)
        .encode(y=y, x=_x(costs, "median"), tooltip=["group:N", median])
    )
    names = of_groups.mark_text(align="left", baseline="middle", dy=_ABOVE, fontSize=12, fontWeight=600)
    said = names.encode(x=alt.XValue(0), text=alt.Text("said:N"), color=colouring.color())
    layers = [lines, spans, arrows, discs, medians, said]
    height = _ROW * max(1, len(order))
    return layered(layers, colouring.palette, height=height, titles={"x": symbol})


def _x(costs: pl.DataFrame, field: str) -> alt.X:
    low, high = costs["low"].min(), costs["high"].max()
    least, most = (float(v) if isinstance(v, int | float) else 1.0 for v in (low, high))
    # From 0 on, lengths can be compared; where they would all lie at 0, their ratios are.
    is_far = 0 < least * _FAR < most
    domain = [least / 1.2, most * 1.2] if is_far else [0, most * 1.04 or 1.0]
    scale = alt.Scale(type="log" if is_far else "linear", domain=domain, nice=False)
    ticks: dict[str, Any] = {"values": _decades(*domain)} if is_far else {"tickCount": 6}
    axis = alt.Axis(labelExpr=_AMOUNT, grid=True, labelOverlap="greedy", labelSeparation=8, **ticks)
    return alt.X(field, type="quantitative", title=None, scale=scale, axis=axis)


def _decades(low: float, high: float) -> list[float]:
    """Return 1 and 3 of every power of ten within the axis."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    marks = [factor * 10.0**exponent for exponent in exponents for factor in (1, 3)]
    return [mark for mark in marks if low <= mark <= high]
