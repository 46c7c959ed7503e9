"""A chart as a file, drawn elsewhere: ``python -m grokscope.dashboard.exporting.figure svg < chart``.

The converter keeps Python's lock for as long as it draws, seconds for a large chart: in the server's process,
all pages of everybody would wait for one person's figure. It fetches nothing.
"""

import json
import os
import re
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import asdict
from hashlib import sha256
from html import escape
from threading import BoundedSemaphore
from typing import Any, Literal

from grokscope.dashboard.exporting.plots import stretched
from grokscope.dashboard.exporting.sizes import MM_PER_POINT, SIZES, Size
from grokscope.schemas import GrokscopeError

DOTS_PER_INCH = 192
"""Of a PNG: twice those of a screen, so that it stays sharp."""

PATIENCE_S = 120.0

_AT_ONCE = BoundedSemaphore(2)
_ROUNDS = 4
"""A figure is drawn at most so often until it is as wide as it is to be."""
_ROOT = re.compile(r'\A<svg\b[^>]*?\bwidth="([\d.]+)" height="([\d.]+)" viewBox="[^"]*"')

Kind = Literal["svg", "pdf", "png", "html"]
_Render = Callable[[dict[str, Any]], str]


class FigureError(GrokscopeError):
    """A chart could not be made a file."""


def drawn(chart: Mapping[str, Any], kind: Kind, *, size: Size = SIZES["double"]) -> bytes:
    """Return a Vega-Lite chart as a file's content, of the given size.

    SVG keeps text as text; PDF is vectors with its fonts embedded; PNG has 192 dots per inch; HTML holds all
    that it needs, answers the pointer, and may load nothing.

    Raises:
        FigureError: If it cannot be drawn, or not within two minutes.

    >>> chart = {"data": {"values": [{"x": 1}]}, "mark": "point", "encoding": {"x": {"field": "x"}}}
    >>> drawn(chart, "svg")[:4]
    b'<svg'
    """
    command = [sys.executable, "-P", "-m", "grokscope.dashboard.exporting.figure", kind]
    try:
        content = json.dumps({"chart": chart, "size": asdict(size)}).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise FigureError(f"the figure could not be drawn: {error}") from error
    try:
        with _AT_ONCE:
            ended = subprocess.run(
                command, input=content, capture_output=True, check=False, timeout=PATIENCE_S
            )
    except subprocess.TimeoutExpired as error:
        raise FigureError(f"the figure was not drawn within {PATIENCE_S:g} s") from error
    if ended.returncode:
        said = ended.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
        raise FigureError(f"the figure could not be drawn: {said[0][:200]}")
    return ended.stdout


def _main(kind: Kind) -> None:
    if os.name == "posix":
        signal.alarm(int(PATIENCE_S))  # whoever asked may be gone
    asked = json.load(sys.stdin)
    try:
        content = _content(asked["chart"], kind, Size(**asked["size"]))
    except ValueError as error:
        # Of a script's stack, the line that names the error.
        lines = str(error).splitlines()
        sys.exit(next((line for line in lines if "Error:" in line), lines[0]))
    sys.stdout.buffer.write(content)


def _content(chart: dict[str, Any], kind: Kind, size: Size) -> bytes:
    import vl_convert  # noqa: PLC0415 - in this process only

    def render(one: dict[str, Any]) -> str:
        vega = _with_filled_keys(vl_convert.vegalite_to_vega(one))
        return vl_convert.vega_to_svg(vega, allowed_base_urls=[])

    fit, svg = _fit(chart, size, render)
    if kind == "html":
        vega = _with_filled_keys(vl_convert.vegalite_to_vega(fit))
        library = str(vl_convert.javascript_bundle())  # pyright: ignore[reportCallIssue, reportUnknownArgumentType]
        return _page(vega, library).encode()
    if kind == "svg":
        return _of_size(svg, size, per_unit=MM_PER_POINT, unit="mm").encode()
    in_points = _of_size(svg, size, per_unit=1, unit="")
    if kind == "pdf":
        return vl_convert.svg_to_pdf(in_points)
    return vl_convert.svg_to_png(in_points, ppi=DOTS_PER_INCH)


