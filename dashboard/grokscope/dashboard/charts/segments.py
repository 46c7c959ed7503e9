"""Exploratory: the stretches in which all measures of a run move steadily, and where they change together."""

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.labels import row_axis
from grokscope.dashboard.charts.elements.palette import Palette, layered

_ROW = 17
_LABELS = 216
_LETTERS = 38


def segments_chart(
    trends: pl.DataFrame, boundaries: pl.DataFrame, *, axis: StepAxis, palette: Palette
) -> alt.LayerChart:
    """Return a row a measure, coloured by how it moves in each segment, with the boundaries drawn through.

    Args:
        trends: ``measure, begin, end, trend`` in the order of the rows; ``trend`` in ranges of the measure.
        boundaries: ``step, low, high, stability``; ``stability`` may be null.
        axis: The x-axis.
        palette: Light or dark.
    """
    measures = trends["measure"].unique(maintain_order=True).to_list()
    cells = _cells(trends, measures, axis, palette)
    height = _ROW * max(1, len(measures))
    layers = [cells, *_boundaries(boundaries, axis, palette)]
    titles = {"x": axis.on_paper, "color": "change, in ranges of the measure"}
    return layered(layers, palette, height=height, titles=titles)


def _rows(measures: list[str]) -> alt.Y:
    labels = row_axis(_LABELS, letters=_LETTERS)
    return alt.Y("measure:N", sort=measures, title=None, scale=alt.Scale(domain=measures), axis=labels)


def _cells(trends: pl.DataFrame, measures: list[str], axis: StepAxis, palette: Palette) -> alt.Chart:
    # Blue falls and orange rises, as far from the paper as the measure moves.
    scale = alt.Scale(
        domain=[-1, 0, 1],
        range=[palette.series[0], palette.paper, palette.series[1]],
        clamp=True,
        interpolate="rgb",
    )
    tooltip = [
        alt.Tooltip("measure:N", title="measure"),
        alt.Tooltip("begin:Q", title="from step", format=",d"),
        alt.Tooltip("end:Q", title="to step", format=",d"),
        alt.Tooltip("trend:Q", title="change, in ranges", format="+.2f"),
    ]
    return (
        alt.Chart(trends)
        .mark_rect(height={"band": 0.82})
        .encode(
            x=axis.encoding("begin"),
            x2=alt.X2("end"),
            y=_rows(measures),
            color=alt.Color("trend:Q", scale=scale, legend=None),
            tooltip=tooltip,
        )
    )


def _boundaries(boundaries: pl.DataFrame, axis: StepAxis, palette: Palette) -> list[alt.Chart]:
    base = alt.Chart(boundaries).encode(
        tooltip=[
            alt.Tooltip("step:Q", title="boundary at step", format=",d"),
            alt.Tooltip("low:Q", title="from", format=",d"),
            alt.Tooltip("high:Q", title="to", format=",d"),
            alt.Tooltip("stability:Q", title="share of redraws with it", format=".0%"),
        ]
    )
    band = base.mark_rect(color=palette.ink, opacity=0.10).encode(x=axis.encoding("low"), x2=alt.X2("high"))
    rule = base.mark_rule(color=palette.ink, strokeWidth=1.2).encode(x=axis.encoding("step"))
    return [band, rule]
