"""What was drawn, to take along: tidy CSV and Parquet, and the figure as SVG and PNG."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import polars.selectors as cs

from grokscope.dashboard.exporting.figure import drawn
from grokscope.store.formulas import guarded

WIDTH = 900
"""Of an exported figure, in pixels."""

Spec = Mapping[str, Any]
_OF_THE_WHOLE = ("config", "autosize", "padding", "datasets", "$schema")


def to_csv(frame: pl.DataFrame) -> bytes:
    r"""Return ``frame`` as CSV in UTF-8; texts that a spreadsheet would compute are quoted with ``'``.

    Columns of lists (sparklines) are left out.

    >>> to_csv(pl.DataFrame({"run": ["=1+1", "a"], "step": [-1, 2]}))
    b"run,step\n'=1+1,-1\na,2\n"
    """
    return guarded(frame.select(~cs.list())).write_csv().encode()


def to_parquet(frame: pl.DataFrame) -> bytes:
    """Return ``frame`` as Parquet: every type and every value as it is."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def to_svg(specs: Sequence[Spec]) -> bytes:
    """Return charts under each other as one SVG."""
    return drawn(figure_of(specs), "svg")


def to_png(specs: Sequence[Spec]) -> bytes:
    """Return charts under each other as one PNG, twice as fine as the screen."""
    return drawn(figure_of(specs), "png")


def figure_of(specs: Sequence[Spec], *, width: int = WIDTH) -> dict[str, Any]:
    """Return one Vega-Lite chart with ``specs`` under each other, on the first one's paper.

    >>> figure_of([{"mark": "line", "config": {"background": "white"}}], width=100)["vconcat"]
    [{'mark': 'line', 'width': 100}]
    """
    parts = [
        _whole_names({k: v for k, v in spec.items() if k not in _OF_THE_WHOLE}) | {"width": width}
        for spec in specs
    ]
    datasets: dict[str, Any] = {}
    for spec in specs:
        datasets.update(spec.get("datasets", {}))
    first = specs[0]
    whole = {key: first[key] for key in ("$schema", "config") if key in first}
    return {**whole, "vconcat": parts, "datasets": datasets, "spacing": 12, "padding": 16}


def _whole_names(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the chart with texts as long as they are: on paper, the figure makes room for them."""
    layers: list[dict[str, Any]] = spec.get("layer", [])
    marks = [
        layer | {"mark": {k: v for k, v in layer["mark"].items() if k != "limit"}}
        if isinstance(layer.get("mark"), dict) and layer["mark"].get("type") == "text"
        else layer
        for layer in layers
    ]
    return spec | ({"layer": marks} if layers else {})
