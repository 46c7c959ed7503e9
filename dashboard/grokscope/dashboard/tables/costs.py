"""What it takes to generalize: of every run and, with those that have not counted in, of every group."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import polars as pl

from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.x_units import Unit, in_unit
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.dates import kept_date
from grokscope.dashboard.words.escaping import escape
from grokscope.interventions.amounts import amount, amount_range
from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.median import median_cost

EVENTS = ("onset", "midpoint", "completion")
"""Degrees of generalization that a run can have reached: names of ``DATES``."""

COSTS = pl.Schema(
    {
        "run_id": pl.String(),
        "run": pl.String(),
        "group": pl.String(),
        "reached": pl.Boolean(),
        "cost": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
    }
)
"""``cost``: where the run reached it, with the date's 95 % interval; else how far it was trained."""

GROUP_COSTS = pl.Schema(
    {
        "group": pl.String(),
        "runs": pl.Int64(),
        "reached": pl.Int64(),
        "median": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "least": pl.Float64(),
        "most": pl.Float64(),
        "spent": pl.Float64(),
    }
)
"""``median``: of all runs (Kaplan-Meier), null while fewer than half have reached it; ``low``, ``high``: its
95 % interval, null below six runs and where nothing bounds it; ``least`` and ``most``: of those that have
reached it; ``spent``: the farthest that any was trained."""

_Runs = tuple[tuple[bool, float, float, float], ...]
"""Of each run of a group: whether it got there, its cost, and the ends of its interval."""


def comparable(snapshot: Snapshot, run_ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the runs whose groups are settings to compare, and the others; all, where none has a setting."""
    mine = snapshot.runs.filter(pl.col("run_id").is_in(list(run_ids)))
    settings = mine.filter(pl.col("lacks").is_null())["run_id"].to_list()
    if not settings:
        return list(run_ids), []
    known = set(settings)
    return settings, [run for run in run_ids if run not in known]


def said_of_others(snapshot: Snapshot, run_ids: Sequence[str]) -> str | None:
    """Return, in markdown, which of the runs are not compared, and why; ``None`` if all are."""
    _, others = comparable(snapshot, run_ids)
    lacks = Counter(snapshot.runs.filter(pl.col("run_id").is_in(others))["lacks"].to_list())
    if not lacks:
        return None
    said = [
        f"{phrases.counted(count, 'run')} {'has' if count == 1 else 'have'} no {escape(what)}"
        for what, count in sorted(lacks.items())
    ]
    if len(said) > 1:
        return f"{', '.join(said)}: these are not compared."
    return f"{said[0]} and {'is' if len(others) == 1 else 'are'} not compared."


def costs_of(snapshot: Snapshot, run_ids: Sequence[str], *, event: str, unit: Unit) -> pl.DataFrame:
    """Return ``COSTS`` of the runs that have curves; one that lost what it had reached has not reached it.

    Args:
        snapshot: The experiment.
        run_ids: Of these runs.
        event: One of ``EVENTS``.
        unit: What is counted.
    """
    rows: list[tuple[object, ...]] = []
    mine = snapshot.runs.filter(pl.col("run_id").is_in(list(run_ids)))
    for run, label, group, step in mine.select("run_id", "label", "group", "step").iter_rows():
        verdict = snapshot.verdicts.get(run)
        date = kept_date(verdict, event) if verdict is not None else None
        if date is not None:
            rows.append((run, label, group, True, date.step, date.low, date.high))
        elif verdict is not None and step is not None:
            rows.append((run, label, group, False, step, step, step))
    frame = pl.DataFrame(rows, schema=COSTS, orient="row")
    return in_unit(frame, snapshot.curves, unit, columns=("cost", "low", "high"))


def group_costs(costs: pl.DataFrame) -> pl.DataFrame:
    """Return ``GROUP_COSTS``, the cheapest first; groups without a median last, by how many reached it.

    The median is of the dates that the page shows. Its interval takes each run's own as one between two
    evaluations, (low, high]: a date is never told more sharply than they lie apart.

    >>> runs = {"run_id": "", "run": "", "low": 0.0, "high": 9.0}
    >>> costs = pl.DataFrame(
    ...     {**runs, "group": ["a", "a", "b"], "reached": [True, False, False], "cost": [5.0, 9.0, 7.0]}
    ... )
    >>> group_costs(costs).drop("low", "high").rows()
    [('a', 2, 1, 5.0, 5.0, 5.0, 9.0), ('b', 1, 0, None, None, None, 7.0)]
    """
    reached = pl.col("cost").filter(pl.col("reached"))
    grouped = costs.group_by("group").agg(
        pl.len().cast(pl.Int64()).alias("runs"),
        pl.col("reached").sum().cast(pl.Int64()).alias("reached"),
        reached.min().alias("least"),
        reached.max().alias("most"),
        pl.col("cost").max().alias("spent"),
    )
    share = (pl.col("reached") / pl.col("runs")).neg()
    rows = [(group, *_median(runs)) for group, runs in _by_group(costs).items()]
    names = ("group", "median", "low", "high")
    medians = pl.DataFrame(rows, schema={name: GROUP_COSTS[name] for name in names}, orient="row")
    return (
        grouped.join(medians, on="group", how="left", nulls_equal=True)
        .sort("median", share, "least", "group", nulls_last=True)
        .select(GROUP_COSTS.names())
    )


def _by_group(costs: pl.DataFrame) -> Mapping[str, _Runs]:
    runs: dict[str, list[tuple[bool, float, float, float]]] = {}
    for group, *run in costs.select("group", "reached", "cost", "low", "high").sort(pl.all()).iter_rows():
        reached, cost, low, high = run
        runs.setdefault(group, []).append((reached, cost, low, high))
    return {group: tuple(of_group) for group, of_group in runs.items()}


@lru_cache(maxsize=2048)
def _median(runs: _Runs) -> tuple[float | None, float | None, float | None]:
    """Return the median and the ends of its interval. Kept: a redraw seldom has new runs."""
    between = median_cost(_censored(runs))
    at_dates = median_cost(_censored(tuple((reached, cost, cost, cost) for reached, cost, _, _ in runs)))
    return at_dates.value, between.low, between.high


def _censored(runs: _Runs) -> CensoredCosts:
    low = np.array([low if reached else cost for reached, cost, low, _ in runs], dtype=np.float64)
    high = np.array([high if reached else np.inf for reached, _, _, high in runs], dtype=np.float64)
    return CensoredCosts(low, high)


def said_interval(low: object, high: object, unit: Unit) -> str:
    """Return the 95 % interval of a median in brackets, an open end as ``…``; empty without one."""
    if isinstance(low, float) and isinstance(high, float):
        return f" [{amount_range(low, high, unit.symbol)}]"
    if isinstance(low, float):
        return f" [{amount(low, unit.symbol)} – …]"
    return f" [… – {amount(high, unit.symbol)}]" if isinstance(high, float) else ""
