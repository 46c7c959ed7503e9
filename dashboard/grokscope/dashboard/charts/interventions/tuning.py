"""What the cheapest of so many runs costs, a line a group over the number of runs, with its band."""

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.palette import Colouring, layered

_HEIGHT = 220


def tuning_chart(curves: pl.DataFrame, *, colouring: Colouring, unit: str) -> alt.LayerChart:
    """Return the curves.

    Args:
        curves: ``CURVE`` of ``contrasts.tuning``; a number of runs whose median is not known breaks the line.
        colouring: By group.
        unit: Of the costs.
    """
    most = int(str(curves["trials"].max() or 1))
    x = alt.X(
        "trials:Q",
        title="runs that the best is taken of",
        scale=alt.Scale(domain=[1, most], nice=False),
        axis=alt.Axis(format="d", tickMinStep=1, tickCount=10),
    )
    axis = alt.Axis(format="~s", tickCount=5)
    scale = alt.Scale(zero=False, padding=8)
    y = alt.Y("median:Q", title=f"{unit}, median of the best", scale=scale, axis=axis)
    tooltip = [
        alt.Tooltip("group:N"),
        alt.Tooltip("trials:Q", title="best of"),
        *(alt.Tooltip(f"{name}:Q", format=".3~s") for name in ("median", "low", "high")),
        alt.Tooltip("reached:Q", title="chance that one is there", format=".0%"),
    ]
    bounded = alt.Chart(curves.drop_nulls(["low", "high"]))
    band = bounded.mark_area(opacity=0.12).encode(
        x=x, y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q", color=colouring.color()
    )
    lines = alt.Chart(curves.drop_nulls("median")).mark_line(strokeWidth=2, point=True).encode(
        x=x, y=y, color=colouring.keyed(columns=1), strokeDash=colouring.dash(), tooltip=tooltip
    )  # fmt: skip
    return layered([band, lines], colouring.palette, height=_HEIGHT)
