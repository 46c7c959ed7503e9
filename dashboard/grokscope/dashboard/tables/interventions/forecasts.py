"""Will a run in training get there within the budget: a chance where it can be trusted, else why not."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from grokscope.dashboard.state import phases
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.interventions.goals import Goal
from grokscope.dashboard.tables.interventions.variables import Settings
from grokscope.dashboard.tables.x_units import Unit
from grokscope.interventions.forecast.history import History
from grokscope.interventions.forecast.live_forecast import Forecast, forecast
from grokscope.interventions.outcomes.costs import STEPS
from grokscope.interventions.outcomes.target import Target

MOST_RUNS = 4
"""Runs in training that are looked at, those that began last first: each takes seconds."""

_EVENT = "generalization"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What can be said of one run in training.

    Attributes:
        run: What it is called.
        chance: Of getting there within the budget, with its interval; ``None`` where it is not shown.
        low, high: The interval.
        remaining: Median of what it would still spend; ``None`` where it lies behind the budget.
        reason: Why no chance is shown; ``None`` if it is.
    """

    run: str
    chance: float | None = None
    low: float | None = None
    high: float | None = None
    remaining: float | None = None
    reason: str | None = None


def outlooks(  # noqa: PLR0913 - keyword-only options of one public face
    snapshot: Snapshot, rows: pl.DataFrame, settings: Settings, *, goal: Goal, unit: Unit, budget: float
) -> Sequence[Outlook]:
    """Return what can be said of each run in training that is not there yet.

    Args:
        snapshot: The experiment.
        rows: ``REACHING`` of it, counted in ``unit``.
        settings: Params of its runs.
        goal: What is to be reached.
        unit: Steps only: what else is counted is not known along the curves.
        budget: In steps.
    """
    live = phases.active(snapshot.runs)["run_id"].to_list()
    waiting = rows.filter(pl.col("run_id").is_in(live) & ~pl.col("reached")).head(MOST_RUNS)
    if waiting.is_empty() or unit.metric is not None:
        return []
    target = goal.target or Target(metric=_EVENT, sign=">=", level=1.0)
    curves = _curves(snapshot, rows, goal)
    history = History(
        curves=curves.filter(~pl.col("run_id").is_in(live)),
        params=settings.frame.filter(~pl.col("run_id").is_in(live)),
        target=target,
        unit=STEPS,
    )
    found = list[Outlook]()
    for run, label in waiting.select("run_id", "run").iter_rows():
        own = curves.filter(pl.col("run_id") == run)
        params = settings.frame.filter(pl.col("run_id") == run)
        found.append(_outlook(label, forecast(history, own, params=params, budget=budget)))
    return found


def _curves(snapshot: Snapshot, rows: pl.DataFrame, goal: Goal) -> pl.DataFrame:
    curves = snapshot.curves.select("run_id", "metric", "step", "value")
    if goal.target is not None:
        return curves
    # A curve that is 0 until the verdict's date and 1 from there on: a level that can be a target.
    dated = rows.with_columns(value=pl.lit(0.0), metric=pl.lit(_EVENT))
    # From the start on: a landmark before the date shows the level, too.
    start = dated.select("run_id", "metric", pl.lit(0.0).alias("step"), "value")
    before = dated.select("run_id", "metric", _before().alias("step"), "value")
    got = dated.filter("reached")
    there = got.select("run_id", "metric", pl.col("high").alias("step"), pl.lit(1.0).alias("value"))
    made = pl.concat([start, before, there]).with_columns(pl.col("step").cast(pl.Int64()))
    return pl.concat([curves, made.unique(["run_id", "step"], keep="last", maintain_order=True)])


def _before() -> pl.Expr:
    """Return where a run was last seen without: a step before it was seen with, at the latest."""
    return pl.min_horizontal("low", pl.col("high") - 1)


def _outlook(run: str, found: Forecast) -> Outlook:
    if found.hidden is not None:
        return Outlook(run=run, reason=found.hidden)
    return Outlook(
        run=run,
        chance=found.chance.value,
        low=found.chance.low,
        high=found.chance.high,
        remaining=found.remaining.value,
    )
