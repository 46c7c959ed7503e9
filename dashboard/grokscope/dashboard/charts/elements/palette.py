"""Colours and quiet chart furniture, for light and for dark paper."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import altair as alt

from grokscope.schemas.runs.ordering import natural


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """What a chart is drawn with.

    Attributes:
        series: Colours of groups, in order; the first five are told apart by colour-blind eyes, too.
        paper: The background, for the rim around marks.
        ink: Text.
        muted: Axis labels and whatever is only context.
        grid: Grid lines.
    """

    series: tuple[str, ...]
    paper: str
    ink: str
    muted: str
    grid: str

    def of(self, names: Iterable[str]) -> Mapping[str, str]:
        """Return a colour for each name: the same for the same set of names, and no colour twice.

        More names than colours leave all but the first ``len(series) - 1`` in the grey of what is only
        context: a colour that means two things means nothing. The last of ``series`` is close to that grey.

        >>> LIGHT.of(["b", "a"])["b"] == LIGHT.series[1]
        True
        >>> LIGHT.of("abcdefghij")["j"] == LIGHT.muted
        True
        """
        ordered = natural(names)
        coloured = len(self.series) if len(ordered) <= len(self.series) else len(self.series) - 1
        return {name: self.series[i] if i < coloured else self.muted for i, name in enumerate(ordered)}

    def left_grey(self, names: Iterable[str]) -> int:
        """Return how many of ``names`` get no colour of their own."""
        count = len(set(names))
        return count - len(self.series) + 1 if count > len(self.series) else 0


LIGHT = Palette(
    series=("#2a6bb3", "#da750e", "#0e9c7d", "#ab2f82", "#876504", "#5b4fb0", "#a33c2b", "#5f6b77"),
    paper="#fdfdfb",
    ink="#22262b",
    muted="#6f757b",
    grid="#e9e9e3",
)
DARK = Palette(
    series=("#7b91da", "#f58f25", "#38c392", "#f7a1d9", "#d3d469", "#a99bf0", "#ea8573", "#a3aeba"),
    paper="#15181c",
    ink="#e4e6e8",
    muted="#969ca3",
    grid="#272c32",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Colouring:
    """Which column is told apart by colour, and which colour each of its values has.

    Attributes:
        field: The column, ``group`` or ``run``; its values are other people's text.
        colours: Colour by value.
        palette: Paper and ink around them.
    """

    field: str
    colours: Mapping[str, str]
    palette: Palette

    def color(self) -> alt.Color:
        """Return the colour channel, without a legend."""
        return alt.Color(**self._channel(), legend=None)

    def keyed(self) -> alt.Color:
        """Return the colour channel with a legend above the plot."""
        legend = alt.Legend(
            orient="top",
            title=None,
            labelLimit=320,
            labelColor=self.palette.ink,
            symbolType="stroke",
            symbolStrokeWidth=3,
            symbolOpacity=1,
        )
        return alt.Color(**self._channel(), legend=legend)

    def stroke(self) -> alt.Stroke:
        """Return the stroke channel, without a legend."""
        return alt.Stroke(**self._channel(), legend=None)

    def fill(self) -> alt.Fill:
        """Return the fill channel, without a legend."""
        return alt.Fill(**self._channel(), legend=None)

    def _channel(self) -> dict[str, Any]:
        scale = alt.Scale(domain=list(self.colours), range=list(self.colours.values()))
        return {"field": self.field, "type": "nominal", "scale": scale}


Y_AXIS_WIDTH = 46
"""Room for the labels of the y-axis, equal in all charts so that stacked charts share their x-axis."""


def layered(layers: Sequence[alt.Chart], palette: Palette, *, height: int) -> alt.LayerChart:
    """Return the layers as one chart without frame and ticks, with a grid that stays behind the data.

    Everything is given at once: each of Altair's chained calls would copy the whole chart, and a live page
    builds several every two seconds.

    Args:
        layers: From back to front.
        palette: Light or dark.
        height: Of the plot, in pixels, without axis and title.
    """
    chart = alt.layer(
        *layers,
        height=height,
        # Only the width is fitted to the page: heights are those of the plot, so that panels can be planned.
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        padding={"left": 4, "right": 4, "top": 4, "bottom": 4},
        config=_config(palette),
    )
    return cast("alt.LayerChart", chart)


def _config(palette: Palette) -> alt.Config:
    return alt.Config(
        background=palette.paper,
        axis=alt.AxisConfig(
            domain=False,
            ticks=False,
            gridColor=palette.grid,
            labelColor=palette.muted,
            labelFontSize=11,
            labelPadding=6,
            titleColor=palette.muted,
            titleFontSize=11,
            titleFontWeight="normal",
        ),
        view=alt.ViewConfig(stroke=None),
        title=alt.TitleConfig(
            anchor="start",
            color=palette.ink,
            fontSize=13,
            fontWeight=600,
            frame="bounds",
            offset=8,
            subtitleColor=palette.muted,
            subtitleFontSize=11,
        ),
    )
