"""What runs spend against one variable, on log axes, with the power law where it holds."""

from typing import Any

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.palette import Palette, layered

_HEIGHT = 260


def trend_chart(
    dots: pl.DataFrame, curve: pl.DataFrame, *, name: str, unit: str, palette: Palette
) -> alt.LayerChart:
    """Return a disc a run that got there, a hollow arrow a run that has not, and the law with its band.

    Args:
        dots: ``run, x, reached, cost, low, high``; on a log axis there is no place for values of 0, which are
            left out there.
        curve: ``x, cost, low, high``; may have no rows.
        name: Of the variable.
        unit: What costs are counted in.
        palette: Light or dark.
    """
    is_log = dots.height > 0 and bool((dots["x"] > 0).any())
    dots = dots.filter(pl.col("x") > 0) if is_log else dots
    x = _x(name, is_log=is_log)
    base = alt.Chart(dots.with_columns(low=pl.max_horizontal("low", pl.col("cost") / 1000))).encode(x=x)
    tooltip = [
        alt.Tooltip("run:N", title="run"),
        alt.Tooltip("x:Q", title=name, format=".4~g"),
        alt.Tooltip("cost:Q", title=unit, format=".3~s"),
    ]
    got = base.transform_filter(alt.datum.reached)
    spans = got.mark_rule(strokeWidth=6, opacity=0.22, color=palette.series[0]).encode(
        y=_y("low", unit), y2=alt.Y2("high")
    )
    discs = got.mark_point(filled=True, size=60, opacity=0.8, color=palette.series[0]).encode(
        y=_y("cost", unit), tooltip=tooltip
    )
    arrows = (
        base.transform_filter(~alt.datum.reached)
        .mark_point(shape="triangle-up", size=60, strokeWidth=1.5, color=palette.muted)
        .encode(y=_y("cost", unit), tooltip=tooltip)
    )
    law = alt.Chart(curve).encode(x=x)
    band = law.mark_area(opacity=0.14, color=palette.ink).encode(y=_y("low", unit), y2=alt.Y2("high"))
    line = law.mark_line(strokeWidth=2, color=palette.ink).encode(y=_y("cost", unit))
    found = [] if curve.is_empty() else [band, line]
    return layered([*found, spans, arrows, discs], palette, height=_HEIGHT)


def _x(name: str, *, is_log: bool) -> alt.X:
    scale = alt.Scale(type="log" if is_log else "linear", nice=False, padding=16)
    return alt.X("x:Q", title=name, scale=scale, axis=alt.Axis(format="~g", tickCount=6, labelOverlap=True))


def _y(field: str, unit: str) -> alt.Y:
    axis: dict[str, Any] = {"format": "~s", "tickCount": 5, "labelOverlap": True}
    scale = alt.Scale(type="log", nice=False, padding=10)
    return alt.Y(field, type="quantitative", title=unit, scale=scale, axis=alt.Axis(**axis))
