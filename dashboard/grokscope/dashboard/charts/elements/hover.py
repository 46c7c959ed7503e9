"""Reading values off a chart: a line that follows the pointer and names what it touches."""

from collections.abc import Sequence

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.palette import Colouring

MOST_POINTS = 4_000
"""Beyond this, finding the nearest point costs more than it tells."""


def hover_layers(
    points: pl.DataFrame,
    tooltip: Sequence[alt.Tooltip],
    *,
    axis: StepAxis,
    colouring: Colouring,
) -> list[alt.Chart]:
    """Return a rule and a dot at the nearest of ``points`` (``step, value``); none if there are too many."""
    if points.height > MOST_POINTS:
        return []
    near = alt.selection_point(
        name="near", fields=["step"], nearest=True, on="pointerover", clear="pointerout", empty=False
    )
    base = alt.Chart(points).encode(x=axis.encoding())
    dots = (
        base.mark_point(filled=True, size=36)
        .encode(
            y=alt.Y("value:Q"),
            color=colouring.color(),
            opacity=alt.condition(near, alt.value(1), alt.value(0)),
            tooltip=list(tooltip),
        )
        .add_params(near)
    )
    rule = base.mark_rule(color=colouring.palette.muted, strokeWidth=0.75).transform_filter(near)
    return [rule, dots]
