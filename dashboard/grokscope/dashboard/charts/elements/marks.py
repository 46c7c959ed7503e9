"""The dated events of verdicts, placed on the curves that are drawn."""

from collections.abc import Collection, Mapping

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import NDArray

from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.palette import Colouring
from grokscope.dashboard.words.dates import date_of
from grokscope.schemas import Kind, Transition, Verdict

EVENTS = ("memorized", "onset", "completion")
"""Events with a mark, in the order in which a run that groks passes them."""

LOST: Mapping[Kind, str] = {
    Kind.OVERFITTING: "best level",
    Kind.COLLAPSE: "collapse",
    Kind.DIVERGENCE: "divergence",
}
"""What is marked besides, where it happens: how what was learned is lost."""

MARKS_SCHEMA = pl.Schema(
    {
        "run_id": pl.String(),
        "event": pl.String(),
        "step": pl.Int64(),
        "low": pl.Int64(),
        "high": pl.Int64(),
        "value": pl.Float64(),
    }
)

NOW = "now"
"""Where a run in training has arrived."""

_Row = tuple[str, str, int, int, int, float | None]
_Line = tuple[NDArray[np.int64], NDArray[np.float64]]
_FULL_BANDS = 8
"""More bands than this are fainter each, so that curves stay seen through all of them."""

_FULL_MARKS = 120
"""More marks than this are smaller each."""

_SHAPES: Mapping[str, str] = {
    "memorized": "circle",
    "onset": "diamond",
    "completion": "circle",
    NOW: "triangle-right",
    "best level": "square",
    "collapse": "triangle-down",
    "divergence": "cross",
    "recovery": "triangle-up",
    "dip": "triangle-left",
    "slingshot": "wedge",
    "phase change": "triangle",
    "double descent": "arrow",
}


def marks_of(
    verdicts: Mapping[str, Verdict], points: pl.DataFrame, *, now: Collection[str] = ()
) -> pl.DataFrame:
    """Return one row an event, at the height of the run's curve there.

    Args:
        verdicts: By run id.
        points: The curves that are drawn. With a column ``role``, memorization is put on the curve of the
            role ``train`` and the other events on that of ``test``; without, all on the run's only curve.
        now: Runs in training: the end of their test curve is an event, too.

    Returns:
        ``MARKS_SCHEMA``; ``value`` is null where the run has no such curve.
    """
    train, test = ("train", "test") if "role" in points.columns else ("", "")
    curves = _curves(points.filter(pl.col("run_id").is_in(list(verdicts))))
    rows: list[_Row] = []
    for run_id, verdict in verdicts.items():
        for event in EVENTS:
            date = date_of(verdict, event)
            if date is not None:
                curve = curves.get((run_id, train if event == "memorized" else test))
                rows.append((run_id, event, date.step, date.low, date.high, _height(curve, date.step)))
        judged = verdict.outcomes[0].metric if verdict.outcomes else ""
        for event in lost_events(verdict):
            role = test if event.metric == judged else train if event.metric.startswith("train/") else None
            height = None if role is None else _height(curves.get((run_id, role)), event.step)
            rows.append((run_id, LOST[event.kind], event.step, event.low, event.high, height))
        held_out = curves.get((run_id, test))
        if run_id in now and held_out is not None:
            last = int(held_out[0][-1])
            rows.append((run_id, NOW, last, last, last, _height(held_out, last)))
    return pl.DataFrame(rows, schema=MARKS_SCHEMA, orient="row")


def lost_events(verdict: Verdict) -> list[Transition]:
    """Return how a run lost what it had; overfitting only of the curve that it is judged by."""
    judged = verdict.outcomes[0].metric if verdict.outcomes else ""
    return [
        event
        for event in verdict.transitions
        if event.kind in LOST and (event.kind is not Kind.OVERFITTING or event.metric == judged)
    ]


def _curves(points: pl.DataFrame) -> dict[tuple[str, str], _Line]:
    role = pl.col("role") if "role" in points.columns else pl.lit("").alias("role")
    drawn = points.filter(pl.col("value").is_finite()).sort("step")
    parts = drawn.select("run_id", role, "step", "value").partition_by(
        "run_id", "role", as_dict=True, include_key=False
    )
    return {
        (str(run), str(of)): (part["step"].to_numpy(), part["value"].to_numpy())
        for (run, of), part in parts.items()
    }


def _height(curve: _Line | None, step: int) -> float | None:
    return None if curve is None else float(np.interp(step, *curve))


def band_layer(
    marks: pl.DataFrame, axis: StepAxis, colouring: Colouring, *, opacity: float = 0.12
) -> alt.Chart:
    """Return the 95 % intervals of the onsets as bands over the whole height; of many, all the fainter."""
    opacity /= max(1.0, marks.filter(pl.col("event") == "onset").height / _FULL_BANDS)
    return (
        alt.Chart(marks)
        .mark_rect(opacity=opacity, clip=True)
        .encode(
            x=axis.encoding("low"), x2=alt.X2("high"), color=colouring.color(), tooltip=mark_tooltip(axis)
        )
        .transform_filter(alt.datum.event == "onset")
    )


def mark_layer(marks: pl.DataFrame, axis: StepAxis, colouring: Colouring) -> alt.Chart:
    """Return ring (memorized), diamond (onset), disc (completion) and what was lost, with their dates."""
    fill = alt.condition(alt.datum.event == "memorized", alt.value(colouring.palette.paper), colouring.fill())
    crowd = max(1.0, marks.height / _FULL_MARKS)
    return (
        alt.Chart(marks)
        .mark_point(size=max(20.0, 64 / crowd), strokeWidth=1.75 if crowd == 1 else 1.2, opacity=1)
        .encode(
            x=axis.encoding("step"),
            y=alt.Y("value:Q"),
            stroke=colouring.stroke(),
            fill=fill,
            shape=event_shape(),
            tooltip=mark_tooltip(axis),
        )
        .transform_filter(alt.datum.value != None)  # noqa: E711 - becomes an expression
    )


def event_shape() -> alt.Shape:
    """Return the shape channel: ring and disc are circles, told apart by their fill."""
    scale = alt.Scale(domain=list(_SHAPES), range=list(_SHAPES.values()))
    return alt.Shape("event:N", scale=scale, legend=None)


def mark_tooltip(axis: StepAxis) -> list[alt.Tooltip]:
    """Return what a mark says under the pointer."""
    return [
        alt.Tooltip("run:N", title="run"),
        alt.Tooltip("event:N", title="event"),
        axis.tooltip(),
        axis.tooltip("low", title="from"),
        axis.tooltip("high", title="to"),
    ]
