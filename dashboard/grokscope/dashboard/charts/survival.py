"""The share of runs that have not reached a target yet, by cost, with the numbers still on their way."""

from typing import Any

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.palette import Colouring, layered

_HEIGHT = 240
_ROW = 16
_ABOVE = 44
_IN_A_ROW = 2
_DECADE = 10.0
"""Of the axis at least so much is shown: runs that are there within one per cent of each other look so."""
_SHARES = [0, 0.25, 0.5, 0.75, 1]


def survival_chart(
    curves: pl.DataFrame, at_risk: pl.DataFrame, *, colouring: Colouring, unit: str
) -> alt.LayerChart:
    """Return a step line a group on a log axis with its band, a mark where a run ended without the target.

    Under the axis stands, a row a group, how many runs were still on their way.

    Args:
        curves: ``group``, and ``cost, ended, share, low, high`` as a Kaplan–Meier estimate has them; a log
            axis has no place for rows at a cost of 0, which are left out.
        at_risk: ``group, cost, count``: the numbers to write under the plot.
        colouring: By group.
        unit: What costs are counted in.
    """
    curves, order = _from_the_left(curves.filter(pl.col("cost") > 0)), list(colouring.colours)
    key = colouring.keyed(columns=1 if len(order) > _IN_A_ROW else None)
    scale = alt.Scale(domain=[0, 1], nice=False)
    y = alt.Y("share:Q", title="share not there yet", scale=scale, axis=alt.Axis(values=_SHARES, format="%"))
    base = alt.Chart(curves)
    bands = base.mark_area(interpolate="step-after", opacity=0.15).encode(
        x=_x(unit), y=alt.Y("low:Q", scale=scale), y2=alt.Y2("high"), color=key
    )
    tips = [
        alt.Tooltip("group:N"),
        alt.Tooltip("cost:Q", title=unit, format=".3~s"),
        alt.Tooltip("share:Q", format=".0%"),
    ]
    lines = base.mark_line(interpolate="step-after", strokeWidth=2).encode(
        x=_x(unit), y=y, color=key, strokeDash=colouring.dash(), tooltip=tips
    )
    ended = (
        base.transform_filter(alt.datum.ended > 0)
        .mark_point(shape="stroke", angle=90, size=60, strokeWidth=1.6)
        .encode(x=_x(unit), y=y, color=key, tooltip=tips)
    )
    numbers = [
        alt.Chart(at_risk.filter((pl.col("group") == group) & (pl.col("cost") > 0)))
        .mark_text(fontSize=11, baseline="top")
        .encode(x=_x(unit), y=alt.YValue(_HEIGHT + _ABOVE + _ROW * row), text="count:Q", color=key)
        for row, group in enumerate(order)
    ]
    return layered([bands, lines, ended, *numbers], colouring.palette, height=_HEIGHT)


def _from_the_left(curves: pl.DataFrame) -> pl.DataFrame:
    """Return curves that begin at the left edge of the plot, where every run is still on its way."""
    least, most = curves["cost"].min(), curves["cost"].max()
    first = pl.min_horizontal(pl.lit(least) / 1.05, pl.lit(most) / _DECADE)
    starts = curves.select(
        pl.col("group").unique(),
        first.alias("cost"),
        *(pl.lit(1.0).alias(name) for name in ("share", "low", "high")),
    )
    return pl.concat([starts, curves], how="diagonal").sort("group", "cost", maintain_order=True)


def _x(unit: str) -> alt.X:
    axis: dict[str, Any] = {"format": "~s", "labelOverlap": True, "tickCount": 5}
    return alt.X("cost:Q", title=unit, scale=alt.Scale(type="log", nice=False), axis=alt.Axis(**axis))
