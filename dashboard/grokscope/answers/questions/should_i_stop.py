"""Should I stop: of a run that trains, whether it overfits or may still generalize, with what is seen."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from grokscope.answers.questions.asked import Asked
from grokscope.answers.questions.caveats import notes_of
from grokscope.answers.reading.experiment import Experiment, JudgedRun
from grokscope.answers.reading.reader import StoreReader
from grokscope.answers.record.answer import Answer, Number, page
from grokscope.answers.record.names import named, told
from grokscope.interventions.stopping.advice import WORDS, Advice, advice_on, error_rate_of
from grokscope.interventions.stopping.outlook import Outlook

NAME = "should_i_stop"
_FEW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Advised:
    run: JudgedRun
    advice: Advice


def should_i_stop(reader: StoreReader, asked: Asked) -> Answer:
    """Return whether a run should be stopped; without one, which of those in training overfit.

    Raises:
        QuestionError: If experiment or run are not there.
        StoreError: If the store cannot be read.
    """
    experiment = reader.read(asked.experiment, where=asked.where)
    if asked.run is not None:
        run = experiment.run(asked.run)
        return _of_run(experiment, _advised(experiment, run))
    return _of_runs(experiment, [_advised(experiment, run) for run in experiment.runs if run.is_running])


def _advised(experiment: Experiment, run: JudgedRun) -> _Advised:
    points = experiment.all_points_of(run.run_id).select("metric", "step", "value")
    return _Advised(run=run, advice=advice_on(points, params=run.params, verdict=run.verdict))


def _of_run(experiment: Experiment, one: _Advised) -> Answer:
    run, advice = one.run, one.advice
    said = [f"Run {named(run.name)}: {WORDS[advice.outlook]}", told(advice.because)]
    if not run.is_running:
        state = "was not heard of for long" if run.is_silent else "has ended"
        said.append(f"It {state} at step {run.step or 0:,}; this is said of its log as it is.")
    return Answer(
        question=NAME,
        experiment=experiment.name,
        sentences=said,
        verdict=advice.outlook.value,
        numbers=[Number(what="last step", of=run.name, value=run.step, unit="steps")],
        evidence=[*map(told, advice.evidence), *_naive([one])],
        missing=[told(advice.error_rate), *notes_of([run])],
        link=page("run", experiment=experiment.name, runs=[run.run_id]),
        store=experiment.store,
    )


def _of_runs(experiment: Experiment, found: Sequence[_Advised]) -> Answer:
    by_outlook = Counter(one.advice.outlook for one in found)
    return Answer(
        question=NAME,
        experiment=experiment.name,
        sentences=_sentences(experiment, found),
        numbers=[
            Number(what=outlook.value, value=by_outlook[outlook], unit="runs in training")
            for outlook in Outlook
        ],
        evidence=[
            f"Run {named(one.run.name)} at step {one.run.step or 0:,}: {one.advice.outlook.value}. "
            f"{told(one.advice.because)}"
            for outlook in Outlook
            for one in found
            if one.advice.outlook is outlook
        ]
        + _naive(found),
        missing=[
            *(told(error_rate_of(outlook)) for outlook in Outlook if by_outlook[outlook]),
            *notes_of([one.run for one in found]),
        ],
        link=page("live", experiment=experiment.name),
        store=experiment.store,
    )


def _sentences(experiment: Experiment, found: Sequence[_Advised]) -> list[str]:
    if not found:
        return [f"No run of {named(experiment.name)} is training now; name one with run to ask of its log."]
    said = [
        _listed(outlook, [one.run for one in found if one.advice.outlook is outlook])
        for outlook in Outlook
        if any(one.advice.outlook is outlook for one in found)
    ]
    stop = sum(one.advice.outlook is Outlook.OVERFITTING for one in found)
    head = (
        f"{stop:,} of {len(found):,} runs in training overfit and may be stopped"
        if stop
        else (f"Nothing speaks for stopping any of {len(found):,} runs in training")
    )
    return [f"{head}.", *said]


def _listed(outlook: Outlook, runs: Sequence[JudgedRun]) -> str:
    some = ", ".join(named(run.name) for run in runs[:_FEW])
    more = f" and {len(runs) - _FEW:,} more" if len(runs) > _FEW else ""
    return f"{len(runs):,} {outlook.value}: {some}{more}."


def _naive(found: Sequence[_Advised]) -> list[str]:
    """Return what the usual rule would have stopped, beside what is said here."""
    stopped = [one for one in found if one.advice.naive.would_stop]
    if not stopped:
        return ["Comparing halves, the usual rule, would stop none of them."] if found else []
    names = ", ".join(named(one.run.name) for one in stopped[:_FEW])
    first = told(stopped[0].advice.naive.because)
    return [f"Comparing halves, the usual rule, would stop {len(stopped):,}: {names}. {first}"]
