"""A measure of every layer over steps: a row a layer, a cell a step, darker for more."""

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.labels import row_axis
from grokscope.dashboard.charts.elements.palette import Palette, layered

_ROW, _LOW_ROW = 18, 8
_ROOMY = 24
_LABELS = 168
_LETTERS = 26


def layers_chart(
    cells: pl.DataFrame, marks: pl.DataFrame, *, axis: StepAxis, palette: Palette
) -> alt.LayerChart:
    """Return a heatmap of layer by step, with the run's dates as thin lines through it.

    Args:
        cells: ``layer, step, end, value`` in the order of the rows; a cell goes from ``step`` to ``end``.
        marks: ``step`` of what is dated.
        axis: The x-axis.
        palette: Light or dark.
    """
    layers = cells["layer"].unique(maintain_order=True).to_list()
    height = (_ROW if len(layers) <= _ROOMY else _LOW_ROW) * max(1, len(layers))
    labels = row_axis(_LABELS, letters=_LETTERS, labelFontSize=11 if len(layers) <= _ROOMY else 8)
    colour = alt.Scale(range=[palette.grid, palette.series[0]], interpolate="lab", nice=False, zero=False)
    rects = (
        alt.Chart(cells)
        .mark_rect(clip=True, strokeWidth=0.8)
        .encode(
            x=axis.encoding(),
            x2=alt.X2("end"),
            y=alt.Y("layer:N", sort=layers, title=None, scale=alt.Scale(domain=layers), axis=labels),
            color=alt.Color("value:Q", scale=colour, legend=_legend(palette)),
            stroke=alt.Stroke("value:Q", scale=colour, legend=None),  # closes the seams between cells
            tooltip=[
                alt.Tooltip("layer:N", title="layer"),
                axis.tooltip(),
                alt.Tooltip("value:Q", title="value", format=".4~g"),
            ],
        )
    )
    rules = (
        alt.Chart(marks)
        .mark_rule(color=palette.ink, strokeWidth=1, strokeDash=[2, 3], opacity=0.7, clip=True)
        .encode(x=axis.encoding())
    )
    return layered([rects, rules], palette, height=height)


def _legend(palette: Palette) -> alt.Legend:
    return alt.Legend(
        type="gradient",
        orient="top",
        title=None,
        gradientLength=160,
        gradientThickness=8,
        labelColor=palette.muted,
        labelFontSize=10,
        format=".3~g",
    )
