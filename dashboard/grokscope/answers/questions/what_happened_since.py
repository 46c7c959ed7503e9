"""What happened since: runs that began, ended or went wrong, transitions, and what is still on its way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from grokscope.answers.errors import QuestionError
from grokscope.answers.questions.asked import Asked
from grokscope.answers.questions.caveats import notes_of
from grokscope.answers.questions.reaching import dated
from grokscope.answers.reading.experiment import Experiment, JudgedRun
from grokscope.answers.reading.reader import StoreReader
from grokscope.answers.record.answer import Answer, Number, page
from grokscope.answers.record.names import named, told
from grokscope.answers.since import said_time
from grokscope.schemas import Date, Kind, Status, Transition

NAME = "what_happened_since"
_MOST_EXPERIMENTS = 50
_FEW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Happened:
    """One thing that happened.

    Attributes:
        time_ms: When.
        experiment, run: Where.
        event: Of a curve; ``None`` where it happened to the run as a whole.
        what: How it is counted: ``started``, ``failed``, ``generalization``.
    """

    time_ms: int
    experiment: Experiment
    run: JudgedRun
    what: str
    event: Transition | None = None


def what_happened_since(reader: StoreReader, asked: Asked) -> Answer:
    """Return what happened since a time, in one experiment or in all: a digest.

    A run's begin and end are MLflow's. A transition happened when the evaluation was logged that closes its
    interval. Both count from the very millisecond on.

    Raises:
        QuestionError: If no time is given, or the experiment is not there.
        StoreError: If the store cannot be read.
    """
    since = asked.since_ms
    if since is None:
        raise QuestionError("since when? Give a time: 30m, 12h, 1d or 2w ago, or a date")
    names = reader.recent(since) if asked.experiment is None else [asked.experiment]
    read = [reader.read(name, since_ms=since) for name in names[:_MOST_EXPERIMENTS]]
    found = sorted(
        (one for experiment in read for one in _happened(experiment, since)), key=lambda one: -one.time_ms
    )
    missing = [f"{len(names) - _MOST_EXPERIMENTS:,} experiments more were not read; name one."] * (
        len(names) > _MOST_EXPERIMENTS
    )
    missing += [note for experiment in read for note in _untold(experiment)]
    only = names[0] if len(names) == 1 else ""
    return Answer(
        question=NAME,
        experiment=only,
        sentences=_sentences(read, found, since),
        numbers=_numbers(read, found),
        evidence=[_line(one, is_of_several=not only) for one in found if one.event is not None]
        + [_line(one, is_of_several=not only) for one in found if one.event is None],
        missing=missing,
        link=page("live", experiment=only),
        store=reader.address(),
    )


def _happened(experiment: Experiment, since: int) -> list[_Happened]:
    found: list[_Happened] = []
    for run in experiment.runs:
        times = {"started": run.start_ms, _ENDS.get(run.status, ""): run.end_ms}
        found += [
            _Happened(time_ms=time, experiment=experiment, run=run, what=what)
            for what, time in times.items()
            if what and time is not None and time >= since
        ]
    return found + _transitions(experiment, since)


_ENDS: Mapping[str, str] = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "stopped"}


def _transitions(experiment: Experiment, since: int) -> list[_Happened]:
    """Return the events of curves whose last evaluation was logged since."""
    events = [
        (run, event)
        for run in experiment.runs
        if run.verdict is not None
        for event in run.verdict.transitions
        if event.status is Status.CONFIRMED
    ]
    rows = [(place, run.run_id, event.metric, event.high) for place, (run, event) in enumerate(events)]
    asked = pl.DataFrame(rows, schema=["place", "run_id", "metric", "high"], orient="row")
    if asked.is_empty():
        return []
    seen = asked.join(experiment.curves, on=["run_id", "metric"]).filter(pl.col("step") >= pl.col("high"))
    first = seen.sort("step").group_by("place").agg(pl.col("time_ms").drop_nulls().first())
    times = {place: time for place, time in first.iter_rows() if time is not None and time >= since}
    return [
        _Happened(time_ms=times[place], experiment=experiment, run=run, what=event.kind.word, event=event)
        for place, (run, event) in enumerate(events)
        if place in times
    ]


def _sentences(read: Sequence[Experiment], found: Sequence[_Happened], since: int) -> list[str]:
    runs = [run for experiment in read for run in experiment.runs]
    count = _counter(found)
    kinds = ("started", "finished", "failed", "stopped")
    began = [f"{_runs(count(what))} {what}" for what in kinds if count(what)]
    diverged = count(Kind.DIVERGENCE.word)
    began += [f"{_runs(diverged)} diverged"] if diverged else []
    said = [f"Since {said_time(since)}: {', '.join(began) or 'no run began or ended'}."]
    gained = [one for one in found if one.what == Kind.GENERALIZATION.word]
    lost = [one for one in found if one.what == Kind.COLLAPSE.word]
    said += [_who("generalized", gained)] if gained else []
    said += [_who("lost what they had learned", lost)] if lost else []
    said += [line for experiment in read if (line := _first_group(experiment, gained))]
    running, silent = sum(run.is_running for run in runs), sum(run.is_silent for run in runs)
    said.append(f"Now {running:,} {'is' if running == 1 else 'are'} training" + _silent(silent) + ".")
    return said


def _counter(found: Sequence[_Happened]) -> Callable[[str], int]:
    """Return what gives, for a kind of thing, to how many runs it happened."""
    return lambda what: len({one.run.run_id for one in found if one.what == what})


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count:,} runs"


def _silent(count: int) -> str:
    return (
        f", {count:,} called running {'was' if count == 1 else 'were'} not heard of for long" if count else ""
    )


def _who(what: str, found: Sequence[_Happened]) -> str:
    runs = list(dict.fromkeys(one.run.name for one in found))
    some = ", ".join(named(name) for name in runs[:_FEW])
    more = f" and {len(runs) - _FEW:,} more" if len(runs) > _FEW else ""
    return f"{len(runs):,} {what}: {some}{more}."


def _first_group(experiment: Experiment, gained: Sequence[_Happened]) -> str | None:
    """Return which groups got there first, by step, of those with a run that generalized since."""
    dates: dict[str, Date] = {}
    for one in gained:
        date = one.run.verdict.generalized if one.run.verdict else None
        if one.experiment is experiment and date is not None:
            dates[one.run.group] = min(dates.get(one.run.group, date), date, key=lambda own: own.step)
    groups = {run.group for run in experiment.runs}
    if len(groups) < 2 or not dates:  # noqa: PLR2004 - one group is first of nothing
        return None
    order = sorted(dates.items(), key=lambda one: (one[1].step, one[0]))
    parts = [f"{named(group)} at {dated(date)}" for group, date in order[:_FEW]]
    return f"In {named(experiment.name)} the groups that got there, in order of steps: {', '.join(parts)}."


def _numbers(read: Sequence[Experiment], found: Sequence[_Happened]) -> list[Number]:
    count = _counter(found)
    kinds = dict.fromkeys(("started", "finished", "failed", "stopped", *(one.what for one in found)))
    runs = [run for experiment in read for run in experiment.runs]
    now = {
        "running now": sum(run.is_running for run in runs),
        "silent now": sum(run.is_silent for run in runs),
    }
    numbers = [Number(what=what, value=count(what), unit="runs") for what in kinds]
    return numbers + [Number(what=what, value=value, unit="runs") for what, value in now.items()]


def _line(one: _Happened, *, is_of_several: bool) -> str:
    where = f" of {named(one.experiment.name)}" if is_of_several else ""
    name = f"run {named(one.run.name)}{where}"
    if one.event is None:
        return f"{said_time(one.time_ms)}: {name} {one.what}."
    date = Date(step=one.event.step, low=one.event.low, high=one.event.high)
    return f"{said_time(one.time_ms)}: {name}, {one.what} on {named(one.event.metric)} at {dated(date)}."


def _untold(experiment: Experiment) -> list[str]:
    timeless = experiment.curves.filter(pl.col("time_ms").is_null())["run_id"].n_unique()
    said = notes_of(experiment.runs)
    if timeless:
        said.append(
            told(
                f"{timeless} runs of {experiment.name} have points without times; their events are left out."
            )
        )
    return said
