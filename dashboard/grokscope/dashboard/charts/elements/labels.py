"""Names at the ends of lines, instead of a legend to look things up in."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.palette import Colouring
from grokscope.dashboard.charts.elements.quantity import Quantity
from grokscope.schemas import mapped

ROOM = 132
"""Width kept free right of the plot, in pixels: equal in all charts that share an x-axis."""

_GAP = 8
_LETTERS = 22
_LINE_HEIGHT = 15


def end_labels(
    points: pl.DataFrame, colouring: Colouring, *, quantity: Quantity, height: int
) -> list[alt.Chart]:
    """Return each line's name right of the plot, at the height of its last value.

    Names that would touch are moved apart. Where there is no room for all, those of grey lines are left out.

    Args:
        points: ``step, value`` and the column of ``colouring``: one line a value of that column.
        colouring: Says which column names the lines.
        quantity: The y-axis.
        height: Of the plot, in pixels.
    """
    name = colouring.field
    usable = points.drop_nulls("value").sort("step")
    ends = usable.group_by(name, maintain_order=True).agg(pl.col("value").last()).sort("value", name)
    if ends.height > names_that_fit(height):
        coloured = [n for n, colour in colouring.colours.items() if colour != colouring.palette.muted]
        ends = ends.filter(pl.col(name).is_in(coloured))
    ends = ends.with_columns(name=mapped(ends[name], _short))
    apart = spread([quantity.place(v) for v in ends["value"]], gap=_LINE_HEIGHT / height)
    heights = pl.Series("value", [quantity.value_at(place) for place in apart], dtype=pl.Float64)
    text = (
        alt.Chart(ends.with_columns(heights))
        .mark_text(align="left", baseline="middle", dx=_GAP, fontSize=12, fontWeight=600, limit=ROOM - _GAP)
        .encode(x=alt.XValue("width"), y=alt.Y("value:Q"), text=alt.Text("name:N"), color=colouring.color())
    )
    return [room_layer(), text]


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else f"{name[:8]}…{name[11 - _LETTERS :]}"


def cut_in_the_middle(most: int) -> str:
    """Return an axis's expression that cuts long names in the middle: those of a sweep differ at their ends.

    >>> cut_in_the_middle(25)
    "length(datum.label) > 25 ? slice(datum.label, 0, 9) + '…' + slice(datum.label, -15) : datum.label"
    """
    end = most * 3 // 5
    cut = f"slice(datum.label, 0, {most - 1 - end}) + '…' + slice(datum.label, -{end})"
    return f"length(datum.label) > {most} ? {cut} : datum.label"


def names_that_fit(height: int) -> int:
    """Return how many names have room beside a plot of ``height`` pixels."""
    return height // _LINE_HEIGHT


def room_layer() -> alt.Chart:
    """Return an invisible mark that makes every chart with it keep the same room on the right."""
    return (
        alt.Chart(pl.DataFrame({"room": [0]}))
        .mark_point(size=1, opacity=0, xOffset=ROOM)
        .encode(x=alt.XValue("width"), y=alt.YValue("height"))
    )


def spread(shares: Sequence[float], *, gap: float) -> list[float]:
    """Return rising ``shares`` moved apart to at least ``gap``, kept within 0..1 where they fit.

    >>> [round(s, 2) for s in spread([0.0, 0.0, 1.0], gap=0.1)]
    [0.0, 0.1, 1.0]
    """
    up: list[float] = []
    for share in shares:
        up.append(max(share, up[-1] + gap) if up else share)
    down: list[float] = []
    for share in reversed(up):
        down.append(min(share, (down[-1] - gap) if down else 1.0))
    return down[::-1]


def row_axis(room: int, *, letters: int, **more: Any) -> alt.Axis:
    """Return the axis of a chart with a name a row: every name is shown, long ones cut in the middle.

    Args:
        room: Width of the names in pixels, the same whatever they are.
        letters: The longest name that is shown whole.
        more: Further options of the axis.
    """
    return alt.Axis(
        labelExpr=cut_in_the_middle(letters),
        labelLimit=room - 4,
        labelOverlap=False,
        labelFlush=False,
        labelBound=False,
        grid=False,
        minExtent=room,
        maxExtent=room,
        **more,
    )
