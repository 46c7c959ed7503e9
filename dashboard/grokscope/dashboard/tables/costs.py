"""What it takes to generalize: of every run and, with those that have not counted in, of every group."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import polars as pl

from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.x_units import Unit, in_unit
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.dates import date_of
from grokscope.dashboard.words.escaping import escape
from grokscope.interventions.comparing.lead import lead
from grokscope.interventions.comparing.records import Contrast
from grokscope.interventions.contrasts.attainable import ROUNDING
from grokscope.interventions.estimate import Estimate
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

_DECIDED = 0.05
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
    """Return ``COSTS`` of the runs that have curves; ``event`` is one of ``EVENTS``."""
    rows: list[tuple[object, ...]] = []
    mine = snapshot.runs.filter(pl.col("run_id").is_in(list(run_ids)))
    for run, label, group, step in mine.select("run_id", "label", "group", "step").iter_rows():
        verdict = snapshot.verdicts.get(run)
        date = date_of(verdict, event) if verdict is not None else None
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


def lead_of(costs: pl.DataFrame, groups: pl.DataFrame) -> Contrast | None:
    """Return the first of ``groups`` against the next; ``None`` where the two cannot be compared.

    Args:
        costs: ``COSTS``.
        groups: Their ``GROUP_COSTS``.
    """
    runs = _by_group(costs)
    return _lead(tuple((group, runs[group]) for group in groups["group"]))


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


@lru_cache(maxsize=64)
def _lead(groups: tuple[tuple[str, _Runs], ...]) -> Contrast | None:
    return lead([group for group, _ in groups], {group: _censored(runs) for group, runs in groups})


def _censored(runs: _Runs) -> CensoredCosts:
    low = np.array([low if reached else cost for reached, cost, low, _ in runs], dtype=np.float64)
    high = np.array([high if reached else np.inf for reached, _, _, high in runs], dtype=np.float64)
    return CensoredCosts(low, high)


def answer(
    groups: pl.DataFrame, unit: Unit, *, event: str, first: Contrast | None, others_said: str | None = None
) -> str | None:
    """Return which group got there with the least, in markdown; ``None`` of one run, or while none has.

    Args:
        groups: ``GROUP_COSTS``.
        unit: Of the costs.
        event: One of ``EVENTS``.
        first: The first of the groups against the next: whether it is shown to be cheaper.
        others_said: Of the runs that are not compared; goes last.
    """
    rows = groups.rows(named=True)
    if groups["runs"].sum() < 2 or not any(row["reached"] for row in rows):  # noqa: PLR2004
        return None
    got = {"onset": "began to generalize", "midpoint": "was half-way up (midpoint)"}.get(event, "generalized")
    cheapest, others = rows[0], rows[1:]
    if cheapest["median"] is None:
        return f"No group has {got} in half of its runs: none can be called the cheapest."
    name = f"**{escape(cheapest['group'])}**" if others or others_said else "These runs"
    text = f"{name} {got}{f' {unit.least}' if others else ''}: {_summary(cheapest, unit)}."
    told = [text, *_next(others, unit, first=first), *_undecided(rows, first)]
    return " ".join([*told, *([others_said] if others_said else [])])


def _next(others: Sequence[dict[str, object]], unit: Unit, *, first: Contrast | None) -> list[str]:
    """Return what comes after the cheapest group, and by how much."""
    if not others:
        return []
    second = others[0]
    if isinstance(second["median"], float):
        name, by = escape(str(second["group"])), "" if first is None else _ratio(first)
        return [f"Next comes {name}{by}: {_summary(second, unit)}."]
    runs, reached = (sum(int(str(row[c])) for row in others) for c in ("runs", "reached"))
    farthest = max(float(str(row["spent"])) for row in others)
    spent = phrases.amount(farthest, unit.symbol)
    if runs == 1:
        return [f"The other run did not, with {spent}."]
    return [f"{str(reached or 'none').capitalize()} of the other {runs:,} runs did, with up to {spent}."]


def _ratio(first: Contrast) -> str:
    """Return how many times as much the next group costs: `` with 1.8 [1.2, 2.9] times as much``."""
    found, p = first.speed_up, first.adjusted_p
    if found.value is None:
        return ""
    shown = f" ({_p(p)})" if p is not None and p < _DECIDED else ""
    return f" with {found.value:.3g}{_interval(found)} times as much{shown}"


def _interval(found: Estimate) -> str:
    if found.low is None and found.high is None:
        return ""
    low, high = ("…" if end is None else f"{end:.3g}" for end in (found.low, found.high))
    return f" [{low}, {high}]"


def _undecided(rows: Sequence[dict[str, object]], first: Contrast | None) -> list[str]:
    """Return that the first of the groups is not shown to be cheaper than the next, where it is not."""
    if first is None or first.adjusted_p is None or first.adjusted_p < _DECIDED:
        return []
    other = f" from {escape(first.b)}" if len(rows) > 2 else ""  # noqa: PLR2004 - of two, it is plain which
    if first.attainable_p > _DECIDED + ROUNDING:
        runs = f"{rows[0]['runs']} against {phrases.counted(int(str(rows[1]['runs'])), 'run')}"
        return [f"With {runs} no difference{other} can be shown."]
    return [f"No difference{other} is shown ({_p(first.adjusted_p)})."]


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"  # noqa: PLR2004 - further digits tell nothing


def _summary(row: dict[str, object], unit: Unit) -> str:
    """Return how many got there and the median, with its interval or, where it has none, the runs' range."""
    least, most = float(str(row["least"])), float(str(row["most"]))
    runs = phrases.counted(int(str(row["runs"])), "run")
    median = phrases.amount(float(str(row["median"])), unit.symbol)
    span = f" (runs {phrases.amount_range(least, most, unit.symbol)})" if most > least else ""
    return (
        f"{row['reached']} of {runs}, median {median}{said_interval(row['low'], row['high'], unit) or span}"
    )


def said_interval(low: object, high: object, unit: Unit) -> str:
    """Return the 95 % interval of a median in brackets, an open end as ``…``; empty without one."""
    if isinstance(low, float) and isinstance(high, float):
        return f" [{phrases.amount_range(low, high, unit.symbol)}]"
    if isinstance(low, float):
        return f" [{phrases.amount(low, unit.symbol)} – …]"
    return f" [… – {phrases.amount(high, unit.symbol)}]" if isinstance(high, float) else ""
