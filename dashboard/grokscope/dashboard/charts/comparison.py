"""One metric over many runs: mean and range over seeds in colour, the seeds themselves faint behind them."""

from typing import Any

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.hover import hover_layers
from grokscope.dashboard.charts.elements.labels import end_labels
from grokscope.dashboard.charts.elements.marks import band_layer, mark_layer
from grokscope.dashboard.charts.elements.palette import Colouring, layered
from grokscope.dashboard.charts.elements.quantity import Quantity, quantity_of

HEIGHT = 400


def comparison_chart(
    points: pl.DataFrame,
    marks: pl.DataFrame,
    averages: pl.DataFrame,
    *,
    axis: StepAxis,
    colouring: Colouring,
) -> alt.LayerChart:
    """Return the runs' curves of one metric with their transitions.

    Args:
        points: ``run_id, run, group, metric, step, value`` of one metric, thinned.
        marks: ``MARKS_SCHEMA`` with ``run`` and ``group``.
        averages: ``AVERAGE_SCHEMA``; its means are drawn thick, its ranges as bands. Without rows, the runs
            themselves are what is drawn and read off.
        axis: The x-axis.
        colouring: By ``group`` or by ``run``.
    """
    metric = str(points["metric"][0]) if points.height else ""
    quantity = quantity_of(metric, points["value"])
    y = quantity.encoding()
    by_group = averages.height > 0
    faint: dict[str, Any] = (
        {"strokeWidth": 0.8, "opacity": 0.32} if by_group else {"strokeWidth": 1.5, "opacity": 0.95}
    )
    members = (
        alt.Chart(points)
        .mark_line(**faint)
        .encode(x=axis.encoding(), y=y, color=colouring.color(), detail=alt.Detail("run_id:N"))
    )
    means = _mean_layers(averages, axis, colouring) if by_group else []
    read = averages.rename({"mean": "value"}) if by_group else points
    hover = hover_layers(read, _tooltip(axis, quantity, by_group=by_group), axis=axis, colouring=colouring)
    names = end_labels(read, colouring, quantity=quantity, height=HEIGHT)
    layers = [
        band_layer(marks, axis, colouring, opacity=0.09),
        members,
        *means,
        *names,
        *hover,
        mark_layer(marks, axis, colouring),
    ]
    return layered(layers, colouring.palette, height=HEIGHT)


def _mean_layers(averages: pl.DataFrame, axis: StepAxis, colouring: Colouring) -> list[alt.Chart]:
    base = alt.Chart(averages).encode(x=axis.encoding(), color=colouring.color())
    ranges = base.mark_area(opacity=0.13, line=False).encode(y=alt.Y("low:Q"), y2=alt.Y2("high"))
    return [ranges, base.mark_line(strokeWidth=2.4).encode(y=alt.Y("mean:Q"))]


def _tooltip(axis: StepAxis, quantity: Quantity, *, by_group: bool) -> list[alt.Tooltip]:
    step, said = axis.tooltip(), quantity.said
    if not by_group:
        return [alt.Tooltip("run:N", title="run"), step, alt.Tooltip("value:Q", title="value", format=said)]
    return [
        alt.Tooltip("group:N", title="group"),
        step,
        alt.Tooltip("value:Q", title="mean", format=said),
        alt.Tooltip("low:Q", title="lowest", format=said),
        alt.Tooltip("high:Q", title="highest", format=said),
        alt.Tooltip("runs:Q", title="runs", format="d"),
    ]
