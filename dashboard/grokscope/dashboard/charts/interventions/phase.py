"""The phase diagram: a cell a setting of two variables, the boundary over it, and the cells to train next."""

from collections.abc import Sequence
from typing import Any, Literal, cast

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.palette import Palette, layered
from grokscope.interventions.amounts import amount

PICKED = "cell"
"""Name of the selection: the cell that was clicked, as ``x`` and ``y``."""

_ROW = 46
_MOST_HEIGHT = 520
_STRONG = 0.6

Colour = Literal["share", "median"]


def phase_chart(  # noqa: PLR0913 - keyword-only options of one public face
    cells: pl.DataFrame,
    line: pl.DataFrame,
    *,
    names: tuple[str, str],
    columns: Sequence[str],
    rows: Sequence[str],
    colour: Colour,
    unit: str,
    palette: Palette,
) -> alt.LayerChart:
    """Return the cells with how many of their runs are there, in stronger colour the more or the cheaper.

    Args:
        cells: ``x, y, runs, reached, said, share, median, next``.
        line: ``px, py, part, order``: the boundary and the ends of its band, counted in cells.
        names: What the axes are called.
        columns: Values of x from the left.
        rows: Values of y from the bottom.
        colour: What is coloured by.
        unit: What medians are counted in.
        palette: Light or dark.
    """
    drawn = cells.with_columns(strength=_strength(cells, colour))
    drawn = drawn.with_columns(strong=pl.col("strength") > _STRONG, under=_under(drawn, colour))
    height = min(_MOST_HEIGHT, _ROW * max(2, len(rows)))
    x = _axis(alt.X, "x:N", names[0], list(columns), labelAngle=0)
    y = _axis(alt.Y, "y:N", names[1], list(reversed(rows)))
    base = alt.Chart(drawn).encode(x=x, y=y)
    layers = [alt.layer(*_squares(base, names, unit, palette, means=_meaning(colour, unit)))]
    layers += [] if line.is_empty() else [_boundary(line, len(columns), len(rows), palette)]
    # Words stand over the boundary, in scales of their own that are the same as those of the cells.
    bare = alt.Chart(drawn).encode(x=_unwritten(x), y=_unwritten(y))
    layers.append(alt.layer(*_words(bare, palette)))
    chart = layered([cast("alt.Chart", one) for one in layers], palette, height=height)
    chart.resolve = alt.Resolve(scale=_independent())
    return chart


def _independent() -> alt.ScaleResolveMap:
    """Return that the boundary has scales of its own: it is counted in cells."""
    return alt.ScaleResolveMap(x="independent", y="independent")


def _axis(channel: Any, field: str, title: str, values: list[str], **axis: Any) -> Any:
    scale = alt.Scale(type="band", domain=values, paddingInner=0, paddingOuter=0)
    return channel(
        field,
        title=title,
        sort=values,
        scale=scale,
        axis=alt.Axis(labelOverlap=True, labelLimit=110, grid=False, **axis),
    )


def _unwritten(channel: Any) -> Any:
    copied = channel.copy()
    copied.axis = None
    return copied


def _strength(cells: pl.DataFrame, colour: Colour) -> pl.Series:
    """Return how strong each cell's colour is, 0 to 1: the share, or the rank of the median on a log axis."""
    if colour == "share":
        return cells["share"].fill_null(0.0)
    # What costs nothing is as cheap as the cheapest that costs something.
    medians = cells["median"].replace(0.0, cells.filter(pl.col("median") > 0)["median"].min() or 1.0)
    known = medians.drop_nulls().log()
    low, high = (float(cast("float", end)) if known.len() else 0.0 for end in (known.min(), known.max()))
    if high <= low:
        return medians.is_not_null().cast(pl.Float64())
    return (1 - 0.85 * (medians.log() - low) / (high - low)).fill_null(0.0)


def _under(cells: pl.DataFrame, colour: Colour) -> pl.Series:
    """Return what stands under a cell's counts: its median, and that it is suggested."""
    said = [
        " · ".join(
            ([amount(median)] if median is not None and colour == "median" else [])
            + ([f"next {place}"] if place is not None else [])
        )
        for median, place in cells.select("median", "next").iter_rows()
    ]
    return pl.Series("under", said, dtype=pl.String())


def _meaning(colour: Colour, unit: str) -> str:
    """Return what a figure's key says of the colour."""
    return "share of the runs that got there" if colour == "share" else f"the stronger, the fewer {unit}"


def _squares(
    base: alt.Chart, names: tuple[str, str], unit: str, palette: Palette, *, means: str
) -> list[alt.Chart]:
    picked = alt.selection_point(name=PICKED, fields=["x", "y"], on="click", empty=False, toggle=False)
    colours = alt.Scale(domain=[0, 1], range=[palette.grid, palette.series[0]], interpolate="rgb")
    tooltip = [
        alt.Tooltip("x:N", title=names[0]),
        alt.Tooltip("y:N", title=names[1]),
        alt.Tooltip("said:N", title="got there / runs"),
        alt.Tooltip("share:Q", title="share", format=".0%"),
        alt.Tooltip("median:Q", title=f"median {unit}", format=".3~s"),
    ]
    trained = (
        base.transform_filter(alt.datum.runs > 0)
        .mark_rect(stroke=palette.paper, strokeWidth=2, cursor="pointer")
        .encode(color=alt.Color("strength:Q", title=means, scale=colours, legend=None), tooltip=tooltip)
        .add_params(picked)
    )
    nobody = base.transform_filter(alt.datum.runs == 0).mark_rect(
        fillOpacity=0, stroke=palette.muted, strokeWidth=1, strokeDash=[2, 3]
    )
    following = base.transform_filter("datum.next !== null").mark_rect(
        fillOpacity=0, stroke=palette.series[1], strokeWidth=2.5
    )
    return [trained, nobody, following]


def _words(base: alt.Chart, palette: Palette) -> list[alt.Chart]:
    ink = alt.condition(alt.datum.strong, alt.value(palette.paper), alt.value(palette.ink))
    rim = alt.condition(alt.datum.strong, alt.value(palette.series[0]), alt.value(palette.grid))
    placed: dict[str, dict[str, Any]] = {
        "said:N": {"fontSize": 12, "dy": -4},
        "under:N": {"fontSize": 10, "dy": 11},
    }
    return [
        mark
        for text, style in placed.items()
        for mark in (
            base.mark_text(fontWeight=600, strokeWidth=4, strokeJoin="round", **style).encode(
                text=text, stroke=rim
            ),
            base.mark_text(fontWeight=600, **style).encode(text=text, color=ink),
        )
    ]


def _boundary(line: pl.DataFrame, columns: int, rows: int, palette: Palette) -> Any:
    def place(channel: Any, field: str, cells: int) -> Any:
        scale = alt.Scale(domain=[-0.5, cells - 0.5], nice=False, zero=False)
        return channel(field, scale=scale, axis=None)

    base = alt.Chart(line).encode(
        x=place(alt.X, "px:Q", columns), y=place(alt.Y, "py:Q", rows), order="order:O", detail="part:N"
    )
    rim = base.mark_line(stroke=palette.paper, strokeWidth=5, opacity=0.8, clip=True)
    at = base.transform_filter(alt.datum.part == "at")
    band = base.transform_filter(alt.datum.part != "at")
    return alt.layer(
        rim.transform_filter(alt.datum.part == "at"),
        band.mark_line(stroke=palette.ink, strokeWidth=1.5, strokeDash=[4, 3], clip=True),
        at.mark_line(stroke=palette.ink, strokeWidth=2.5, clip=True),
    )
