"""Where points stand on the x-axis: by steps, what they took, the clock, an event of each run, a metric."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from grokscope.dashboard.charts import StepAxis
from grokscope.dashboard.charts.elements.axes import LINEAR_BELOW, THOUSANDTHS
from grokscope.dashboard.charts.elements.quantity import FARTHEST, label_of, quantity_of, titled
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.x_units import STEPS, Unit, in_unit, units_of
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.dates import date_of
from grokscope.dashboard.words.escaping import plain

_DIVIDED_BELOW = 0.1
DATED = ("step", "low", "high")
"""Columns of steps of what is dated, with an interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the x-axis is.

    Attributes:
        name: In a control and in an address.
        title: Below the axis.
        kind: By the unit itself, by the clock, relative to an event of each run, or by another metric.
        unit: What steps are counted in; relative places are in steps.
        event: ``memorized`` or ``onset``, of relative places.
        metric: Of places by another metric; points keep their steps beside it, since a path may turn back.
    """

    name: str
    title: str
    kind: Literal["unit", "clock", "difference", "ratio", "metric"]
    unit: Unit = STEPS
    event: str = ""
    metric: str = ""


BY_STEPS = Place(name="steps", title="steps", kind="unit")
CLOCK = Place(name="wall clock", title="time, by this machine's clock", kind="clock")
RELATIVE = tuple(
    place
    for event in ("memorized", "onset")
    for place in (
        Place(name=f"steps since {event}", title=f"steps since {event}", kind="difference", event=event),
        Place(name=f"steps ÷ {event}", title=f"steps ÷ the step of {event}", kind="ratio", event=event),
    )
)


def along_metric(metric: str) -> Place:
    """Return the place of points along another metric.

    >>> along_metric("weights/norm").title
    'weight norm'
    """
    return Place(name=metric, title=plain(titled(metric)), kind="metric", metric=metric)


def places_of(snapshot: Snapshot, run_ids: Sequence[str]) -> list[Place]:
    """Return what runs can be laid along from their start: units that all have, the clock."""
    units = [
        Place(name=unit.name, title=unit.name, kind="unit", unit=unit)
        for unit in units_of(snapshot.curves, run_ids)
        if unit is not STEPS
    ]
    return [BY_STEPS, *units, CLOCK]


def places_from_events(snapshot: Snapshot, run_ids: Sequence[str]) -> list[Place]:
    """Return the places relative to events that some of the runs have."""
    return [place for place in RELATIVE if any(_date(snapshot, run, place) for run in run_ids)]


def placed(
    frame: pl.DataFrame, snapshot: Snapshot, place: Place, *, columns: Sequence[str] = ("step",)
) -> pl.DataFrame:
    """Return ``frame`` with its columns of steps laid along ``place``.

    Args:
        frame: ``run_id`` and ``columns`` of steps, which may be null.
        snapshot: Has the curves that tell units and times, and the verdicts that tell events.
        place: The axis.
        columns: What to lay anew.

    Returns:
        The rows of the runs that have what is asked for; those along a metric as they are, for ``paired``.
    """
    if place.kind == "unit":
        return in_unit(frame, snapshot.curves, place.unit, columns=columns)
    if place.kind == "metric":
        return frame
    if place.kind == "clock":
        times = snapshot.curves.with_columns(metric=pl.lit("time"), value=pl.col("time_ms").cast(pl.Float64))
        once = times.unique(["run_id", "step"], keep="first", maintain_order=True)
        clock = Unit(name="time", metric="time", symbol="", least="")
        return in_unit(frame, once, clock, columns=columns)
    return _relative(frame, _dates(snapshot, place), place, columns)


def paired(frame: pl.DataFrame, along: pl.DataFrame) -> pl.DataFrame:
    """Return ``frame`` with a column ``x``: what ``along`` was last known to be at that step of the run.

    Nothing is interpolated. Rows before the first value of ``along``, and of runs without it, are left out.

    Args:
        frame: ``run_id`` and ``step``.
        along: ``run_id, step, value``.

    >>> loss = pl.DataFrame({"run_id": "a", "step": [0, 5, 9], "value": [3.0, 2.0, 1.0]})
    >>> norm = pl.DataFrame({"run_id": "a", "step": [4, 8], "value": [20.0, 30.0]})
    >>> paired(loss, norm).rows()
    [('a', 5, 2.0, 20.0), ('a', 9, 1.0, 30.0)]
    """
    known = along.filter(pl.col("value").is_finite()).select("run_id", "step", pl.col("value").alias("x"))
    by_step = frame.drop_nulls("step").sort("step", maintain_order=True)
    joined = by_step.join_asof(
        known.sort("step"), on="step", by="run_id", strategy="backward", check_sortedness=False
    )
    return joined.drop_nulls("x").sort("run_id", maintain_order=True)


def axis_of_metric(place: Place, x: pl.Series, *, log: bool) -> StepAxis:
    """Return the axis that holds the values of a metric; logarithmic where that is wished and suits it."""
    quantity = quantity_of(place.metric, x.cast(pl.Float64))
    is_log = quantity.log and log
    return StepAxis(
        first=quantity.low,
        last=quantity.high,
        log=is_log,
        unit=plain(label_of(place.metric)),
        title=f"{place.title}{', log scale' if is_log else ''}",
        linear_below=max(quantity.low, quantity.high * 1e-300) if is_log else LINEAR_BELOW,
    )


def _relative(
    frame: pl.DataFrame, dates: Mapping[str, int], place: Place, columns: Sequence[str]
) -> pl.DataFrame:
    begin = pl.DataFrame(
        {"run_id": list(dates), "_begin": list(dates.values())},
        schema={"run_id": pl.String(), "_begin": pl.Float64()},
    )
    joined = frame.join(begin, on="run_id", how="inner", maintain_order="left")
    made: Callable[[pl.Expr], pl.Expr] = (
        (lambda step: step - pl.col("_begin"))
        if place.kind == "difference"
        else (lambda step: step / pl.col("_begin"))
    )
    return joined.with_columns(made(pl.col(name).cast(pl.Float64)).alias(name) for name in columns).drop(
        "_begin"
    )


def _dates(snapshot: Snapshot, place: Place) -> dict[str, int]:
    found = {run: _date(snapshot, run, place) for run in snapshot.verdicts}
    return {run: step for run, step in found.items() if step is not None}


def _date(snapshot: Snapshot, run: str, place: Place) -> int | None:
    verdict = snapshot.verdicts.get(run)
    date = date_of(verdict, place.event) if verdict is not None else None
    return None if date is None or (place.kind == "ratio" and date.step <= 0) else date.step


def said_of_left_out(snapshot: Snapshot, run_ids: Sequence[str], place: Place) -> str | None:
    """Return how many runs have no such event and are not drawn; ``None`` where all are."""
    if place.kind not in ("difference", "ratio"):
        return None
    dates = _dates(snapshot, place)
    out = sum(run not in dates for run in run_ids)
    if not out:
        return None
    return f"{phrases.counted(out, 'run')} of {len(run_ids):,} left out: no date of “{place.event}” is known."


def axis_along(place: Place, steps: StepAxis, x: pl.Series) -> StepAxis:
    """Return the axis that holds what was placed.

    Args:
        place: What it is.
        steps: The axis of the same runs over steps: its end, its scale, what a narrower range shows.
        x: All values that are drawn on it.
    """
    title = THOUSANDTHS if steps.in_thousandths and place.kind != "clock" else place.title
    if place is BY_STEPS:
        return StepAxis(
            last=steps.last, first=steps.first, is_cut=steps.is_cut, log=steps.log, title=title,
            in_thousandths=steps.in_thousandths,
        )  # fmt: skip
    known = x.filter(x.is_finite()).clip(-FARTHEST, FARTHEST)
    low, high = (float(str(known.min())), float(str(known.max()))) if known.len() else (0.0, 1.0)
    if place.kind == "clock":
        return StepAxis(first=low, last=max(high, low + 1), log=False, unit="time", title=title, is_time=True)
    if place.kind == "unit":
        each = max(high, -low) / max(1.0, float(steps.last))
        below = max(min(LINEAR_BELOW * each, FARTHEST), 1e-9)
        # Somebody else's column of this name may hold anything, and fall below zero.
        first, last = min(low, 0.0), max(high, 0.0)
        return StepAxis(
            first=first, last=last if last > first else 1.0, log=steps.log, unit=place.name, title=title,
            linear_below=below,
        )  # fmt: skip
    below = _DIVIDED_BELOW if place.kind == "ratio" else float(LINEAR_BELOW)
    first = 0.0 if place.kind == "ratio" else min(low, 0.0)
    return StepAxis(
        first=first, last=max(high, first + 1e-6), log=steps.log, unit=place.name, title=title,
        linear_below=below,
    )  # fmt: skip
