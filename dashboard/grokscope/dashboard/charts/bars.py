"""A metric that runs have one value of, as bars."""

from typing import Any

import altair as alt
import polars as pl

from grokscope.dashboard.charts.compared import HEIGHTS, Compared, Look, runs_of, y_title
from grokscope.dashboard.charts.elements.palette import Colouring, layered
from grokscope.dashboard.charts.linked import LinkedChart

_ROW = 22
"""Height of a bar and the gap below it, in pixels."""


def bars_chart(compared: Compared, look: Look) -> LinkedChart:
    """Return a metric that has one value a run: a bar as long as the mean, a dot a run."""
    values = compared.points.drop_nulls("value")
    order = [name for name in look.colouring.colours if name in set(values[look.colouring.field])]
    height = max(HEIGHTS[look.columns] // 2, _ROW * max(1, len(order)))
    chart = layered(_bars(values, order, compared, look.colouring), look.colouring.palette, height=height)
    return LinkedChart(
        key=compared.key,
        title=compared.title,
        text=f"{compared.title}: one value a run, of {runs_of(compared):,} runs",
        spec=chart.to_dict(validate=False),
        axis=None,
        begins_row=compared.begins_row,
        tools=compared.tools,
    )


def _bars(
    values: pl.DataFrame, order: list[str], compared: Compared, colouring: Colouring
) -> list[alt.Chart]:
    name = colouring.field
    y = alt.Y(f"{name}:N", sort=order, title=None, axis=alt.Axis(labelLimit=170, labelOverlap=False))
    along: dict[str, Any] = {
        "title": y_title(compared.metric, is_log=False),
        "axis": alt.Axis(tickCount=4, labelExpr="format(datum.value, '.3~g')"),
        "scale": _from_zero(compared.part.extent["value"]) if compared.part else alt.Undefined,
    }
    means = values.group_by(name, maintain_order=True).agg(pl.col("value").mean().alias("mean"))
    bars = alt.Chart(means).mark_bar(opacity=0.35, height={"band": 0.6})
    tooltip = [alt.Tooltip("run:N", title="run"), alt.Tooltip("value:Q", title="value", format=".4~g")]
    dots = alt.Chart(values.select(list(dict.fromkeys(("run", name, "value"))))).mark_point(
        filled=True, size=42, opacity=0.9
    )
    return [
        bars.encode(y=y, x=alt.X("mean:Q", **along), color=colouring.color()),
        dots.encode(y=y, x=alt.X("value:Q", **along), color=colouring.color(), tooltip=tooltip),
    ]


def _from_zero(extent: pl.Series) -> alt.Scale:
    low, high = (float(str(end)) for end in (extent.min(), extent.max()))
    return alt.Scale(domain=[min(0.0, low), max(0.0, high)])
