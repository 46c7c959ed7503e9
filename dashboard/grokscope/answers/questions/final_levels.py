"""Where runs of each group ended, and the two groups whose difference is asked about."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from grokscope.answers.errors import QuestionError
from grokscope.answers.questions.asked import Asked
from grokscope.answers.reading.experiment import Experiment, JudgedRun
from grokscope.answers.record.names import named, quoted
from grokscope.interventions.noise.decision import Decision, decide
from grokscope.interventions.noise.floor import NoiseFloor, noise_floor
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas import Verdict, score_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Where the runs of a group ended."""

    label: str
    levels: Sequence[float]

    @property
    def mean(self) -> float:
        """Return the mean level."""
        return float(np.mean(self.levels))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """How much better the best group ended than the next one, or than a target, beside the noise of a seed.

    Attributes:
        experiment: Of which runs.
        metric: Whose levels.
        best: The group with the best mean.
        other: The next one; ``None`` where the target's level is what it is compared with, and where there is
            no other group.
        groups: How many groups there are.
        value: The gain, positive where the best group is better, in the metric's unit; ``None`` where there
            is nothing to compare with.
        floor: The noise floor.
        decision: Whether the gain stands out of it; ``None`` where that cannot be told.
        left_out: Runs without a final level, still training or without the metric; and without a setting.
    """

    experiment: Experiment
    metric: str
    best: Group
    other: Group | None
    groups: int
    value: float | None
    floor: NoiseFloor
    decision: Decision | None
    left_out: Sequence[JudgedRun]


def gain_of(experiment: Experiment, asked: Asked) -> Gain:
    """Return the gain of the best group.

    Without a target, of the held-out curve that most runs are judged by, at the level where it ended; with
    one, of the last value of its metric, against its level. Runs in training have not ended and are left out.

    Raises:
        QuestionError: If no run has ended with a level.
        QueryError: If a param is not there.
    """
    metric, levels, is_upward = _levels(experiment, asked.target)
    grouped = experiment.comparable(asked.by)
    placed = {run.run_id for runs in grouped.values() for run in runs}
    groups = [
        Group(label=label, levels=[levels[run.run_id] for run in runs if run.run_id in levels])
        for label, runs in grouped.items()
    ]
    way = 1 if is_upward else -1
    ranked = sorted((group for group in groups if group.levels), key=lambda group: -way * group.mean)
    floor, best = _floor(experiment, grouped, levels), ranked[0]
    other = ranked[1] if len(ranked) > 1 and asked.target is None else None
    base = asked.target.level if asked.target is not None else None if other is None else other.mean
    value = None if base is None else way * (best.mean - base)
    return Gain(
        experiment=experiment,
        metric=metric,
        best=best,
        other=other,
        groups=len(ranked),
        value=value,
        floor=floor,
        decision=_decision(value, floor, best, other),
        left_out=[run for run in experiment.runs if run.run_id not in levels or run.run_id not in placed],
    )


def _levels(experiment: Experiment, target: Target | None) -> tuple[str, dict[str, float], bool]:
    ended = [run for run in experiment.runs if not run.is_running]
    if target is not None:
        points = experiment.points_of(target.metric).filter(pl.col("value").is_finite())
        last = points.sort("step").group_by("run_id").agg(pl.col("value").last())
        known: dict[str, float] = dict(last.iter_rows())
        found = {run.run_id: known[run.run_id] for run in ended if run.run_id in known}
        metric, is_upward = target.metric, target.is_upward
    else:
        verdicts = {run.run_id: run.verdict for run in ended if run.verdict and run.verdict.outcomes}
        metric = _most_judged(list(verdicts.values()))
        ends = {run: _level(verdict, metric) for run, verdict in verdicts.items()}
        found = {run: level for run, level in ends.items() if level is not None}
        score = score_of(metric)
        is_upward = score is None or score.higher_is_better
    if not found:
        wanted = "a held-out curve that can be judged" if target is None else quoted(target.metric)
        raise QuestionError(f"no run of {quoted(experiment.name)} has ended with {wanted}")
    return metric, found, is_upward


def _most_judged(verdicts: Sequence[Verdict]) -> str:
    count = Counter(verdict.outcomes[0].metric for verdict in verdicts)
    return max(sorted(count), key=lambda name: count[name], default="")


def _level(verdict: Verdict, metric: str) -> float | None:
    return next((one.level for one in verdict.outcomes if one.metric == metric), None)


def _floor(
    experiment: Experiment, grouped: dict[str, list[JudgedRun]], levels: dict[str, float]
) -> NoiseFloor:
    """Return the floor of runs that differ in their seed only: of one label, and of one group besides."""
    labels = {run.run_id: label for label, runs in grouped.items() for run in runs}
    runs = [run for run in experiment.runs if run.run_id in levels and run.run_id in labels]
    settings = {run.run_id: f"{labels[run.run_id]} {run.group}".strip() for run in runs}
    names = [
        named(labels[run.run_id] if labels[run.run_id] == run.group else settings[run.run_id]) for run in runs
    ]
    return noise_floor([levels[run.run_id] for run in runs], names)


def _decision(value: float | None, floor: NoiseFloor, best: Group, other: Group | None) -> Decision | None:
    if value is None or not floor.sd.value:
        return None
    return decide(value, floor, len(best.levels), None if other is None else len(other.levels))
