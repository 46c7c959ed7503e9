"""Compute against quality, a disc a group; those that no other beats are joined."""

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.palette import Colouring, layered

_HEIGHT = 260
_FAR = 30
_MOST_NAMED = 10
"""Groups up to which a legend says which is which; of more, the table does."""


def front_chart(
    runs: pl.DataFrame, groups: pl.DataFrame, *, colouring: Colouring, quality: str, across: str
) -> alt.LayerChart:
    """Return the groups' means, those on the front larger and joined, with the runs behind them, small.

    Args:
        runs: ``run, group, compute, best``.
        groups: ``group, runs, compute, quality, on_front, probability, beaten_by``.
        colouring: By group.
        quality: What levels are of.
        across: What compute is, and what it is counted in.
    """
    x = _x(runs, across)
    scale = alt.Scale(nice=False, zero=False, padding=14)
    axis = alt.Axis(tickCount=5, format=".3~g")
    y = alt.Y("quality:Q", title=f"best {quality}", scale=scale, axis=axis)
    colour = (
        colouring.color()
        if len(colouring.colours) > _MOST_NAMED
        else colouring.keyed(columns=1, symbol="circle")
    )
    small = (
        alt.Chart(runs.rename({"best": "quality"}))
        .mark_point(filled=True, size=16, opacity=0.45)
        .encode(x=x, y=y, color=colour, tooltip=["run:N", "group:N"])
    )
    base = alt.Chart(groups).encode(x=x, y=y)
    line = base.transform_filter(alt.datum.on_front).mark_line(
        interpolate="step-after", strokeWidth=1.5, strokeDash=[5, 3], color=colouring.palette.muted
    )
    means = base.mark_point(filled=True, opacity=1, strokeWidth=2, stroke=colouring.palette.paper).encode(
        color=colour,
        size=alt.condition(alt.datum.on_front, alt.value(190), alt.value(70)),
        tooltip=_tooltip(quality),
    )
    return layered([line, small, means], colouring.palette, height=_HEIGHT)


def _x(runs: pl.DataFrame, across: str) -> alt.X:
    least, most = _ends(runs, "compute")
    return alt.X(
        "compute:Q",
        title=across,
        scale=alt.Scale(
            type="log" if 0 < least * _FAR < most else "linear", nice=False, zero=False, padding=14
        ),
        axis=alt.Axis(format="~s", tickCount=6, labelOverlap=True),
    )


def _tooltip(quality: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("group:N"),
        alt.Tooltip("runs:Q"),
        alt.Tooltip("compute:Q", format=".3~s"),
        alt.Tooltip("quality:Q", title=quality, format=".4~g"),
        alt.Tooltip("probability:Q", title="on the front in", format=".0%"),
        alt.Tooltip("beaten_by:N", title="beaten by"),
    ]


def _ends(runs: pl.DataFrame, name: str) -> tuple[float, float]:
    known = runs[name].drop_nulls()
    return (float(str(known.min())), float(str(known.max()))) if known.len() else (1.0, 1.0)
