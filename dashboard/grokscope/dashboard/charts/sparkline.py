"""A run's curves in a few square centimetres: a picture for pages that draw many of them every two seconds.

A Vega chart is a program that a browser has to start anew each time; a picture is drawn at once. It holds
numbers and colours of ours alone, no text from outside.
"""

from urllib.parse import quote

import numpy as np
import polars as pl

from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.quantity import Quantity

WIDTH, HEIGHT = 320, 72
_DASHED = "train"
_GREY = "#80878f"  # seen on light and on dark paper
_STYLE = 'fill="none" vector-effect="non-scaling-stroke" stroke-linejoin="round"'


def sparkline(
    points: pl.DataFrame,
    *,
    axis: StepAxis,
    quantity: Quantity,
    colour: str,
    onset: tuple[int, int] | None = None,
) -> str:
    """Return a picture's address: the held-out curve as a full line, the training curve dashed.

    Args:
        points: ``role, step, value``, sorted by step; a value that is null leaves a gap.
        axis: Of steps.
        quantity: The scale of values; what lies beyond it is drawn at its edge.
        colour: Of the lines.
        onset: The 95 % interval of the onset, which is shaded.

    >>> points = pl.DataFrame({"role": "test", "step": [0, 9], "value": [0.0, 1.0]})
    >>> flat = Quantity(low=0, high=1)
    >>> picture = sparkline(points, axis=StepAxis(last=9), quantity=flat, colour="#123456")
    >>> picture[:26], "M0%2C72L320%2C0" in picture
    ('data:image/svg+xml,%3Csvg%', True)
    """
    parts = [
        f'<path d="M0,{HEIGHT - 0.5}H{WIDTH}" stroke="{_GREY}" opacity="0.4" {_STYLE}/>',
        _band(onset, axis),
        *(
            f'<path d="{line}" stroke="{colour}" stroke-width="1.6"{dash} {_STYLE}/>'
            for role, dash in ((_DASHED, ' stroke-dasharray="4 3" opacity="0.75"'), ("test", ""))
            if (line := _line(points.filter(pl.col("role") == role), axis, quantity))
        ),
    ]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">{"".join(parts)}</svg>'
    )
    return f"data:image/svg+xml,{quote(svg)}"


def _band(onset: tuple[int, int] | None, axis: StepAxis) -> str:
    if onset is None:
        return ""
    low, high = _across(np.array(onset, dtype=np.float64), axis)
    return (
        f'<rect x="{low:.4g}" y="0" width="{max(1.5, high - low):.4g}" height="{HEIGHT}" '
        f'fill="{_GREY}" opacity="0.35"/>'
    )


def _line(points: pl.DataFrame, axis: StepAxis, quantity: Quantity) -> str:
    """Return a path through the points, with a new beginning behind each gap."""
    across = _across(points["step"].to_numpy().astype(np.float64), axis)
    parts: list[str] = []
    pen = "M"
    for x, value in zip(across, points["value"], strict=True):
        if value is None or (quantity.log and value <= 0):
            pen = "M"
            continue
        place = min(1.0, max(0.0, quantity.place(value)))
        parts.append(f"{pen}{x:.4g},{(1 - place) * HEIGHT:.4g}")
        pen = "L"
    return "".join(parts)


def _across(steps: "np.ndarray[tuple[int], np.dtype[np.float64]]", axis: StepAxis) -> list[float]:
    low, high = axis.position(np.array([axis.first, max(axis.last, axis.first + 1)], dtype=np.float64))
    placed = (axis.position(steps) - low) / (high - low)
    return list(np.clip(placed, 0.0, 1.0) * WIDTH)