def _fit(chart: dict[str, Any], size: Size, render: _Render) -> tuple[dict[str, Any], str]:
    """Return the chart with plots as large as the figure has room for, and its SVG."""
    wide = high = 1.0
    tried: list[tuple[float, float]] = []
    fit, svg = chart, render(chart)
    for _ in range(_ROUNDS):
        width, height = _extent(svg)
        tried.append((wide, width))
        is_as_high = size.height is None or abs(height - size.height) <= 1
        if abs(width - size.width) <= 1 and is_as_high:
            break
        wide = _next(tried, size.width)
        high = 1.0 if size.height is None else max(0.1, high * (1 + (size.height - height) / (height * 0.8)))
        fit = stretched(chart, wide=wide, high=high)
        svg = render(fit)
    return fit, svg


def _next(tried: list[tuple[float, float]], wanted: float) -> float:
    """Return by how much to stretch next: along the line through the last two attempts."""
    (now, width), (before, was) = tried[-1], tried[-2] if len(tried) > 1 else (0.0, 0.0)
    slope = (width - was) / (now - before) if now != before and width != was else width / now
    return min(20.0, max(0.1, now + (wanted - width) / (slope or 1.0)))


def _extent(svg: str) -> tuple[float, float]:
    found = _ROOT.match(svg)
    if found is None:
        raise ValueError("Error: the converter wrote an SVG without a size")
    return float(found[1]), float(found[2])


def _of_size(svg: str, size: Size, *, per_unit: float, unit: str) -> str:
    """Return an SVG with its size on paper; what it holds is scaled to that."""
    width, height = _extent(svg)
    on_paper = size.width_mm / MM_PER_POINT * per_unit
    tall = on_paper * height / width if size.height_mm is None else size.height_mm / MM_PER_POINT * per_unit
    box = f'width="{on_paper:.2f}{unit}" height="{tall:.2f}{unit}" viewBox="0 0 {width:g} {height:g}"'
    root = _ROOT.match(svg)
    start, end = (root.start(1) - len('width="'), root.end()) if root else (0, 0)
    return svg[:start] + box + svg[end:]


def _with_filled_keys(vega: dict[str, Any]) -> dict[str, Any]:
    """Return a Vega chart in whose keys of shapes the ring is hollow and the others are filled, as drawn.

    Vega-Lite cannot say it.
    """
    for legend in vega.get("legends", []):
        if "shape" in legend and "fill" not in legend:
            update = legend.setdefault("encode", {}).setdefault("symbols", {}).setdefault("update", {})
            ink = legend.get("symbolStrokeColor", "black")
            update["stroke"] = {"value": ink}
            update["fill"] = {"signal": f"datum.value === 'memorized' ? 'white' : {json.dumps(ink)}"}
    for mark in vega.get("marks", []):
        if mark.get("type") == "group":
            _with_filled_keys(mark)
    return vega


def _page(vega: dict[str, Any], library: str) -> str:
    """Return a page with a chart and all that draws it; its policy lets nothing be loaded or sent."""
    # Within a script, only an angle bracket could end it.
    content = json.dumps(vega).replace("<", "\\u003c")
    start = (
        f"const spec = {content};\n"
        "vegaEmbed('#figure', spec, {mode: 'vega', renderer: 'svg', ast: true, actions: false})"
        ".catch(console.error);"
    )
    hashes = " ".join(f"'sha256-{b64encode(sha256(s.encode()).digest()).decode()}'" for s in (library, start))
    policy = f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:"
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
        "<title>Figure</title></head>\n<body><div id='figure'></div>\n"
        f"<script>{library}</script>\n<script>{start}</script>\n</body></html>\n"
    )


if __name__ == "__main__":
    _main(sys.argv[1])  # pyright: ignore[reportArgumentType]
