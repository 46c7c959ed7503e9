"""Events of single curves, beside those that are marked wherever a run is drawn."""

from collections.abc import Mapping

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.marks import MARKS_SCHEMA
from grokscope.dashboard.charts.elements.palette import Colouring
from grokscope.schemas import Kind, Verdict

OF_ONE_CURVE: Mapping[Kind, str] = {
    Kind.RECOVERY: "▲ recovery",
    Kind.DIP: "◀ dip",
    Kind.SLINGSHOT: "wedge: slingshot",
    Kind.PHASE_CHANGE: "△ phase change",
    Kind.DOUBLE_DESCENT: "arrow: double descent",
}
"""Kinds that are marked on the curve that they were read from alone -> what a key says of the mark."""

_FULL_BANDS = 8
_OPACITY = 0.1


def curve_marks(
    verdicts: Mapping[str, Verdict], points: pl.DataFrame, metrics: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Return one row an event of a single curve, at its height there.

    Args:
        verdicts: By run id.
        points: The curves that are drawn, one a run: ``run_id, step, value``.
        metrics: Run id -> the metric that is drawn of it; ``None`` for the events of all curves, without a
            height.

    Returns:
        ``MARKS_SCHEMA``.
    """
    rows = [
        (run, event.kind.word, event.step, event.low, event.high)
        for run, verdict in verdicts.items()
        for event in verdict.transitions
        if event.kind in OF_ONE_CURVE and (metrics is None or metrics.get(run) == event.metric)
    ]
    schema = {name: MARKS_SCHEMA[name] for name in ("run_id", "event", "step", "low", "high")}
    found = pl.DataFrame(rows, schema=schema, orient="row").sort("step")
    if metrics is None or points.is_empty():
        return found.with_columns(value=pl.lit(None, dtype=pl.Float64)).select(MARKS_SCHEMA.names())
    curves = points.filter(pl.col("value").is_finite()).select("run_id", "step", "value").sort("step")
    curves = curves.with_columns(pl.col("step").cast(pl.Int64))
    near = found.join_asof(curves, on="step", by="run_id", strategy="nearest", check_sortedness=False)
    return near.select(MARKS_SCHEMA.names())


def interval_layer(marks: pl.DataFrame, axis: StepAxis, colouring: Colouring) -> alt.Chart:
    """Return the 95 % intervals of all events as bands over the whole height; of many, all the fainter."""
    wide = marks.filter(pl.col("high") > pl.col("low"))
    opacity = _OPACITY / max(1.0, wide.height / _FULL_BANDS)
    return (
        alt.Chart(wide.drop("value"))
        .mark_rect(opacity=opacity, clip=True)
        .encode(x=axis.encoding("low"), x2=alt.X2("high"), color=colouring.color())
    )


def said_of_marks(marks: pl.DataFrame) -> list[str]:
    """Return what the marks of single curves mean, of those that are there."""
    there = set(marks["event"])
    return [said for kind, said in OF_ONE_CURVE.items() if kind.word in there]
