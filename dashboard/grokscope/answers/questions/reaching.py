"""Which runs got there, where, and how far the others are: by the verdict, or by a target that was given."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from grokscope.answers.errors import QuestionError
from grokscope.answers.reading.experiment import Experiment, JudgedRun
from grokscope.answers.record.answer import Number
from grokscope.answers.record.names import named, quoted
from grokscope.interventions.clopper_pearson import clopper_pearson
from grokscope.interventions.outcomes.costs import costs_of
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas import Date

GENERALIZED = "generalized"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a run has come towards what is asked of it.

    Attributes:
        run: The run.
        date: Where it got there; ``None`` if it has not.
        spent: The last step that was looked at; ``None`` of a run that cannot be judged.
    """

    run: JudgedRun
    date: Date | None
    spent: int | None

    @property
    def is_judged(self) -> bool:
        """Whether it can be told at all."""
        return self.spent is not None


def reaches(experiment: Experiment, target: Target | None) -> list[Reach]:
    """Return how far each run has come, in the order of the experiment.

    By the verdict, a run got there where its rise was done (``generalized``), unless it has lost it since. By
    a target, where an evaluation first had the level: between that evaluation and the one before.

    Raises:
        QuestionError: If no run has evaluations of the target's metric.
    """
    if target is None:
        return [_by_verdict(run) for run in experiment.runs]
    points = experiment.points_of(target.metric)
    if points.is_empty():
        raise QuestionError(
            f"no run of {quoted(experiment.name)} has evaluations of {quoted(target.metric)}; "
            f"name a metric that was logged"
        )
    costs = costs_of(points.with_columns(metric=pl.lit(target.metric)), target)
    rows = {row["run_id"]: row for row in costs.iter_rows(named=True)}
    return [_by_target(run, rows.get(run.run_id)) for run in experiment.runs]


def _by_verdict(run: JudgedRun) -> Reach:
    verdict = run.verdict
    if verdict is None or not (verdict.outcomes or "generalized" in run.decided):
        return Reach(run=run, date=None, spent=None)
    date = verdict.generalized if run.has_generalized else None
    return Reach(run=run, date=date, spent=run.step)


def _by_target(run: JudgedRun, row: dict[str, float | bool | None] | None) -> Reach:
    if row is None:
        return Reach(run=run, date=None, spent=None)
    low, high, spent = row["low"], row["high"], row["spent"]
    date = None if high is None or low is None else Date(step=int(high), low=int(low), high=int(high))
    return Reach(run=run, date=date, spent=None if spent is None else int(spent))


def share(found: Sequence[Reach], *, what: str, of: str = "") -> Number:
    """Return how many of the runs that can be judged got there, as a share.

    k/n with the Clopper–Pearson interval, which is exact for independent runs of one setting (Clopper &
    Pearson 1934).
    """
    judged = [one for one in found if one.is_judged]
    reached = sum(one.date is not None for one in judged)
    if not judged:
        return Number(what=what, of=of, unit="share", why="none of its runs can be judged")
    low, high = clopper_pearson(reached, len(judged))
    return Number(
        what=what,
        of=of,
        value=reached / len(judged),
        low=float(low),
        high=float(high),
        unit="share",
        why=f"{reached} of {len(judged)}",
    )


def counted(found: Sequence[Reach]) -> str:
    """Return how many of the runs that can be judged got there, as people say it."""
    judged = [one for one in found if one.is_judged]
    return f"{sum(one.date is not None for one in judged)} of {len(judged)}"


def goal(target: Target | None) -> str:
    """Return what was to be reached, as a verb and its object.

    >>> goal(None)
    'generalized'
    """
    return GENERALIZED if target is None else f"reached {named(str(target))}"


def dated(date: Date) -> str:
    """Return a date with its 95 % interval.

    >>> dated(Date(step=1550, low=1525, high=1575))
    'step 1,550 [1,525, 1,575]'
    """
    return f"step {date.step:,} [{date.low:,}, {date.high:,}]"


def date_number(what: str, date: Date | None, *, of: str = "", why: str = "") -> Number:
    """Return a date as a number of an answer."""
    if date is None:
        return Number(what=what, of=of, unit="steps", why=why)
    return Number(what=what, of=of, value=date.step, low=date.low, high=date.high, unit="steps")
