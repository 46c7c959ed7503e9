"""Colours and quiet chart furniture, for light and for dark paper."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Any, cast

import altair as alt

Dash = tuple[float, ...]
SOLID: Dash = (1, 0)
_DASHES: Sequence[Dash] = (SOLID, (7, 3), (2, 2.5), (10, 3, 2, 3))
_SAFE = 5
"""How many of the colours are told apart by every eye; beyond, the dash tells groups apart."""

MOST_LOOKS = _SAFE * len(_DASHES)
"""Groups that are told apart by colour and dash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """What a chart is drawn with.

    Attributes:
        series: Colours; the first five are told apart by colour-blind eyes, too, and are those of groups.
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
        """Return a colour for each name, which no later name changes: see ``dashes``.

        More than ``MOST_LOOKS`` names leave the later ones in the grey of what is only context: a look that
        means two things means nothing.

        >>> LIGHT.of(["decay", "none"])["decay"] == LIGHT.of(["decay"])["decay"]
        True
        """
        return {
            name: self.muted if place is None else self.series[place % _SAFE]
            for name, place in _places(names).items()
        }

    def dashes(self, names: Iterable[str]) -> Mapping[str, Dash]:
        """Return a dash for each name; no two names have the same colour and dash.

        A name has the colour that its hash prefers, in every experiment, unless a name before it has taken
        that; the first five are told apart by colour alone, for colour-blind readers too.

        >>> set(LIGHT.dashes("abcde").values()) == {SOLID}
        True
        >>> looks = {(LIGHT.of("abcdefghij")[n], LIGHT.dashes("abcdefghij")[n]) for n in "abcdefghij"}
        >>> len(looks)
        10
        """
        return {
            name: SOLID if place is None else _DASHES[place // _SAFE]
            for name, place in _places(names).items()
        }

    def left_grey(self, names: Iterable[str]) -> int:
        """Return how many of ``names`` get no look of their own."""
        return max(0, len(set(names)) - MOST_LOOKS)


def _places(names: Iterable[str]) -> dict[str, int | None]:
    """Return where each name stands among the looks, the first come first; ``None`` beyond the last."""
    places: dict[str, int | None] = {}
    for name in dict.fromkeys(names):
        row, taken = divmod(len(places), _SAFE)
        if row >= len(_DASHES):
            places[name] = None
            continue
        used = {place for place in list(places.values())[len(places) - taken :] if place is not None}
        wanted = sha1(name.encode(errors="replace"), usedforsecurity=False).digest()[0] % _SAFE
        free = (row * _SAFE + (wanted + shift) % _SAFE for shift in range(_SAFE))
        places[name] = next(place for place in free if place not in used)
    return places


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
        dashes: Dash by value; a value without one is drawn solid.
    """

    field: str
    colours: Mapping[str, str]
    palette: Palette
    dashes: Mapping[str, Dash] = dataclasses.field(default_factory=dict[str, Dash])

    def color(self) -> alt.Color:
        """Return the colour channel, without a legend."""
        return alt.Color(**self._channel(), legend=None)

    def keyed(self, *, columns: int | None = None, symbol: str = "stroke") -> alt.Color:
        """Return the colour channel with a legend above the plot, in one row or in columns."""
        legend = alt.Legend(
            orient="top",
            title=None,
            columns=alt.Undefined if columns is None else columns,
            labelLimit=320 if columns is None else 260 // columns,
            labelColor=self.palette.ink,
            symbolType=symbol,
            symbolStrokeWidth=3,
            symbolOpacity=1,
        )
        return alt.Color(**self._channel(), legend=legend)

    def dash(self) -> alt.StrokeDash | alt.StrokeDashValue:
        """Return the dash channel, without a legend."""
        if all(dash == SOLID for dash in self.dashes.values()):
            return alt.StrokeDashValue(list(SOLID))
        drawn = [list(self.dashes.get(name, SOLID)) for name in self.colours]
        scale = alt.Scale(domain=list(self.colours), range=drawn)
        return alt.StrokeDash(field=self.field, type="nominal", scale=scale, legend=None)

    def stroke(self) -> alt.Stroke:
        """Return the stroke channel, without a legend."""
        return alt.Stroke(**self._channel(), legend=None)

    def fill(self) -> alt.Fill:
        """Return the fill channel, without a legend."""
        return alt.Fill(**self._channel(), legend=None)

    def _channel(self) -> dict[str, Any]:
        scale = alt.Scale(domain=list(self.colours), range=list(self.colours.values()))
        return {"field": self.field, "type": "nominal", "scale": scale}


def between(one: str, other: str, part: float) -> str:
    """Return the colour that lies ``part`` of the way from one to the other, as ``#rrggbb``.

    >>> between("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + part * (b - a)):02x}" for a, b in pairs)


Y_AXIS_WIDTH = 46
"""Room for the labels of the y-axis, equal in all charts so that stacked charts share their x-axis."""


def layered(
    layers: Sequence[alt.Chart],
    palette: Palette,
    *,
    height: int,
    titles: Mapping[str, str] | None = None,
) -> alt.LayerChart:
    """Return the layers as one chart without frame and ticks, with a grid that stays behind the data.

    Everything is given at once: each of Altair's chained calls would copy the whole chart, and a live page
    builds several every two seconds.

    Args:
        layers: From back to front.
        palette: Light or dark.
        height: Of the plot, in pixels, without axis and title.
        titles: What its axes (``x``, ``y``) and colours (``color``) are of: a page says it beside the chart,
            a figure at the axis.
    """
    chart = alt.layer(
        *layers,
        height=height,
        # Only the width is fitted to the page: heights are those of the plot, so that panels can be planned.
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        padding={"left": 4, "right": 4, "top": 4, "bottom": 4},
        config=_config(palette),
        usermeta={"titles": dict(titles or {})},
    )
    return cast("alt.LayerChart", chart)


def _config(palette: Palette) -> alt.Config:
    return alt.Config(
        background=palette.paper,
        # A chart has a text that says what it shows; each of its marks by itself says nothing.
        mark=alt.MarkConfig(aria=False),
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
