"""Which measure moved first: a row a measure, on an axis of delays with the event at 0."""

from typing import Any

import altair as alt
import polars as pl

from grokscope.dashboard.charts.elements.labels import row_axis
from grokscope.dashboard.charts.elements.palette import Palette, layered

_ROW = 19
_LABELS = 216
_LETTERS = 38
"""Room for the measures' names, in pixels."""

ROLES = ("measure", "training", "event")
"""What a row is of: any measure, one of the training set, the held-out curve whose rise is the event."""

FARTHEST = 4.0
"""The axis goes no further, in delays on either side; what lies beyond is drawn at its end."""

_AXIS = "← earlier        in delays from the midpoint of the held-out rise        later →"
# Constant: no text from outside is ever put into an expression.
_WHEN = "datum.value === 0 ? 'half-way up' : datum.value === -1 ? 'memorized' : format(datum.value, '+~g')"


def run_leads_chart(rows: pl.DataFrame, *, palette: Palette) -> alt.LayerChart:
    """Return one run's measures, each from where 10 % of its change is done to where 50 % is.

    Args:
        rows: ``measure, role, begin, half`` in the order of the rows, positions in delays.
        palette: Light or dark.
    """
    x, x2 = _x(rows, "begin"), alt.X2("half")
    y, color = _y(rows["measure"].to_list()), _color(palette)
    base = alt.Chart(rows).encode(y=y, color=color)
    span = base.mark_rule(strokeWidth=5, opacity=0.3).encode(x=x, x2=x2)
    tooltip = [
        alt.Tooltip("label:N", title="measure"),
        alt.Tooltip("begin:Q", title="10 % done, in delays", format="+.2f"),
        alt.Tooltip("half:Q", title="50 % done, in delays", format="+.2f"),
    ]
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(x=_x(rows, "half"), tooltip=tooltip)
    return _chart([*_rules(rows, palette), span, dots], rows.height, palette)


def pooled_leads_chart(pooled: pl.DataFrame, members: pl.DataFrame, *, palette: Palette) -> alt.LayerChart:
    """Return the measures' medians over runs, with their ranges and the runs behind them.

    A disc is filled where the sign is significant (``sure``), and a ring where it is not.

    Args:
        pooled: ``measure, role, at, earliest, latest, sure, runs, p_value`` in the order of the rows.
        members: ``run, measure, half``.
        palette: Light or dark.
    """
    y, color = _y(pooled["measure"].to_list()), _color(palette)
    base = alt.Chart(pooled).encode(y=y, color=color)
    span = base.mark_rule(strokeWidth=1.5, opacity=0.55).encode(x=_x(pooled, "earliest"), x2=alt.X2("latest"))
    shown = members.filter(pl.col("measure").is_in(pooled["measure"].implode()))
    ticks = (
        alt.Chart(shown)
        .mark_tick(thickness=1.5, height=8, opacity=0.55, color=palette.muted)
        .encode(y=y, x=_x(pooled, "half"), tooltip=["run:N", "label:N", alt.Tooltip("half:Q", format="+.2f")])
    )
    tooltip = [
        alt.Tooltip("label:N", title="measure"),
        alt.Tooltip("at:Q", title="median, in delays", format="+.2f"),
        alt.Tooltip("earliest:Q", format="+.2f"),
        alt.Tooltip("latest:Q", format="+.2f"),
        alt.Tooltip("runs:Q", title="runs", format="d"),
        alt.Tooltip("p_value:Q", title="p", format=".2~g"),
    ]
    fill = alt.condition(alt.datum.sure, color, alt.value(palette.paper))
    dots = base.mark_point(size=64, strokeWidth=1.6, opacity=1).encode(
        x=_x(pooled, "at"), fill=fill, tooltip=tooltip
    )
    return _chart([*_rules(pooled, palette), span, ticks, dots], pooled.height, palette)


def _y(measures: list[str]) -> alt.Y:
    axis = row_axis(_LABELS, letters=_LETTERS, tickBand="extent")
    return alt.Y("measure:N", sort=measures, title=None, scale=alt.Scale(domain=measures), axis=axis)


def _x(rows: pl.DataFrame, field: str) -> alt.X:
    low, high = span_of(rows)
    axis = alt.Axis(
        labelExpr=_WHEN,
        values=_ticks(low, high),
        orient="top",
        labelFlush=False,
        labelOverlap="greedy",
        grid=False,
    )
    scale: dict[str, Any] = {"domain": [low, high], "nice": False, "clamp": True}
    return alt.X(field, type="quantitative", title=_AXIS, scale=alt.Scale(**scale), axis=axis)


def span_of(rows: pl.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis: all positions, memorization and the event, at most ``FARTHEST`` away."""
    columns = [c for c in ("begin", "half", "earliest", "latest") if c in rows.columns]
    values = [float(v) for c in columns for v in rows[c].drop_nulls()]
    low, high = min([-1.0, *values]), max([0.25, *values])
    return max(low, -FARTHEST) - 0.1, min(high, FARTHEST) + 0.1


def _ticks(low: float, high: float) -> list[float]:
    return [v for v in (-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0) if low <= v <= high]


def _color(palette: Palette) -> alt.Color:
    scale = alt.Scale(domain=list(ROLES), range=[palette.series[0], palette.muted, palette.ink])
    return alt.Color("role:N", scale=scale, legend=None)


def _rules(rows: pl.DataFrame, palette: Palette) -> list[alt.Chart]:
    """Return hairlines at memorization and at the event."""
    at = pl.DataFrame({"at": [-1.0, 0.0], "event": ["memorized", "half"]})
    dash = alt.Scale(domain=["memorized", "half"], range=[[2, 3], [1, 0]])
    rule = alt.Chart(at).mark_rule(color=palette.muted, strokeWidth=1)
    return [rule.encode(x=_x(rows, "at"), strokeDash=alt.StrokeDash("event:N", scale=dash, legend=None))]


def _chart(layers: list[alt.Chart], rows: int, palette: Palette) -> alt.LayerChart:
    titles = {"x": "delays from memorized to half-way up"}
    return layered(layers, palette, height=_ROW * max(1, rows), titles=titles)
