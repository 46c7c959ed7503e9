"""What is to be reached, what is counted, and what a run may spend."""

import polars as pl
import streamlit as st

from grokscope.dashboard.component.chart import IN_ADDRESS
from grokscope.dashboard.state.data import Data, Snapshot
from grokscope.dashboard.state.selection import group_key
from grokscope.dashboard.tables.interventions.goals import DEGREES, METRIC, Goal, first_level, first_sign
from grokscope.dashboard.tables.interventions.groups import followed
from grokscope.dashboard.tables.main_metric import first_metric, held_out_scores, main_curves
from grokscope.dashboard.tables.x_units import STEPS, Unit, preferred
from grokscope.dashboard.views.interventions.computed import Asked, logged_metrics, points_of, rows_of, units
from grokscope.dashboard.words.escaping import plain
from grokscope.interventions.amounts import scale
from grokscope.interventions.outcomes.target import Target

_UNTIL = (
    "Dates of the verdicts: *completion* of the rise, its *midpoint*, its *onset*; or a level of any metric "
    "that you name, at the first evaluation that has it."
)


def asked_of(data: Data, snapshot: Snapshot) -> Asked:
    """Draw the controls; return what they and the rail ask for."""
    with st.container(horizontal=True, vertical_alignment="top", key="interventions_controls"):
        goal = _goal(data, snapshot)
        unit = _unit(snapshot)
        budget = _budget(rows_of(snapshot, goal, unit, data.source), unit)
    by_key = {group_key(group): group for group in snapshot.groups()}
    baseline = by_key.get(data.selection.baseline or "")
    return Asked(snapshot=snapshot, goal=goal, unit=unit, budget=budget, baseline=baseline)


def _goal(data: Data, snapshot: Snapshot) -> Goal:
    degree = st.segmented_control(
        "Until", DEGREES, default=DEGREES[0], required=True, key="interventions_until", bind=IN_ADDRESS,
        help=_UNTIL,
    )  # fmt: skip
    if degree != METRIC:
        return Goal(event=degree or DEGREES[0])
    metric = _metric(data, snapshot)
    return Goal() if metric is None else Goal(target=_target(data, snapshot, metric))


def _metric(data: Data, snapshot: Snapshot) -> str | None:
    main = main_curves(snapshot)
    names = held_out_scores(main) | logged_metrics(snapshot, data.source)
    first = first_metric(names, main)
    return st.selectbox(
        "Metric",
        list(names),
        index=0 if first is None else list(names).index(first),
        format_func=plain,
        key="interventions_metric",
        width=260,
        bind=IN_ADDRESS,
    )


def _target(data: Data, snapshot: Snapshot, metric: str) -> Target:
    key = group_key(metric)  # an address holds no text of others that is not asked for
    sign = st.segmented_control(
        "Is", [">=", "<="], default=first_sign(metric), required=True, key=f"interventions_sign_{key}",
        format_func={">=": "≥", "<=": "≤"}.__getitem__, bind=IN_ADDRESS,
    )  # fmt: skip
    way = ">=" if sign != "<=" else "<="
    points = points_of(snapshot, metric, data.source).filter(pl.col("value").is_finite())
    value = pl.col("value").max() if way == ">=" else pl.col("value").min()
    best = points.group_by("run_id").agg(value)["value"]
    level = st.number_input(
        "Level",
        value=first_level(metric, best, sign=way),
        step=None,
        format="%.6g",
        key=f"interventions_level_{key}_{'up' if way == '>=' else 'down'}",
        width=120,
        help="Begins at .95 of a share that a run reaches, else at what half of the runs reach.",
        bind=IN_ADDRESS,
    )
    return Target(metric=metric, sign=way, level=float(level))


def _unit(snapshot: Snapshot) -> Unit:
    known = {unit.name: unit for unit in units(snapshot)}
    name = st.segmented_control(
        "Counted in",
        list(known),
        default=preferred(list(known.values())).name,
        required=True,
        key="interventions_unit",
        help="What all of these runs have logged",
        bind=IN_ADDRESS,
    )
    return known.get(name or "", STEPS)


def _budget(rows: pl.DataFrame, unit: Unit) -> float | None:
    most, common = rows["spent"].max(), followed(rows)
    factor, symbol = scale(float(str(most or 1.0)), unit.symbol)
    value = st.number_input(
        f"Budget, {symbol}",
        value=None,
        min_value=0.0,
        step=None,
        format="%.6g",
        placeholder=f"{common / factor:.4g}",
        key=f"interventions_budget_{group_key(symbol)}",
        width=140,
        help="Up to which means and shares are told. Empty: as far as every group was followed.",
        bind=IN_ADDRESS,
    )
    return value * factor if value else None
