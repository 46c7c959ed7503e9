"""Cheapest: which group got there for the least, with those that have not counted in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from grokscope.answers.errors import QuestionError
from grokscope.answers.questions.asked import Asked
from grokscope.answers.questions.caveats import caveats
from grokscope.answers.questions.counting import counted_in, left_out
from grokscope.answers.questions.reaching import Reach, reaches
from grokscope.answers.reading.experiment import Experiment
from grokscope.answers.reading.reader import StoreReader
from grokscope.answers.record.answer import Answer, Number, page
from grokscope.answers.record.names import bare, named, shown
from grokscope.interventions.comparing.comparison import compare
from grokscope.interventions.comparing.records import Comparison, Contrast, GroupResult
from grokscope.interventions.comparing.sentences import finding
from grokscope.interventions.outcomes.costs import STEPS
from grokscope.interventions.outcomes.estimand import Estimand
from grokscope.interventions.outcomes.observed import ObservedRuns
from grokscope.interventions.outcomes.target import Target

NAME = "cheapest"
_GENERALIZED = Target(metric="generalization", sign=">=", level=1.0)
"""What is compared by where none is given: 1 from where the verdict dates a run as generalized."""


def cheapest(reader: StoreReader, asked: Asked) -> Answer:
    """Return which group of runs got there with the fewest steps, or other units, and how surely.

    Raises:
        QuestionError: If experiment, param, metric or unit are not there, or nothing can be judged.
        StoreError: If the store cannot be read.
    """
    experiment = reader.read(asked.experiment, where=asked.where)
    found = reaches(experiment, asked.target)
    if not any(one.is_judged for one in found):
        raise QuestionError("none of these runs can be judged; ask did_it_generalize for the reason")
    unit, steps = asked.count_in or STEPS, _curves(found)
    curves = counted_in(steps, experiment, unit)
    comparison = compared(experiment, curves, asked)
    answer = _answer(experiment, found, comparison, asked.target)
    return replace(answer, missing=[*left_out(steps, curves, unit), *answer.missing])


def compared(experiment: Experiment, curves: pl.DataFrame, asked: Asked) -> Comparison:
    """Return the groups compared: each run by its own interval, those not there as censored."""
    groups = experiment.comparable(asked.by)
    labels = {run.run_id: label for label, runs in groups.items() for run in runs}
    observed = ObservedRuns(runs=_runs(experiment, labels), curves=curves)
    unit = asked.count_in or STEPS
    return compare(observed, target=_GENERALIZED, by=["group"], count_in=unit, estimand=Estimand.ANYTIME)


def _runs(experiment: Experiment, labels: Mapping[str, str]) -> pl.DataFrame:
    """Return the runs with their groups' labels set apart as data, as sentences then hold them."""
    rows = [
        {
            "run_id": run.run_id,
            "name": run.name,
            "status": run.status,
            "group": named(labels[run.run_id]),
            **{_column(name): str(value) for name, value in run.own_params.items()},
        }
        for run in experiment.runs
        if run.run_id in labels
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _column(param: str) -> str:
    """Return a param's name set apart as data, but for those that a comparison knows."""
    return param if param in ("seed", "setting") else named(param)


def _curves(found: Sequence[Reach]) -> pl.DataFrame:
    """Return a curve a run: 0 where it was last seen without, 1 from where it was seen with."""
    rows: list[tuple[str, int, float]] = []
    for one in found:
        if one.date is not None:
            rows += [(one.run.run_id, min(one.date.low, one.date.high - 1), 0.0)]
            rows += [(one.run.run_id, one.date.high, 1.0)]
        elif one.spent is not None:
            rows.append((one.run.run_id, one.spent, 0.0))
    schema = {"run_id": pl.String(), "step": pl.Int64(), "value": pl.Float64()}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(metric=pl.lit(_GENERALIZED.metric))


def _answer(
    experiment: Experiment, found: Sequence[Reach], comparison: Comparison, target: Target | None
) -> Answer:
    return Answer(
        question=NAME,
        experiment=experiment.name,
        sentences=[_plain(comparison.sentence, target)],
        numbers=[
            *(_median(group, comparison.count_in) for group in comparison.groups),
            *(_ratio(one, comparison.count_in) for one in comparison.contrasts),
        ],
        evidence=[_plain(finding(one, comparison.count_in), target) for one in comparison.contrasts],
        missing=[
            *(_plain(caveat, target) for caveat in comparison.caveats),
            *_without_setting(experiment, comparison),
            *caveats(found),
        ],
        link=page("compare", experiment=experiment.name),
        store=experiment.store,
    )


def _without_setting(experiment: Experiment, comparison: Comparison) -> list[str]:
    count = len(experiment.runs) - sum(group.n for group in comparison.groups)
    runs = "1 run is" if count == 1 else f"{count:,} runs are"
    return [f"{runs} not compared: not judged, or without the params that tell the groups apart."] * (
        count > 0
    )


def _median(group: GroupResult, unit: str) -> Number:
    return Number(
        what="median",
        of=bare(group.group),
        value=group.median.value,
        low=group.median.low,
        high=group.median.high,
        unit=unit,
        why=f"{group.reached} of {group.n} reached{_reason(group.median.missing)}",
    )


def _ratio(one: Contrast, unit: str) -> Number:
    return Number(
        what=f"{unit} over those of {shown(bare(one.a))}",
        of=bare(one.b),
        value=one.speed_up.value,
        low=one.speed_up.low,
        high=one.speed_up.high,
        why="" if one.adjusted_p is None else f"p = {one.adjusted_p:.2g}",
    )


def _reason(missing: str | None) -> str:
    return f"; {missing}" if missing else ""


def _plain(sentence: str, target: Target | None) -> str:
    goal = _GENERALIZED.metric if target is None else named(str(target))
    said = sentence.replace(str(_GENERALIZED), goal)
    return said[:1].upper() + said[1:]
