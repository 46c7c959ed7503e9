"""A chart as a file, drawn elsewhere: ``python -m grokscope.dashboard.exporting.figure svg < chart``.

The converter keeps Python's lock for as long as it draws, seconds for a large chart: in the server's process,
all pages of everybody would wait for one person's figure.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from threading import BoundedSemaphore
from typing import Any, Literal

from grokscope.schemas import GrokscopeError

SCALE = 2.0
"""Pixels of a PNG per pixel of the figure, so that it stays sharp on paper."""

PATIENCE_S = 120.0

_AT_ONCE = BoundedSemaphore(2)

Kind = Literal["svg", "png"]


class FigureError(GrokscopeError):
    """A chart could not be made a file."""


def drawn(chart: Mapping[str, Any], kind: Kind) -> bytes:
    """Return a Vega-Lite chart as a file's content.

    Raises:
        FigureError: If it cannot be drawn, or not within two minutes.

    >>> drawn({"data": {"values": [{"x": 1}]}, "mark": "point", "encoding": {"x": {"field": "x"}}}, "svg")[:4]
    b'<svg'
    """
    command = [sys.executable, "-P", "-m", "grokscope.dashboard.exporting.figure", kind]
    try:
        content = json.dumps(chart).encode()
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


def _main(kind: str) -> None:
    import vl_convert  # noqa: PLC0415 - in this process only

    if os.name == "posix":
        signal.alarm(int(PATIENCE_S))  # whoever asked may be gone
    chart = json.load(sys.stdin)
    try:
        if kind == "png":
            content = vl_convert.vegalite_to_png(chart, scale=SCALE, allowed_base_urls=[])
        else:
            content = vl_convert.vegalite_to_svg(chart, allowed_base_urls=[]).encode()
    except ValueError as error:
        # Of a script's stack, the line that names the error.
        lines = str(error).splitlines()
        sys.exit(next((line for line in lines if "Error:" in line), lines[0]))
    sys.stdout.buffer.write(content)


if __name__ == "__main__":
    _main(sys.argv[1])
