"""Figure bundles: one file with a figure, its data and settings, and how to draw it again."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import polars as pl

from grokscope.dashboard.exporting.archive import (
    CHART,
    FIGURE,
    IS_DRAWN,
    README,
    SETTINGS,
    BundleError,
    unzipped,
    zipped,
)
from grokscope.dashboard.exporting.figure import Kind, drawn
from grokscope.dashboard.exporting.files import to_parquet
from grokscope.dashboard.exporting.nested import list_of, object_of
from grokscope.dashboard.exporting.publication import Spec, composed, fitted
from grokscope.dashboard.exporting.rows import check_rows, frame_of, rows_of
from grokscope.dashboard.exporting.sizes import SIZES, Size, size_of
from grokscope.dashboard.exporting.untrusted import check_chart

FORMAT = 1
_DRAWN = "data/drawn-{}.parquet"
_UNSAFE = re.compile(r"[^a-z0-9]+")
_CALLED = 60
_TOLD = ("grokscope", "altair", "vl-convert-python", "polars")


_HOW = """\
A figure of grokscope, with all that it was made of.

Draw it again, or in another form or size:

    grokscope figure THIS_FILE.zip --output figure.pdf --size single

figure.svg      the figure
spec.json       the chart in Vega-Lite, without its data
data/           the rows that it draws (drawn-1.parquet belongs to the data "drawn-1" of spec.json, and so on)
frames/         every row behind it, as Parquet
settings.json   what was asked for, the size, and the versions that drew it

With the versions of settings.json the SVG is the same, byte for byte.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A figure bundle as it was read.

    Attributes:
        chart: What ``composed`` made, with its data.
        size: What it was drawn in.
        title: Above it; may be empty.
        versions: Of what drew it, by package.
        figure: Its SVG.
    """

    chart: Mapping[str, Any]
    size: Size
    title: str
    versions: Mapping[str, str]
    figure: bytes

    def drawn(self, kind: Kind, *, size: Size | None = None) -> bytes:
        """Return the figure drawn anew, in its own size or another.

        Raises:
            FigureError: If it cannot be drawn.
        """
        size = size or self.size
        whole = fitted(self.chart, size, title=self.title, hover=kind == "html")
        return drawn(whole, kind, size=size)


def to_bundle(
    specs: Sequence[Spec],
    frames: Mapping[str, pl.DataFrame],
    *,
    asked: Mapping[str, Any],
    size: Size = SIZES["double"],
    title: str = "",
) -> bytes:
    """Return a figure bundle: a ZIP file, the same bytes for the same figure.

    Args:
        specs: Charts, which become one figure.
        frames: Every row behind them, by name; they go along as Parquet.
        asked: What tells where it came from (experiment, query, grouping, axes, address): JSON.
        size: Of the figure.
        title: Above it.

    Raises:
        BundleError: If its data are no table of numbers and texts.
        FigureError: If it cannot be drawn.
    """
    chart, drawn_from = _apart(composed(specs))
    parquet = {_DRAWN.format(i): to_parquet(frame) for i, frame in enumerate(drawn_from, 1)}
    settings = {
        "format": FORMAT,
        "title": title,
        "size": asdict(size),
        "asked": dict(asked),
        "versions": versions(),
    }
    files = {README: _HOW.encode(), SETTINGS: _json(settings), CHART: _json(chart), **parquet}
    # Drawn from what is in the bundle: what is read back draws the same.
    made = _read({**files, FIGURE: b""})
    files[FIGURE] = made.drawn("svg")
    return zipped(files | {f"frames/{name}.parquet": to_parquet(frame) for name, frame in _named(frames)})


def read_bundle(content: bytes) -> Bundle:
    """Return what a figure bundle holds; nothing is written, and nothing outside it is read.

    Raises:
        BundleError: If it is damaged, is none, holds more than a figure needs, or a name leads out of it.
        UntrustedError: If its chart would load, link or compute more than charts of grokscope do.
    """
    files = unzipped(content)
    check_rows(files)
    return _read(files)


def versions() -> dict[str, str]:
    """Return the versions of what draws figures, by package; what is not installed is left out."""
    found: dict[str, str] = {}
    for name in _TOLD:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _apart(chart: dict[str, Any]) -> tuple[dict[str, Any], list[pl.DataFrame]]:
    """Return a chart without data, which it names ``drawn-1`` and so on, and these data."""
    names = {name: f"drawn-{i}" for i, name in enumerate(chart["datasets"], 1)}
    frames = [frame_of(rows) for rows in chart["datasets"].values()]
    bare = {key: value for key, value in chart.items() if key != "datasets"}
    return _renamed(bare, names), frames


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(one, names) for one in list_of(value)]
    if not isinstance(value, dict):
        return value
    return {
        key: {"name": names[object_of(one)["name"]]}
        if key == "data" and object_of(one).get("name") in names
        else _renamed(one, names)
        for key, one in object_of(value).items()
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, allow_nan=False, default=str).encode() + b"\n"


def _named(frames: Mapping[str, pl.DataFrame]) -> list[tuple[str, pl.DataFrame]]:
    named: dict[str, pl.DataFrame] = {}
    for i, (name, frame) in enumerate(frames.items(), 1):
        called = _UNSAFE.sub("-", name.lower())[:_CALLED].strip("-") or f"frame-{i}"
        named[called if called not in named else f"{called}-{i}"] = frame
    return list(named.items())


def _read(files: Mapping[str, bytes]) -> Bundle:
    missing = [name for name in (CHART, SETTINGS, FIGURE) if name not in files]
    if missing:
        raise BundleError(f"this is no figure bundle: {missing[0]} is missing")
    chart, settings = (_object(files[name], name) for name in (CHART, SETTINGS))
    if settings.get("format") != FORMAT:
        raise BundleError("this figure bundle was made by a newer grokscope; install that to draw it again")
    data = {found[1]: content for name, content in files.items() if (found := IS_DRAWN.fullmatch(name))}
    check_chart(chart, data)
    if set(chart) != {"$schema", "vconcat"} or not isinstance(chart["vconcat"], list):
        raise BundleError(f"{CHART} in this figure bundle is no list of charts under each other")
    title, told = settings.get("title"), settings.get("versions")
    return Bundle(
        chart=chart | {"datasets": rows_of(data)},
        size=_size(settings.get("size")),
        title=title if isinstance(title, str) else "",
        versions={name: str(one) for name, one in object_of(told).items()},
        figure=files[FIGURE],
    )


def _object(content: bytes, name: str) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{name} in this figure bundle is no JSON") from error
    if not object_of(value):
        raise BundleError(f"{name} in this figure bundle is no JSON object")
    return object_of(value)


def _size(value: Any) -> Size:
    try:
        width, height, pixel = value["width_mm"], value["height_mm"], float(value["pixel_pt"])
        size_of(f"{width:.2f}" if height is None else f"{width:.2f}x{height:.2f}")
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise BundleError(f"{SETTINGS} in this figure bundle has no size") from error
    return Size(width_mm=width, height_mm=height, pixel_pt=min(5.0, max(0.1, pixel)))
