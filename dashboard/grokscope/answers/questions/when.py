"""When: the dates of one run, or where the runs of each group got there, those that have not counted in."""

from collections.abc import Sequence

import numpy as np

from grokscope.answers.questions.asked import Asked
from grokscope.answers.questions.caveats import caveats, notes_of
from grokscope.answers.questions.reaching import Reach, counted, date_number, dated, goal, reaches
from grokscope.answers.reading.experiment import Experiment
from grokscope.answers.reading.reader import StoreReader
from grokscope.answers.record.answer import Answer, Number, page
from grokscope.answers.record.names import named, told
from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.median import median_cost
from grokscope.schemas import Date, Transition, Verdict

NAME = "when"
_FEW = 5
_DATES = ("memorized", "onset", "midpoint", "generalized")
_SAID = {
    "memorized": "fit its training set",
    "onset": "left its plateau",
    "midpoint": "was half-way up",
    "generalized": "was done",
}


def when(reader: StoreReader, asked: Asked) -> Answer:
    """Return when a run did what, or the first and the median run of each group.

    Raises:
        QuestionError: If experiment, run, param or metric are not there.
        StoreError: If the store cannot be read.
    """
    experiment = reader.read(asked.experiment, where=asked.where)
    found = reaches(experiment, asked.target)
    if asked.run is None:
        return _of_groups(experiment, found, asked)
    run = experiment.run(asked.run)
    return _of_run(experiment, next(one for one in found if one.run.run_id == run.run_id), asked)


def _of_run(experiment: Experiment, reach: Reach, asked: Asked) -> Answer:
    run = reach.run
    if asked.target is not None:
        dates: dict[str, Date | None] = {"target reached": reach.date}
        said = [_reached(reach, goal(asked.target))]
    else:
        dates = {name: getattr(run.verdict, name) for name in _DATES} if run.verdict else {}
        said = _told_dates(run.name, run.verdict)
    missing = () if run.verdict is None else run.verdict.missing
    return Answer(
        question=NAME,
        experiment=experiment.name,
        sentences=said,
        numbers=[date_number(name, date, why="no such date") for name, date in dates.items()],
        evidence=[_event(event) for event in run.verdict.transitions] if run.verdict else [],
        missing=[*(told(one) for one in missing), *notes_of([run])],
        link=page("run", experiment=experiment.name, runs=[run.run_id]),
        store=experiment.store,
    )


def _reached(reach: Reach, what: str) -> str:
    name = named(reach.run.name)
    if reach.date is not None:
        return f"Run {name} {what} between step {reach.date.low:,} and {reach.date.high:,}."
    if reach.spent is None:
        return f"Run {name} has no evaluation of that metric."
    return f"Run {name} has not {what} by step {reach.spent:,}."


def _told_dates(name: str, verdict: Verdict | None) -> list[str]:
    if verdict is None:
        return [f"Run {named(name)} has logged nothing that can be dated."]
    dates = {field: date for field in _DATES if (date := getattr(verdict, field)) is not None}
    if not dates:
        return [f"Nothing is dated in run {named(name)}; its pattern is {verdict.pattern.value}."]
    parts = [f"{_SAID[field]} at {dated(date)}" for field, date in dates.items()]
    said = [f"Run {named(name)} {', '.join(parts)} (95 % intervals)."]
    if verdict.reviews:
        decided = ", ".join(named(review.sentence()) for review in verdict.reviews)
        said.append(f"A person's review is in these dates: {decided}.")
    if verdict.delay is not None:
        ratio = "" if verdict.delay.ratio is None else f", {verdict.delay.ratio:.3g} times the training fit"
        said.append(f"The delay is {verdict.delay.steps:,} steps{ratio}.")
    return said


def _event(event: Transition) -> str:
    date = dated(Date(step=event.step, low=event.low, high=event.high))
    return told(f"{event.kind.word} {event.status.value} on {event.metric} at {date}")


def _of_groups(experiment: Experiment, found: Sequence[Reach], asked: Asked) -> Answer:
    by_run = {one.run.run_id: one for one in found}
    groups = {
        label: [by_run[run.run_id] for run in runs] for label, runs in experiment.grouped(asked.by).items()
    }
    numbers = {label: _median(label, of_group) for label, of_group in groups.items()}
    ranked = sorted(
        groups, key=lambda label: (numbers[label].value or float("inf"), -_reached_of(groups[label]))
    )
    said = [_line(label, groups[label], numbers[label], goal(asked.target)) for label in ranked[:_FEW]]
    if len(ranked) > _FEW:
        said.append(f"{len(ranked) - _FEW:,} more groups are left out here.")
    return Answer(
        question=NAME,
        experiment=experiment.name,
        sentences=said,
        numbers=[numbers[label] for label in ranked],
        evidence=[
            f"Run {named(one.run.name)}: {dated(one.date)}."
            for one in sorted(found, key=lambda one: one.date.step if one.date else 0)
            if one.date is not None
        ],
        missing=caveats(found),
        link=page("compare", experiment=experiment.name),
        store=experiment.store,
    )


def _median(label: str, found: Sequence[Reach]) -> Number:
    """Return the median step of a group; runs that are not there yet count as longer ones."""
    judged = [(one.date, one.spent) for one in found if one.spent is not None]
    if not judged:
        return Number(what="median", of=label, unit="steps", why="none of its runs can be judged")
    low = np.array([float(spent if date is None else date.low) for date, spent in judged])
    high = np.array([np.inf if date is None else float(date.high) for date, _ in judged])
    median = median_cost(CensoredCosts(low, high))
    return Number(
        what="median",
        of=label,
        value=median.value,
        low=median.low,
        high=median.high,
        unit="steps",
        why=median.missing or "",
    )


def _reached_of(found: Sequence[Reach]) -> int:
    return sum(one.date is not None for one in found)


def _line(label: str, found: Sequence[Reach], median: Number, what: str) -> str:
    dates = [one.date for one in found if one.date is not None]
    head = f"Group {named(label)}: {counted(found)} runs {what}"
    if not dates:
        spent = max((one.spent for one in found if one.spent is not None), default=None)
        return f"{head}{'' if spent is None else f', the longest of them by step {spent:,}'}."
    first = min(dates, key=lambda date: date.step)
    middle = (
        "fewer than half of them, so there is no median yet"
        if median.value is None
        else f"the median run at step {median.value:,.0f}{_interval(median)}"
    )
    return f"{head}, the first at {dated(first)}; {middle}."


def _interval(median: Number) -> str:
    if median.low is None and median.high is None:
        return ""
    ends = ["–" if end is None else f"{end:,.0f}" for end in (median.low, median.high)]
    return f" [{', '.join(ends)}]"
