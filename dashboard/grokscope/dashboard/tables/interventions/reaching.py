"""What each run spent until it reached a goal, in the form in which the library takes costs."""

from collections.abc import Mapping

import polars as pl

from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.interventions.goals import Goal
from grokscope.dashboard.tables.main_metric import TEST, held_out_points, held_out_scores, main_curves
from grokscope.dashboard.tables.x_units import Progress, Unit, in_unit
from grokscope.dashboard.words.dates import date_of, kept_date
from grokscope.interventions.outcomes.costs import costs_of
from grokscope.interventions.outcomes.ends import ends_of, lasting_as_their_group
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas import Kind, Pattern, Scale, Verdict, score_of
from grokscope.schemas.verdicts.review import PATTERN

REACHING = pl.Schema(
    {
        "run_id": pl.String(),
        "run": pl.String(),
        "group": pl.String(),
        "is_setting": pl.Boolean(),
        "reached": pl.Boolean(),
        "at": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "spent": pl.Float64(),
        "last": pl.Float64(),
        "evaluations": pl.Int64(),
        "end": pl.String(),
        "lost": pl.Boolean(),
    }
)
"""One row a run, ``COSTS`` of the library among it; amounts are in the unit that is counted in.

``is_setting``: its group is one to compare. ``at``: where it reached the goal, else how far it was trained.
``low``, ``high``: the date's interval, or the two evaluations that it lies between; ``high`` is null of a run
that is not there. ``end``: how it ended, one of ``End``. ``lost``: it was there and is not any more: by a
verdict it then counts as one that never got there, by a level of a metric as one that did.
"""

_OWN = ("run_id", "at", "low", "high", "reached", "spent", "last", "evaluations", "lost")
_STEPS = ("at", "low", "high", "spent")


def reaching(  # noqa: PLR0913 - by keyword
    snapshot: Snapshot,
    goal: Goal,
    unit: Unit,
    points: pl.DataFrame | None = None,
    *,
    evaluations: Mapping[str, int] | None = None,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Return ``REACHING`` of the runs that can be told about: those with a verdict, or with the metric.

    Args:
        snapshot: The experiment.
        goal: What is to be reached.
        unit: What is counted; runs that have not logged it are left out.
        points: The curves of the goal's metric; not needed of an event.
        evaluations: What ``evaluations_of`` gave, where that is known already.
        progress: What runs have spent of the unit by step, likewise.
    """
    if goal.target is None:
        found = _by_event(snapshot, goal.event, evaluations or evaluations_of(snapshot))
    else:
        found = _by_level(pl.DataFrame() if points is None else points, goal.target)
    silent = pl.when(pl.col("silent")).then(pl.lit("KILLED")).otherwise("status").alias("status")
    known = snapshot.runs.select(
        "run_id", pl.col("label").alias("run"), "group", pl.col("lacks").is_null().alias("is_setting"),
        silent, "planned",
    )  # fmt: skip
    ends = ends_of(found, known).select("run_id", "end")
    rows = found.join(known, on="run_id", how="inner", maintain_order="left").join(
        ends, on="run_id", maintain_order="left"
    )
    curves = snapshot.curves if progress is None else progress
    counted = in_unit(rows.cast(dict.fromkeys(_STEPS, pl.Float64())), curves, unit, columns=_STEPS)
    return lasting_as_their_group(counted).select(REACHING.names()).match_to_schema(REACHING)


def metric_points(snapshot: Snapshot, metric: str) -> pl.DataFrame | None:
    """Return the curves of a metric as far as the snapshot holds them; ``None`` where it does not."""
    main = main_curves(snapshot)
    if metric in held_out_scores(main):
        return held_out_points(main, metric)
    mine = snapshot.curves.filter(pl.col("metric") == metric)
    return mine if mine.height else None


def _by_level(points: pl.DataFrame, target: Target) -> pl.DataFrame:
    if points.is_empty():
        return pl.DataFrame(schema={name: REACHING[name] for name in _OWN})
    costs = costs_of(points.filter(pl.col("metric") == target.metric), target)
    return costs.with_columns(
        at=pl.when("reached").then("high").otherwise("low"),
        lost=pl.col("reached") & ~pl.col("ends_met"),
    ).select(_OWN)


def _by_event(snapshot: Snapshot, event: str, counts: Mapping[str, int]) -> pl.DataFrame:
    steps: Mapping[str, int | None] = dict(snapshot.runs.select("run_id", "step").iter_rows())
    rows = [
        _dated(verdict, event, step=step, evaluations=counts.get(run, 1))
        for run, step in steps.items()
        if (verdict := snapshot.verdicts.get(run)) is not None and _can_be_told(verdict) and step is not None
    ]
    return pl.DataFrame(rows, schema={name: REACHING[name] for name in _OWN}, orient="row")


def _can_be_told(verdict: Verdict) -> bool:
    """Return whether a verdict tells if the run has generalized: how low a loss could go nobody knows."""
    is_decided = any(one.subject in ("generalized", PATTERN) for one in verdict.reviews)
    if verdict.pattern is not Pattern.OTHER or is_decided:
        return bool(verdict.outcomes)
    scores = [score_of(outcome.metric) for outcome in verdict.outcomes]
    return any(score is not None and score.scale not in (Scale.LOG, Scale.POSITIVE) for score in scores)


def _dated(verdict: Verdict, event: str, *, step: int, evaluations: int) -> tuple[object, ...]:
    date = kept_date(verdict, event)
    lost = date is None and date_of(verdict, event) is not None
    diverged = any(one.kind is Kind.DIVERGENCE for one in verdict.transitions)
    last = float("nan") if diverged else 0.0
    ends = (step, step, None) if date is None else (date.step, date.low, date.high)
    return verdict.run, *ends, date is not None, step, last, evaluations, lost


def evaluations_of(snapshot: Snapshot) -> dict[str, int]:
    """Return how many evaluations the held-out curve has that each run is judged by."""
    held_out = main_curves(snapshot).filter(pl.col("role") == TEST)
    return dict(held_out.group_by("run_id").len().iter_rows())


def count_unreadable(snapshot: Snapshot, rows: pl.DataFrame) -> int:
    """Return how many runs the rows say nothing of: no verdict yet, or without the metric."""
    return snapshot.runs.filter(~pl.col("run_id").is_in(rows["run_id"].implode())).height
