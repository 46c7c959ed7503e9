"""Parallel coordinates: a line a run over all variables, in stronger colour the cheaper it got there."""

from collections.abc import Sequence

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.palette import Palette, between, layered

_HEIGHT = 300
_HEIGHTS = alt.Scale(domain=[-0.04, 1.04], nice=False)


def coordinates_chart(
    lines: pl.DataFrame, ticks: pl.DataFrame, *, variables: Sequence[str], unit: str, palette: Palette
) -> alt.LayerChart:
    """Return the lines; runs that have not got there are thin and grey.

    Args:
        lines: ``run, variable, position, value, cost, reached``.
        ticks: ``variable, position, value``: what is written at the axes.
        variables: From the left.
        unit: What costs are counted in.
        palette: Light or dark.
    """
    x, y = _x(list(variables), palette), alt.Y("position:Q", title=None, axis=None, scale=_HEIGHTS)
    base = alt.Chart(lines).encode(x=x, y=y, detail="run:N")
    tooltip = [
        alt.Tooltip("run:N", title="run"),
        alt.Tooltip("variable:N", title="variable"),
        alt.Tooltip("value:N", title="value"),
        alt.Tooltip("cost:Q", title=unit, format=".3~s"),
    ]
    missed = base.transform_filter(~alt.datum.reached).mark_line(
        strokeWidth=0.8, opacity=0.4, color=palette.muted
    )
    got = (
        base.transform_filter(alt.datum.reached)
        .mark_line(strokeWidth=1.6, opacity=0.75)
        .encode(color=_colour(unit, palette), tooltip=tooltip)
    )
    at = alt.Chart(ticks).encode(x=x, y=y, text="value:N")
    halo = at.mark_text(
        align="left", dx=5, fontSize=11, stroke=palette.paper, strokeWidth=4, strokeJoin="round"
    )
    words = at.mark_text(align="left", dx=5, fontSize=11, color=palette.ink)
    return layered([missed, got, halo, words], palette, height=_HEIGHT)


def _x(names: list[str], palette: Palette) -> alt.X:
    axis = alt.Axis(labelAngle=0, labelLimit=110, orient="top", labelColor=palette.ink, grid=True)
    scale = alt.Scale(type="point", domain=names, padding=0.35)
    return alt.X("variable:N", title=None, sort=names, scale=scale, axis=axis)


def _colour(unit: str, palette: Palette) -> alt.Color:
    """Return the colour of a run that got there: paler the more it spent."""
    pale = between(palette.series[0], palette.paper, 0.5)
    scale = alt.Scale(type="log", range=[palette.series[0], pale], interpolate="rgb", nice=False)
    legend = alt.Legend(
        orient="bottom",
        format=".3~s",
        titleColor=palette.muted,
        labelColor=palette.muted,
        gradientLength=180,
    )
    return alt.Color("cost:Q", title=unit, scale=scale, legend=legend)
