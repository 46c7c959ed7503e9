"""When it happened, a row a run: memorized, onset with its interval, completion."""

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.labels import ROOM, row_axis
from grokscope.dashboard.charts.elements.marks import EVENTS, NOW, event_shape, mark_tooltip
from grokscope.dashboard.charts.elements.palette import Y_AXIS_WIDTH, Colouring, layered
from grokscope.dashboard.words.short_names import short_names

_WIDTH_OF_A_LETTER = 6.4
_ROOMY, _ROW, _LOW_ROW = 30, 20, 11
"""Up to 30 rows have 20 pixels each; more have 11."""


def timeline_chart(
    runs: pl.DataFrame, marks: pl.DataFrame, *, axis: StepAxis, colouring: Colouring, room: int = ROOM
) -> alt.LayerChart:
    """Return a row a run: a hairline as far as it was trained, and its events.

    Args:
        runs: ``run, group, step`` in the order of the rows; ``step`` is where the run's log ends.
        marks: ``MARKS_SCHEMA`` with ``run`` and ``group``.
        axis: The x-axis, equal to that of the curves above.
        colouring: By group or by run.
        room: Width of the runs' names, in pixels: that of the names beside the curves above.
    """
    letters = int(room / _WIDTH_OF_A_LETTER)
    short = pl.Series("row", short_names(runs["run"].to_list(), most=letters), dtype=pl.String)
    runs = runs.with_columns(short)
    marks = marks.join(runs.select("run", "row").unique("run"), on="run", how="inner", maintain_order="left")
    y = _rows(runs, room, letters)
    trained = (
        alt.Chart(runs.with_columns(pl.lit(0).alias("start")))
        .mark_rule(strokeWidth=1, opacity=0.35)
        .encode(y=y, x=axis.encoding("start"), x2=alt.X2("step"), color=colouring.color())
    )
    base = alt.Chart(marks).encode(y=y)
    waiting = (
        base.mark_rule(strokeWidth=2, opacity=0.75)
        .encode(x=axis.encoding("first"), x2=alt.X2("last"), color=colouring.color())
        .transform_filter(alt.FieldOneOfPredicate(field="event", oneOf=[*EVENTS, NOW]))
        .transform_aggregate(first="min(step)", last="max(step)", groupby=["row", "run", "group"])
    )
    interval = (
        base.mark_rule(strokeWidth=8, opacity=0.4)
        .encode(
            x=axis.encoding("low"), x2=alt.X2("high"), color=colouring.color(), tooltip=mark_tooltip(axis)
        )
        .transform_filter(alt.datum.event == "onset")
    )
    layers = [trained, waiting, interval, _symbols(base, axis, colouring)]
    height = (_ROW if runs.height <= _ROOMY else _LOW_ROW) * max(1, runs.height)
    chart = layered(layers, colouring.palette, height=height, titles={"x": axis.on_paper})
    # No axis on the left: its room is kept all the same, for the curves above.
    chart.padding = {"left": Y_AXIS_WIDTH + 4, "top": 4, "right": 4, "bottom": 4}
    return chart


def _rows(runs: pl.DataFrame, room: int, letters: int) -> alt.Y:
    rows: list[str] = runs["row"].to_list()
    size = 11 if runs.height <= _ROOMY else 9
    axis = row_axis(room, letters=letters, orient="right", labelFontSize=size)
    return alt.Y("row:N", sort=rows, title=None, scale=alt.Scale(domain=rows), axis=axis)


def _symbols(base: alt.Chart, axis: StepAxis, colouring: Colouring) -> alt.Chart:
    fill = alt.condition(alt.datum.event == "memorized", alt.value(colouring.palette.paper), colouring.fill())
    return base.mark_point(size=56, strokeWidth=1.6, opacity=1).encode(
        x=axis.encoding("step"),
        stroke=colouring.stroke(),
        fill=fill,
        shape=event_shape(),
        tooltip=mark_tooltip(axis),
    )
