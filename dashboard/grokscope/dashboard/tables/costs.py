"""What it takes to generalize: of every run and, with those that have not counted in, of every group."""

from collections import Counter
from collections.abc import Sequence

import polars as pl

from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.x_units import Unit, in_unit
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.dates import date_of
from grokscope.dashboard.words.escaping import escape

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
        "least": pl.Float64(),
        "most": pl.Float64(),
        "spent": pl.Float64(),
    }
)
"""``median``: of all runs (Kaplan-Meier), null while fewer than half have reached it; ``least`` and ``most``:
of those that have; ``spent``: the farthest that any was trained."""


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

    >>> runs = {"run_id": "", "run": "", "low": 0.0, "high": 0.0}
    >>> costs = pl.DataFrame(
    ...     {**runs, "group": ["a", "a", "b"], "reached": [True, False, False], "cost": [5.0, 9.0, 7.0]}
    ... )
    >>> group_costs(costs).rows()
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
    medians = _medians(costs)
    return (
        grouped.join(medians, on="group", how="left", nulls_equal=True)
        .sort("median", share, "least", "group", nulls_last=True)
        .select(GROUP_COSTS.names())
    )


def _medians(costs: pl.DataFrame) -> pl.DataFrame:
    """Return ``group, median``."""
    runs: dict[str, list[tuple[float, bool]]] = {}
    # Of those at one cost, who reached it comes first: who did not was still at risk there.
    in_order = costs.sort("cost", pl.col("reached").not_())
    for group, cost, has_reached in in_order.select("group", "cost", "reached").iter_rows():
        runs.setdefault(group, []).append((cost, has_reached))
    rows = [(group, _median(in_group)) for group, in_group in runs.items()]
    return pl.DataFrame(rows, schema={name: GROUP_COSTS[name] for name in ("group", "median")}, orient="row")


def _median(runs: Sequence[tuple[float, bool]]) -> float | None:
    """Return where the Kaplan-Meier estimate falls to one half; ``None`` if it does not.

    A run that ended before it got there counts among those at risk up to its end, and no longer.

    Args:
        runs: The cost and whether the run reached it, the cheapest first.
    """
    share = 1.0
    for place, (cost, has_reached) in enumerate(runs):
        if has_reached:
            share *= 1 - 1 / (len(runs) - place)
        if share <= 0.5 + 1e-9:
            return cost
    return None


def answer(groups: pl.DataFrame, unit: Unit, *, event: str, others_said: str | None = None) -> str | None:
    """Return which group got there with the least, in markdown; ``None`` of one run, or while none has.

    ``event`` is one of ``EVENTS``; ``others_said`` of the runs that are not compared goes last.
    """
    rows = groups.rows(named=True)
    if groups["runs"].sum() < 2 or not any(row["reached"] for row in rows):  # noqa: PLR2004
        return None
    got = {"onset": "began to generalize", "midpoint": "was half-way up (midpoint)"}.get(event, "generalized")
    first, others = rows[0], rows[1:]
    if first["median"] is None:
        return f"No group has {got} in half of its runs: none can be called the cheapest."
    name = f"**{escape(first['group'])}**" if others or others_said else "These runs"
    text = f"{name} {got}{f' {unit.least}' if others else ''}: {_summary(first, unit)}."
    told = [text, *_next(others, unit, median=first["median"], most=first["most"])]
    return " ".join([*told, *([others_said] if others_said else [])])


def _next(others: Sequence[dict[str, object]], unit: Unit, *, median: float, most: float) -> list[str]:
    """Return what comes after a group with this median, whose last run got there at ``most``."""
    if not others:
        return []
    second = others[0]
    if isinstance(second["median"], float):
        ratio = phrases.times(second["median"] / median) if median > 0 else "–"
        overlap = "; their runs overlap" if float(str(second["least"])) <= most else ""
        name = escape(str(second["group"]))
        return [f"Next comes {name} with {ratio} as much: {_summary(second, unit)}{overlap}."]
    runs, reached = (sum(int(str(row[c])) for row in others) for c in ("runs", "reached"))
    farthest = max(float(str(row["spent"])) for row in others)
    spent = phrases.amount(farthest, unit.symbol)
    if runs == 1:
        return [f"The other run did not, with {spent}."]
    return [f"{str(reached or 'none').capitalize()} of the other {runs:,} runs did, with up to {spent}."]


def _summary(row: dict[str, object], unit: Unit) -> str:
    least, most = float(str(row["least"])), float(str(row["most"]))
    runs = phrases.counted(int(str(row["runs"])), "run")
    median = phrases.amount(float(str(row["median"])), unit.symbol)
    span = f" ({phrases.amount_range(least, most, unit.symbol)})" if most > least else ""
    return f"{row['reached']} of {runs}, median {median}{span}"
