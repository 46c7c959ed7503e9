"""What was drawn, to take along: tidy CSV and Parquet, and the figure as SVG, PDF, PNG and HTML."""

import io
from collections.abc import Sequence

import polars as pl
import polars.selectors as cs

from grokscope.dashboard.exporting.figure import Kind, drawn
from grokscope.dashboard.exporting.publication import Spec, composed, fitted
from grokscope.dashboard.exporting.sizes import SIZES, Size
from grokscope.store.formulas import guarded


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


def to_figure(specs: Sequence[Spec], kind: Kind, *, size: Size = SIZES["double"], title: str = "") -> bytes:
    """Return charts under each other as one figure for paper.

    Raises:
        FigureError: If it cannot be drawn.
    """
    return drawn(fitted(composed(specs), size, title=title, hover=kind == "html"), kind, size=size)


def to_svg(specs: Sequence[Spec]) -> bytes:
    """Return charts under each other as one SVG, two columns of a journal wide."""
    return to_figure(specs, "svg")
