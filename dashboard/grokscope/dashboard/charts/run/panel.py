"""One panel of a run's page: a few curves of one quantity, with the run's events drawn through."""

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.hover import hover_layers
from grokscope.dashboard.charts.elements.labels import end_labels
from grokscope.dashboard.charts.elements.marks import EVENTS, LOST, mark_tooltip
from grokscope.dashboard.charts.elements.palette import Colouring, Palette, layered
from grokscope.dashboard.charts.elements.quantity import quantity_name, quantity_of
from grokscope.schemas import METRICS, find_metric

HEIGHT = 170
LOW_HEIGHT = 105
_TALL = (METRICS["curve", "accuracy"], METRICS["curve", "loss"])


def panel_chart(
    points: pl.DataFrame,
    marks: pl.DataFrame,
    *,
    axis: StepAxis,
    colouring: Colouring,
    names_events: bool = False,
) -> alt.LayerChart:
    """Return curves of one quantity, each named at its end, with bands and rules at the events.

    Args:
        points: ``run_id, run, series, metric, step, value``; ``series`` is what a curve is called here.
        marks: ``MARKS_SCHEMA`` with ``run``.
        axis: The x-axis, equal in all panels of the page; its labels are drawn where ``axis.labels``.
        colouring: By ``series``.
        names_events: Whether the events are named above the plot.
    """
    metric = str(points["metric"][0]) if points.height else ""
    quantity = quantity_of(metric, points["value"])
    height = HEIGHT if names_events or find_metric(metric) in _TALL else LOW_HEIGHT
    base = alt.Chart(points).encode(x=axis.encoding(), y=quantity.encoding(), color=colouring.color())
    tooltip = [
        alt.Tooltip("series:N", title="curve"),
        axis.tooltip(),
        alt.Tooltip("value:Q", title="value", format=quantity.said),
    ]
    hover = hover_layers(points, tooltip, axis=axis, colouring=colouring)
    names = end_labels(points, colouring, quantity=quantity, height=height)
    lines = base.mark_line(strokeWidth=1.8).encode(detail=alt.Detail("metric:N"))
    said = event_names(marks, axis, colouring.palette) if names_events else []
    layers = [*event_layers(marks, axis, colouring.palette), *said, lines, *names, *hover]
    titles = {"x": axis.on_paper, "y": quantity_name(metric)}
    return layered(layers, colouring.palette, height=height, titles=titles)


def event_layers(marks: pl.DataFrame, axis: StepAxis, palette: Palette) -> list[alt.Chart]:
    """Return the events' intervals as grey bands and their dates as thin rules, over all the height."""
    shown = [*EVENTS, *LOST.values()]
    dated = marks.filter(pl.col("event").is_in(shown))
    base = alt.Chart(dated).encode(tooltip=mark_tooltip(axis))
    bands = base.mark_rect(color=palette.muted, opacity=0.16, clip=True).encode(
        x=axis.encoding("low"), x2=alt.X2("high")
    )
    dash = alt.Scale(domain=shown, range=[[2, 3], [1, 0], [6, 3], *[[1, 2]] * len(LOST)])
    rules = base.mark_rule(color=palette.muted, strokeWidth=1).encode(
        x=axis.encoding("step"), strokeDash=alt.StrokeDash("event:N", scale=dash, legend=None)
    )
    return [bands, rules]


def event_names(marks: pl.DataFrame, axis: StepAxis, palette: Palette) -> list[alt.Chart]:
    """Return the events' names and steps, for the first panel: above it, of what was lost beside its sign."""
    dated = marks.select("event", "step").iter_rows()
    said = [None if step is None else f"{event} {step:,}" for event, step in dated]
    names = marks.with_columns(pl.Series("name", said, dtype=pl.String))
    lost = (
        alt.Chart(names.filter(pl.col("event").is_in(list(LOST.values()))))
        .mark_text(align="left", dx=15, dy=-4, baseline="bottom", fontSize=11, color=palette.muted)
        .encode(x=axis.encoding("step"), y=alt.YValue("height"), text=alt.Text("name:N"))
    )
    return [
        lost,
        *(
            alt.Chart(names)
            .mark_text(align=align, dx=dx, dy=dy, baseline="bottom", fontSize=11, color=palette.muted)
            .encode(x=axis.encoding("step"), y=alt.YValue(0), text=alt.Text("name:N"))
            .transform_filter(alt.datum.event == event)
            # On either side and in two rows: these events can lie close together, and the lower row ends
            # where the names of the curves begin.
            for event, align, dx, dy in zip(
                EVENTS, ("right", "right", "left"), (3, 3, -3), (-3, -15, -15), strict=True
            )
        ),
    ]
