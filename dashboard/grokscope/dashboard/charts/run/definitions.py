"""The grokking step under each published definition, a row a definition, with its interval."""

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.labels import row_axis
from grokscope.dashboard.charts.elements.palette import Palette, layered

_ROW = 24
_LABELS = 96
_LETTERS = 16


def definitions_chart(dates: pl.DataFrame, *, axis: StepAxis, palette: Palette) -> alt.LayerChart:
    """Return a dot a definition at its step, on a bar from the lower to the upper end of its interval.

    Args:
        dates: ``definition, step, low, high`` in the order of the rows; nulls where a definition finds none.
        axis: The x-axis.
        palette: Light or dark.
    """
    names = dates["definition"].to_list()
    labels = row_axis(_LABELS, letters=_LETTERS)
    y = alt.Y("definition:N", sort=names, title=None, scale=alt.Scale(domain=names), axis=labels)
    tooltip = [
        alt.Tooltip("definition:N", title="definition"),
        axis.tooltip(),
        alt.Tooltip("low:Q", title="from", format=",d"),
        alt.Tooltip("high:Q", title="to", format=",d"),
    ]
    lines = (
        alt.Chart(dates)
        .mark_rule(color=palette.grid, strokeWidth=1)
        .encode(y=y, x=alt.XValue(0), x2=alt.X2Value("width"))
    )
    found = dates.drop_nulls("step")
    base = alt.Chart(found).encode(y=y, tooltip=tooltip)
    bars = base.mark_rule(color=palette.series[0], strokeWidth=6, opacity=0.3).encode(
        x=axis.encoding("low"), x2=alt.X2("high")
    )
    dots = base.mark_point(filled=True, size=60, opacity=1, color=palette.series[0]).encode(x=axis.encoding())
    said = base.mark_text(align="center", dy=-9, fontSize=10, color=palette.muted).encode(
        x=axis.encoding(), text=alt.Text("step:Q", format=",d")
    )
    return layered([lines, bars, dots, said], palette, height=_ROW * max(1, len(names)))
