"""Which group reaches generalization with the least: the question that comparisons are made for."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from grokscope.dashboard.charts.costs import costs_chart
from grokscope.dashboard.component.chart import IN_ADDRESS, note, show
from grokscope.dashboard.component.chart_data import colours_of, said_of_steps
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.component.page_shell import palette
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.costs import (
    EVENTS,
    answer,
    comparable,
    costs_of,
    group_costs,
    lead_of,
    said_interval,
    said_of_others,
)
from grokscope.dashboard.tables.x_units import STEPS, Unit, units_of
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import plain
from grokscope.interventions.survival.median import FEWEST
from grokscope.schemas.runs.groups import UNGROUPED

_MOST_GROUPS = 40
_FIRST = ("FLOPs", "tokens", "examples", "steps")
_KEY = (
    "● a run that got there, its 95 % interval shaded · ▷ a run that has not, as far as it was trained · "
    "bar: median of all runs (Kaplan–Meier: those that have not got there count, too)"
)


def answer_of(snapshot: Snapshot) -> str | None:
    """Return which group generalized with the least, of all runs; ``None`` with one group or no such run."""
    every = snapshot.runs["run_id"].to_list()
    ids, _ = comparable(snapshot, every)
    settings = snapshot.runs.filter(pl.col("run_id").is_in(ids))["group"]
    if settings.n_unique() < 2:  # noqa: PLR2004 - nothing to compare
        return None
    event, unit = "completion", _preferred(units_of(snapshot.curves, _judged(snapshot, ids)))
    costs = costs_of(snapshot, ids, event=event, unit=unit)
    groups = group_costs(costs)
    others = _said_of_others(snapshot, every, unit)
    return answer(groups, unit, event=event, first=lead_of(costs, groups), others_said=others)


def cost_section(snapshot: Snapshot, run_ids: Sequence[str]) -> str | None:
    """Draw what each run spent until it generalized; return which group spent the least, in markdown."""
    units = units_of(snapshot.curves, _judged(snapshot, run_ids))
    if not _has_event(snapshot, run_ids):
        return None
    st.subheader("What it takes to generalize", anchor=False)
    event, unit = _controls(units)
    costs = costs_of(snapshot, run_ids, event=event, unit=unit)
    compared = pl.col("run_id").is_in(comparable(snapshot, run_ids)[0])
    of_settings = costs.filter(compared)
    ranked = group_costs(of_settings)
    unsaid = (pl.lit(None, dtype=pl.Float64).alias(name) for name in ("median", "low", "high"))
    apart = group_costs(costs.filter(~compared)).with_columns(unsaid)
    groups = pl.concat([ranked, apart])
    shown = groups.head(_MOST_GROUPS)
    of_shown = costs.filter(pl.col("group").is_in(shown["group"].implode()))
    spec = show(
        costs_chart,
        of_shown.drop("run_id"),
        _said(shown, unit),
        key="compare_costs",
        text=f"{unit.name} that each run spent until its {event}, by group, the cheapest first",
        colouring=colours_of(snapshot, palette(), run_ids=run_ids),
        symbol=unit.name,
    )
    st.caption(" · ".join([_KEY, *_said_of_intervals(ranked)]))
    note(phrases.cut(shown.height, groups.height, "groups", rest="The data hold all."))
    others = _said_of_others(snapshot, run_ids, unit)
    said = answer(ranked, unit, event=event, first=lead_of(of_settings, ranked), others_said=others)
    note(None if said else others)
    offer_downloads({"runs": costs.drop("run_id"), "groups": groups}, key="compare_costs", specs=[spec])
    return said


def _said_of_others(snapshot: Snapshot, run_ids: Sequence[str], unit: Unit) -> str | None:
    """Return which runs are not compared, and which count other steps than the rest; ``None`` without any."""
    settings, _ = comparable(snapshot, run_ids)
    fractional = snapshot.in_thousandths.intersection(settings)
    is_mixed = unit is STEPS and 0 < len(fractional) < len(settings)
    steps = said_of_steps(snapshot, settings) if is_mixed else None
    return " ".join(filter(None, [said_of_others(snapshot, run_ids), steps])) or None


def _controls(units: list[Unit]) -> tuple[str, Unit]:
    by_name = {unit.name: unit for unit in units}
    with st.container(horizontal=True, vertical_alignment="top", key="compare_costs_controls"):
        event = st.segmented_control(
            "Until", EVENTS, default="completion", required=True, key="compare_event", bind=IN_ADDRESS
        )
        name = st.segmented_control(
            "Counted in",
            list(by_name),
            default=_preferred(units).name,
            required=True,
            key="compare_unit",
            bind=IN_ADDRESS,
        )
    return event or "completion", by_name.get(name or "", units[0])


def _said(groups: pl.DataFrame, unit: Unit) -> pl.DataFrame:
    """Return ``group, median, said``: the group, how many got there and for how much."""
    is_all = groups["group"].to_list() == [UNGROUPED]
    columns = ("group", "reached", "runs", "median", "low", "high")
    said = [
        f"{'all runs' if is_all else plain(group, limit=60)}  ·  {reached} of {runs}"
        + ("" if median is None else f", median {phrases.amount(median, unit.symbol)}")
        + said_interval(low, high, unit)
        for group, reached, runs, median, low, high in groups.select(columns).iter_rows()
    ]
    return groups.select("group", "median", pl.Series("said", said, dtype=pl.String()))


def _said_of_intervals(groups: pl.DataFrame) -> list[str]:
    """Return what the brackets after medians are, and below how many runs there are none."""
    has_interval = groups.filter(pl.any_horizontal(pl.col("low", "high").is_not_null()))
    told = ["[ ]: its 95 % interval"] if has_interval.height else []
    few = groups.filter(pl.col("runs") < FEWEST)["median"].count() > 0
    return (
        [
            *told,
            f"below {FEWEST} runs a median has none"
            if told
            else f"no interval of a median below {FEWEST} runs",
        ]
        if few
        else told
    )


def _preferred(units: Sequence[Unit]) -> Unit:
    by_name = {unit.name: unit for unit in units}
    return next(by_name[name] for name in _FIRST if name in by_name)


def _judged(snapshot: Snapshot, run_ids: Sequence[str]) -> list[str]:
    """Return the runs that have curves; one that has just started could be counted in nothing yet."""
    return [run for run in run_ids if run in snapshot.verdicts]


def _has_event(snapshot: Snapshot, run_ids: Sequence[str]) -> bool:
    return any(snapshot.verdicts[run].onset is not None for run in _judged(snapshot, run_ids))
