"""One array at one step, as its axes ask for: bars, a curve a row, or points on two axes."""

from typing import Any

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.palette import Palette, layered

HEIGHT = 190
_BARS = 80
"""Up to so many places are bars; more are a line."""


def bars_chart(cells: pl.DataFrame, *, low: float, high: float, palette: Palette) -> alt.LayerChart:
    """Return the values of an array of one axis.

    Args:
        cells: ``row, row_label, value``; labels that are numbers are where the values lie.
        low: Of the values at all steps: the y-axis stays as it is while steps pass.
        high: Likewise.
        palette: Light or dark.
    """
    cells, is_named = _placed(cells, "row")
    named = alt.X("row_label:N", sort=None, title=None, axis=alt.Axis(labelAngle=-30, labelLimit=120))
    x = named if is_named and cells.height <= _BARS else _x("at")
    base = alt.Chart(cells).encode(x=x, y=_y(min(low, 0.0), high), tooltip=_tooltip())
    mark = base.mark_bar if cells.height <= _BARS else base.mark_line
    options: dict[str, Any] = {"size": 6} if cells.height <= _BARS and not is_named else {}
    return layered([mark(color=palette.series[0], **options)], palette, height=HEIGHT)


def lines_chart(cells: pl.DataFrame, *, low: float, high: float, palette: Palette) -> alt.LayerChart:
    """Return a curve a row of an array of two axes, over its second axis; see ``bars_chart``.

    Args:
        cells: ``row, column, row_label, value``.
        low: Of the values at all steps; above 0, the y-axis is logarithmic.
        high: Of the values at all steps.
        palette: Light or dark.
    """
    cells, _ = _placed(cells, "column")
    names = cells["row_label"].unique(maintain_order=True).to_list()
    few = len(names) <= len(palette.series)
    colours = list(palette.series[: len(names)]) if few else [palette.series[0]] * len(names)
    legend = alt.Legend(orient="top", title=None, labelLimit=160, labelColor=palette.ink) if few else None
    colour = alt.Color("row_label:N", scale=alt.Scale(domain=names, range=colours), legend=legend, sort=names)
    line = (
        alt.Chart(cells)
        .mark_line(strokeWidth=1.6, opacity=1.0 if few else 0.4)
        .encode(
            x=_x("at"),
            y=_y(low, high, log=low > 0),
            color=colour,
            detail="row:Q",
            tooltip=_tooltip(),
        )
    )
    return layered([line], palette, height=HEIGHT)


def points_chart(
    points: pl.DataFrame, *, x: tuple[float, float], y: tuple[float, float], palette: Palette
) -> alt.LayerChart:
    """Return rows of an array as points, by their first two columns.

    Args:
        points: ``row_label, x, y``.
        x: Lowest and highest value of the first column at all steps.
        y: Of the second.
        palette: Light or dark.
    """
    horizontal, vertical = (
        alt.Scale(domain=[*ends], nice=False, padding=8) if ends[0] < ends[1] else alt.Scale(nice=False)
        for ends in (x, y)
    )
    base = alt.Chart(points).encode(
        x=alt.X("x:Q", title="first axis", scale=horizontal, axis=_plain()),
        y=alt.Y("y:Q", title="second axis", scale=vertical, axis=_plain()),
        tooltip=[alt.Tooltip("row_label:N", title="place"), "x:Q", "y:Q"],
    )
    dots = base.mark_point(filled=True, size=36, opacity=0.85, color=palette.series[0])
    names = base.mark_text(dx=6, align="left", fontSize=9, color=palette.muted).encode(
        text=alt.Text("row_label:N")
    )
    return layered([dots, names], palette, height=HEIGHT + 60)


def _placed(cells: pl.DataFrame, name: str) -> tuple[pl.DataFrame, bool]:
    """Return the cells with ``at``, where each lies on an axis, and whether its places have names."""
    at = cells[f"{name}_label"].cast(pl.Float64, strict=False)
    is_named = at.null_count() > 0 or not at.is_finite().all()
    return cells.with_columns(at=cells[name].cast(pl.Float64) if is_named else at), is_named


def _x(field: str) -> alt.X:
    return alt.X(f"{field}:Q", title=None, axis=_plain(), scale=alt.Scale(nice=False, padding=8, zero=False))


def _y(low: float, high: float, *, log: bool = False) -> alt.Y:
    domain = [low, high] if low < high else [low, low + 1]
    scale = alt.Scale(domain=domain, nice=False, type="log" if log else "linear")
    return alt.Y("value:Q", title=None, scale=scale, axis=_plain(4))


def _plain(ticks: int = 6) -> alt.Axis:
    return alt.Axis(format=".3~g", labelOverlap="greedy", tickCount=ticks, grid=True)


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("row_label:N", title="row"),
        alt.Tooltip("column_label:N", title="column"),
        alt.Tooltip("value:Q", title="value", format=".4~g"),
    ]
