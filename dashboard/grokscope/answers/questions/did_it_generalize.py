"""Did it generalize: one run, or how many of each group."""

from collections.abc import Sequence

from grokscope.answers.questions.asked import Asked
from grokscope.answers.questions.caveats import caveats, notes_of
from grokscope.answers.questions.reaching import Reach, counted, date_number, dated, goal, reaches, share
from grokscope.answers.reading.experiment import Experiment, JudgedRun
from grokscope.answers.reading.reader import StoreReader
from grokscope.answers.record.answer import Answer, Number, page
from grokscope.answers.record.names import named, told
from grokscope.schemas import Kind, Pattern

NAME = "did_it_generalize"
_FEW = 5


def did_it_generalize(reader: StoreReader, asked: Asked) -> Answer:
    """Return whether a run generalized, or how many runs of each group did, with exact intervals.

    Raises:
        QuestionError: If experiment, run, param or metric are not there.
        StoreError: If the store cannot be read.
    """
    experiment = reader.read(asked.experiment, where=asked.where)
    found = reaches(experiment, asked.target)
    if asked.run is not None:
        run = experiment.run(asked.run)
        reach = next(one for one in found if one.run.run_id == run.run_id)
        return _of_run(experiment, reach, asked)
    return _of_groups(experiment, found, asked)


def _of_run(experiment: Experiment, reach: Reach, asked: Asked) -> Answer:
    run = reach.run
    levels = () if run.verdict is None else tuple(run.verdict.outcomes[:_FEW])
    numbers = [date_number(goal_name(asked), reach.date, why="not reached")]
    numbers += [Number(what="level at the end", of=one.metric, value=one.level) for one in levels]
    return Answer(
        question=NAME,
        experiment=experiment.name,
        sentences=_sentences(reach, asked),
        verdict="cannot tell" if run.verdict is None else run.verdict.pattern.value,
        numbers=numbers,
        evidence=_evidence(run),
        missing=[told(one) for one in (() if run.verdict is None else run.verdict.missing)] + notes_of([run]),
        link=page("run", experiment=experiment.name, runs=[run.run_id]),
        store=experiment.store,
    )


def goal_name(asked: Asked) -> str:
    """Return what a date of the answer is called."""
    return "generalized" if asked.target is None else "target reached"


def _sentences(reach: Reach, asked: Asked) -> list[str]:
    run, verdict, what = reach.run, reach.run.verdict, goal(asked.target)
    name = f"run {named(run.name)}"
    if not reach.is_judged:
        return [f"It cannot be told of {name}: {_why_not(run)}"]
    said = [f"Yes: {name} {what} at {dated(reach.date)}." if reach.date else _no(reach, name, what)]
    if verdict is not None and asked.target is None:
        said += [f"Its pattern is {verdict.pattern.value}."] if verdict.pattern is not Pattern.OTHER else []
        said += ["Its log ends in the middle of a change, so this may still turn."] * verdict.in_progress
    decided = ", ".join(run.decided).replace("_", " ")
    said += [f"A person decided its {decided}."] if decided else []
    return said


def _no(reach: Reach, name: str, what: str) -> str:
    run, at = reach.run, f"step {reach.spent:,}"
    verdict = run.verdict
    if verdict is not None and verdict.pattern is Pattern.COLLAPSE and what == "generalized":
        when = "" if verdict.generalized is None else f": it had got there at {dated(verdict.generalized)}"
        return f"No longer: {name} lost what it had learned by {at}{when}."
    fit = (
        ""
        if verdict is None or verdict.memorized is None
        else (f" It had fit its training set at {dated(verdict.memorized)}.")
    )
    if run.is_running:
        return f"Not yet: {name} is at {at} and has not {what} so far.{fit}"
    if run.is_silent:
        return f"Not by {at}, where {name} was last heard of; it has not {what}.{fit}"
    return f"No: {name} ended at {at} and has not {what}.{fit}"


def _why_not(run: JudgedRun) -> str:
    missing = () if run.verdict is None else run.verdict.missing
    return told(missing[0]) if missing else "it has logged no evaluation that can be judged."


def _evidence(run: JudgedRun) -> list[str]:
    events = () if run.verdict is None else run.verdict.transitions
    checks = [check for event in events if event.kind is Kind.GENERALIZATION for check in event.evidence]
    return [told(f"{check.name}: {check.outcome or 'seen'}, {check.text}") for check in checks]


def _of_groups(experiment: Experiment, found: Sequence[Reach], asked: Asked) -> Answer:
    by_run = {one.run.run_id: one for one in found}
    groups = {
        label: [by_run[run.run_id] for run in runs] for label, runs in experiment.grouped(asked.by).items()
    }
    ranked = sorted(groups.items(), key=lambda one: -_rate(one[1]))
    what, is_one = goal(asked.target), len(groups) == 1
    first = f"{counted(found)} runs of {named(experiment.name)} that can be judged {what}."
    said = [first[0].upper() + first[1:]]
    if not is_one:
        parts = [f"{named(label)} {counted(of_group)}" for label, of_group in ranked[:_FEW]]
        more = f" and {len(ranked) - _FEW:,} more groups" if len(ranked) > _FEW else ""
        said.append(f"By group: {', '.join(parts)}{more}.")
    collapsed = [o.run for o in found if o.run.verdict and o.run.verdict.pattern is Pattern.COLLAPSE]
    if collapsed and asked.target is None:
        said.append(f"{len(collapsed):,} of them lost it again, and are not counted.")
    numbers = [share(of_group, what=what_of(asked), of="" if is_one else label) for label, of_group in ranked]
    return Answer(
        question=NAME,
        experiment=experiment.name,
        sentences=said,
        numbers=numbers,
        evidence=[_fastest(label, of_group) for label, of_group in ranked if _rate(of_group) > 0],
        missing=[*caveats(found), _INDEPENDENT],
        link=page("compare", experiment=experiment.name),
        store=experiment.store,
    )


_INDEPENDENT = "Intervals are exact where the runs of a group differ in their seed only."


def what_of(asked: Asked) -> str:
    """Return what a share of runs is called."""
    return "runs that generalized" if asked.target is None else "runs that reached the target"


def _rate(found: Sequence[Reach]) -> float:
    judged = [one for one in found if one.is_judged]
    return sum(one.date is not None for one in judged) / len(judged) if judged else -1.0


def _fastest(label: str, found: Sequence[Reach]) -> str:
    dates = [(one.date, one.run.name) for one in found if one.date is not None]
    date, name = min(dates, key=lambda one: (one[0].step, one[1]))
    return f"First of {named(label)}: run {named(name)} at {dated(date)}."
