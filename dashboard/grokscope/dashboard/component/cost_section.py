"""Which group reaches generalization with the least: the question that comparisons are made for."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from grokscope.dashboard.component.chart_data import said_of_steps
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.state.narrowing import narrowed
from grokscope.dashboard.tables.costs import comparable, said_interval, said_of_others
from grokscope.dashboard.tables.interventions.answer import said_of
from grokscope.dashboard.tables.interventions.goals import Goal
from grokscope.dashboard.tables.interventions.groups import LEAST_FINISHED, groups_of
from grokscope.dashboard.tables.interventions.reaching import evaluations_of, reaching
from grokscope.dashboard.tables.interventions.variables import settings_of_runs
from grokscope.dashboard.tables.x_units import STEPS, Unit, preferred, units_of
from grokscope.dashboard.words.escaping import plain
from grokscope.interventions.amounts import amount
from grokscope.schemas.runs.groups import UNGROUPED


def answer_of(snapshot: Snapshot, run_ids: Sequence[str] | None = None) -> str | None:
    """Return the answer of the page Interventions, as it opens; ``None`` with one group or no such run.

    Args:
        snapshot: The experiment.
        run_ids: Those of its runs that are asked about; ``None`` for all.
    """
    return _answer(snapshot if run_ids is None else narrowed(snapshot, run_ids))


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs={Snapshot: lambda snapshot: snapshot.found})
def _answer(snapshot: Snapshot) -> str | None:
    every: list[str] = snapshot.runs["run_id"].to_list()
    ids, _ = comparable(snapshot, every)
    if snapshot.runs.filter(pl.col("run_id").is_in(ids))["group"].n_unique() < 2:  # noqa: PLR2004
        return None
    unit = preferred(units_of(snapshot.curves, _judged(snapshot, ids)))
    rows = reaching(snapshot, Goal(), unit, evaluations=evaluations_of(snapshot))
    if not rows["reached"].any():
        return None
    remedy = settings_of_runs(snapshot).of_enough(LEAST_FINISHED)
    groups = groups_of(rows, baseline=None, budget=None)
    said = said_of(rows, groups, goal=Goal(), unit=unit, remedy=remedy)
    return " ".join(filter(None, [said.headline, _said_of_others(snapshot, every, unit)]))


def _said_of_others(snapshot: Snapshot, run_ids: Sequence[str], unit: Unit) -> str | None:
    """Return which runs are not compared, and which count other steps than the rest; ``None`` without any."""
    settings, _ = comparable(snapshot, run_ids)
    fractional = snapshot.in_thousandths.intersection(settings)
    is_mixed = unit is STEPS and 0 < len(fractional) < len(settings)
    steps = said_of_steps(snapshot, settings) if is_mixed else None
    return " ".join(filter(None, [said_of_others(snapshot, run_ids), steps])) or None


def said_groups(groups: pl.DataFrame, unit: Unit) -> pl.DataFrame:
    """Return ``group, median, said``: the group, how many got there and for how much."""
    is_all = groups["group"].to_list() == [UNGROUPED]
    columns = ("group", "reached", "runs", "median", "low", "high")
    said = [
        f"{'all runs' if is_all else plain(group, limit=60)}  ·  {reached} of {runs}"
        + ("" if median is None else f", median {amount(median, unit.symbol)}")
        + said_interval(low, high, unit)
        for group, reached, runs, median, low, high in groups.select(columns).iter_rows()
    ]
    return groups.select("group", "median", pl.Series("said", said, dtype=pl.String()))


def _judged(snapshot: Snapshot, run_ids: Sequence[str]) -> list[str]:
    """Return the runs that have curves; one that has just started could be counted in nothing yet."""
    return [run for run in run_ids if run in snapshot.verdicts]
