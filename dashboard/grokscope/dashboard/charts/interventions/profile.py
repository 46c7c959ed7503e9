"""Performance profiles: the share of workloads within a factor of the fastest group, a step line a group."""

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.palette import Colouring, layered

_HEIGHT = 220


def profile_chart(curves: pl.DataFrame, *, colouring: Colouring) -> alt.LayerChart:
    """Return the profiles.

    Args:
        curves: ``group, tau, share``.
        colouring: By group.
    """
    x = alt.X(
        "tau:Q",
        title="times what the fastest group needs",
        scale=alt.Scale(nice=False, zero=False),
        axis=alt.Axis(format="~g", tickCount=6),
    )
    scale = alt.Scale(domain=[0, 1.02], nice=False)
    axis = alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1])
    y = alt.Y("share:Q", title="share of workloads", scale=scale, axis=axis)
    tooltip = ["group:N", alt.Tooltip("tau:Q", format=".2f"), alt.Tooltip("share:Q", format=".0%")]
    lines = (
        alt.Chart(curves)
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(x=x, y=y, color=colouring.keyed(columns=1), strokeDash=colouring.dash(), tooltip=tooltip)
    )
    return layered([lines], colouring.palette, height=_HEIGHT)
