"""A group's training and held-out curves with their transitions: what the live page is made of."""

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.marks import band_layer, mark_layer
from grokscope.dashboard.charts.elements.palette import Colouring, layered
from grokscope.dashboard.charts.elements.quantity import Quantity

HEIGHT = 190


def group_chart(
    points: pl.DataFrame,
    marks: pl.DataFrame,
    *,
    axis: StepAxis,
    quantity: Quantity,
    colouring: Colouring,
) -> alt.LayerChart:
    """Return the held-out curves as full lines, the training curves as faint dashes, and the events on them.

    Args:
        points: ``run_id, run, group, metric, role, step, value``, thinned; ``role`` is ``train`` or ``test``.
        marks: ``MARKS_SCHEMA`` with ``run`` and ``group``.
        axis: The x-axis, equal in all charts that stand beside each other.
        quantity: The y-axis; so is it.
        colouring: By group or by run.
    """
    base = alt.Chart(points).encode(
        x=axis.encoding(),
        y=quantity.encoding(),
        color=colouring.color(),
        detail=alt.Detail("run_id:N"),
    )
    is_train = alt.datum.role == "train"
    dashed = base.mark_line(strokeWidth=1, strokeDash=[3, 3], opacity=0.6, clip=True)
    full = base.mark_line(strokeWidth=1.6, opacity=0.9, clip=True)
    curves = [dashed.transform_filter(is_train), full.transform_filter(~is_train)]
    alone = points.filter(pl.len().over("run_id", "role") == 1)
    if alone.height:  # one point is no line
        curves.append(base.mark_point(filled=True, size=40).properties(data=alone))
    layers = [band_layer(marks, axis, colouring), *curves, mark_layer(marks, axis, colouring)]
    return layered(layers, colouring.palette, height=HEIGHT)
