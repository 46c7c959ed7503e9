"""What the page computes, kept as long as neither the runs nor what is asked of them change."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.state.data import Snapshot, SnapshotSource
from grokscope.dashboard.tables.interventions.forecasts import Outlook, outlooks
from grokscope.dashboard.tables.interventions.goals import Goal
from grokscope.dashboard.tables.interventions.groups import Groups, groups_of, settings_of
from grokscope.dashboard.tables.interventions.levels import levels_of, worth_of_steps
from grokscope.dashboard.tables.interventions.noise import repeats_among
from grokscope.dashboard.tables.interventions.phases import Grid, phase_grid
from grokscope.dashboard.tables.interventions.reaching import evaluations_of, metric_points, reaching
from grokscope.dashboard.tables.interventions.trends import Trend, trend_of
from grokscope.dashboard.tables.interventions.variables import Settings, settings_of_runs
from grokscope.dashboard.tables.x_units import Progress, Unit, counting_curves, units_of
from grokscope.schemas import empty_points


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the controls and the rail ask for.

    Attributes:
        snapshot: The runs.
        goal: What they are to reach.
        unit: What is counted.
        budget: What a run may spend, in the unit; ``None`` for as far as every group was followed.
        baseline: The group that others are compared with; ``None`` for the cheapest.
    """

    snapshot: Snapshot
    goal: Goal
    unit: Unit
    budget: float | None = None
    baseline: str | None = None


_BY_FOUND: dict[str | type[Any], Callable[[Any], Any]] = {
    Snapshot: lambda snapshot: snapshot.found,
    Asked: lambda asked: (
        asked.snapshot.found,
        repr(asked.goal),
        asked.unit.name,
        asked.budget,
        asked.baseline,
    ),
}


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_BY_FOUND)
def logged_metrics(snapshot: Snapshot, _source: SnapshotSource) -> dict[str, int]:
    """Return which metrics the runs have logged, each with how many have it."""
    return _source.metrics(snapshot.runs["run_id"].to_list())


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_BY_FOUND)
def points_of(snapshot: Snapshot, metric: str, _source: SnapshotSource) -> pl.DataFrame:
    """Return the curves of a metric of all runs."""
    known = metric_points(snapshot, metric)
    if known is not None:
        return known
    read = _source.points(snapshot.runs["run_id"].to_list(), [metric])
    return read if read.height else empty_points()


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=_BY_FOUND)
def rows_of(snapshot: Snapshot, goal: Goal, unit: Unit, _source: SnapshotSource) -> pl.DataFrame:
    """Return ``REACHING``."""
    points = None if goal.target is None else points_of(snapshot, goal.target.metric, _source)
    progress = _progress(snapshot, unit)
    if points is not None:
        return reaching(snapshot, goal, unit, points, progress=progress)
    return reaching(snapshot, goal, unit, evaluations=_evaluations(snapshot), progress=progress)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_BY_FOUND)
def units(snapshot: Snapshot) -> Sequence[Unit]:
    """Return what the runs can be counted in: those with a verdict, if any has one."""
    runs: list[str] = snapshot.runs["run_id"].to_list()
    return units_of(_counting(snapshot), [run for run in runs if run in snapshot.verdicts] or runs)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_BY_FOUND)
def _counting(snapshot: Snapshot) -> pl.DataFrame:
    return counting_curves(snapshot.curves)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_BY_FOUND)
def _progress(snapshot: Snapshot, unit: Unit) -> Progress | None:
    return None if unit.metric is None else Progress.of(_counting(snapshot), unit.metric)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_BY_FOUND)
def _evaluations(snapshot: Snapshot) -> dict[str, int]:
    return evaluations_of(snapshot)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=_BY_FOUND)
def compared(asked: Asked, _source: SnapshotSource) -> Groups:
    """Return the groups compared."""
    rows = rows_of(asked.snapshot, asked.goal, asked.unit, _source)
    return groups_of(rows, baseline=asked.baseline, budget=asked.budget)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_BY_FOUND)
def settings(snapshot: Snapshot) -> Settings:
    """Return the variables of the runs."""
    return settings_of_runs(snapshot)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=_BY_FOUND)
def grid(asked: Asked, x: str, y: str, budget: float, _source: SnapshotSource) -> Grid:
    """Return the phase diagram of two variables."""
    rows = rows_of(asked.snapshot, asked.goal, asked.unit, _source)
    return phase_grid(rows, settings(asked.snapshot).frame, x=x, y=y, budget=budget)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=_BY_FOUND)
def trend(asked: Asked, x: str, budget: float, _source: SnapshotSource) -> Trend:
    """Return how the cost follows a variable."""
    rows = rows_of(asked.snapshot, asked.goal, asked.unit, _source)
    return trend_of(rows, settings(asked.snapshot).frame, x=x, budget=budget, unit=asked.unit.name)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_BY_FOUND)
def levels(asked: Asked, _source: SnapshotSource) -> tuple[str, bool, pl.DataFrame]:
    """Return a metric, whether high values of it are good, and ``LEVELS``."""
    target = asked.goal.target
    points = None if target is None else points_of(asked.snapshot, target.metric, _source)
    return levels_of(asked.snapshot, asked.goal, asked.unit, points)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_BY_FOUND)
def worth(asked: Asked, _source: SnapshotSource) -> Sequence[str]:
    """Return what steps are worth in the metric of ``levels``, a sentence a kind of rate."""
    target = asked.goal.target
    points = None if target is None else points_of(asked.snapshot, target.metric, _source)
    return worth_of_steps(asked.snapshot, asked.goal, points)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_BY_FOUND)
def repeats(asked: Asked, _source: SnapshotSource) -> Sequence[str]:
    """Return which of the runs are no further evidence."""
    rows = rows_of(asked.snapshot, asked.goal, asked.unit, _source)
    return repeats_among(settings_of(rows), asked.snapshot)


@st.cache_resource(max_entries=8, show_spinner="Forecasting …", hash_funcs=_BY_FOUND)
def forecasts(asked: Asked, budget: float, _source: SnapshotSource) -> Sequence[Outlook]:
    """Return what can be said of the runs in training."""
    rows = rows_of(asked.snapshot, asked.goal, asked.unit, _source)
    snapshot = asked.snapshot
    target = asked.goal.target
    if target is not None and target.metric not in set(snapshot.curves["metric"]):
        own = points_of(snapshot, target.metric, _source).select(snapshot.curves.columns)
        snapshot = replace(snapshot, curves=pl.concat([snapshot.curves, own]), whole=None)
    return outlooks(snapshot, rows, settings(asked.snapshot), goal=asked.goal, unit=asked.unit, budget=budget)
