"""Judging verdicts on drawn runs: what was right, what was missed, and what was told that did not happen."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from grokscope.schemas import Date, GrokscopeError, Kind, Pattern, Verdict
from grokscope.transitions.curves.series import Integers
from grokscope.transitions.evaluation.laboratory.family import Family, Interval, LabRun, Truth
from grokscope.transitions.verdict.detection import detect

SLACK = 0.05
"""A date may also miss its bracket by this share of the step, or by one evaluation."""
LATE = (Kind.GENERALIZATION.value, Kind.PHASE_CHANGE.value)
"""One change has either name, depending on what else was logged."""
TOLD = frozenset(
    {
        "overfitting",
        "dip",
        Kind.DOUBLE_DESCENT.value,
        Kind.PHASE_CHANGE.value,
        Kind.COLLAPSE.value,
        Kind.DIVERGENCE.value,
    }
)
"""Kinds that are false where the truth has none of them there."""

Oracle = Callable[[pl.DataFrame], Verdict | None]
"""What is judged: points of one run in, its verdict out; ``None`` if it refuses the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How one verdict compares with the truth; ``None`` where the truth or the verdict has no such thing.

    Attributes:
        family: Name of the run's family.
        seed: With which ``drawn`` makes the run again.
        truth: What is true of it.
        verdict: What was said.
        false_alarm: Something was said to generalize late, and nothing did.
        onset: The onset lies in its bracket: the evaluations about the true one, and one more on either side.
        covers_onset: The interval of the onset contains it.
        covers_midpoint: ... and that of the midpoint.
        onset_width: Evaluations in the interval of the onset.
        midpoint_width: ... and in that of the midpoint.
        events: Of each true event, whether it was told in its bracket.
        false_events: Kinds of the events that were told and did not happen there.
    """

    family: str
    seed: int
    truth: Truth
    verdict: Verdict | None
    false_alarm: bool | None
    onset: bool | None
    covers_onset: bool | None
    covers_midpoint: bool | None
    onset_width: int | None
    midpoint_width: int | None
    events: tuple[bool, ...]
    false_events: tuple[str, ...]

    @property
    def pattern(self) -> Pattern | None:
        """Return the pattern that was found; the true one if the found one is accepted too."""
        if self.verdict is None:
            return None
        is_accepted = self.verdict.pattern in self.truth.accept
        return self.truth.pattern if is_accepted else self.verdict.pattern

    @property
    def is_right(self) -> bool:
        """Return whether the pattern is the true one or one that is accepted."""
        return self.pattern is self.truth.pattern


def drawn(family: Family, seed: int) -> LabRun:
    """Return run number ``seed`` of ``family``."""
    return family.draw(np.random.default_rng([seed, *family.name.encode()]))


def engine(points: pl.DataFrame) -> Verdict | None:
    """Return the engine's verdict on the points of one run, or ``None`` if it refuses them."""
    try:
        return detect(points)[0]
    except GrokscopeError:
        return None


def judged(
    families: Sequence[Family], *, seeds: Sequence[int], oracle: Oracle = engine
) -> Iterator[Judgement]:
    """Yield how ``oracle`` does on one run of each family for each seed."""
    for family in families:
        for seed in seeds:
            run = drawn(family, seed)
            yield judge(run, oracle(run.points), family=family.name, seed=seed)


def judge(run: LabRun, verdict: Verdict | None, *, family: str = "", seed: int = 0) -> Judgement:
    """Return how ``verdict`` compares with what is true of ``run``."""
    truth, grid = run.truth, grid_of(run.points)
    onset, midpoint = (None, None) if verdict is None else (_onset(verdict), verdict.midpoint)
    return Judgement(
        family=family,
        seed=seed,
        truth=truth,
        verdict=verdict,
        false_alarm=_is_alarm(verdict) if truth.is_negative else None,
        onset=None if truth.onset is None else onset is not None and _is_hit(onset.step, truth.onset, grid),
        covers_onset=_covers(onset, truth.onset),
        covers_midpoint=_covers(midpoint, truth.midpoint),
        onset_width=None if onset is None or truth.onset is None else width_of(onset, grid),
        midpoint_width=None if midpoint is None or truth.midpoint is None else width_of(midpoint, grid),
        events=tuple(_is_told(verdict, kind, bracket, grid) for kind, bracket in truth.events),
        false_events=tuple(_false_events(verdict, truth, grid)),
    )


def grid_of(points: pl.DataFrame) -> Integers:
    """Return the steps of the curve with the fewest evaluations, increasing: that of a held-out set.

    >>> points = pl.DataFrame({"metric": ["a", "b", "b"], "step": [5, 1, 2], "value": [0.0, 1.0, 2.0]})
    >>> grid_of(points).tolist()
    [5]
    """
    fewest = points.group_by("metric").len().sort("len", "metric")["metric"][0]
    steps = points.filter(pl.col("metric") == fewest)["step"]
    return np.unique(steps.to_numpy()).astype(np.int64)


def width_of(date: Date, grid: Integers) -> int:
    """Return how many evaluations the interval of ``date`` spans.

    >>> width_of(Date(step=20, low=10, high=40), np.array([0, 10, 20, 30, 40]))
    3
    """
    return int(np.sum((grid > date.low) & (grid <= date.high)))


def _onset(verdict: Verdict) -> Date | None:
    """Return the onset of the verdict, or else that of its first late event."""
    late = (event.onset for event in verdict.transitions if event.kind.value in LATE)
    return verdict.onset or next((onset for onset in late if onset is not None), None)


def _is_alarm(verdict: Verdict | None) -> bool:
    """Return whether the verdict says grokking, or dates a generalization after the fit."""
    if verdict is None:
        return False
    found = [event for event in verdict.transitions if event.kind is Kind.GENERALIZATION]
    if verdict.pattern is Pattern.COMPREHENSION and verdict.memorized is None:
        found = []
    fit = -1 if verdict.memorized is None else verdict.memorized.high
    return verdict.pattern is Pattern.GROKKING or any(event.low > fit for event in found)


def _widened(bracket: Interval, grid: Integers) -> Interval:
    """Return ``bracket`` up to the evaluations about it, and ``SLACK`` more."""
    below, above = grid[grid < bracket[0]], grid[grid > bracket[1]]
    low = float(below[-1]) if len(below) else bracket[0]
    high = float(above[0]) if len(above) else bracket[1]
    return (1 - SLACK) * low, (1 + SLACK) * high


def _is_hit(step: float, true: float, grid: Integers) -> bool:
    low, high = _widened((true, true), grid)
    return low <= step <= high


def _covers(date: Date | None, true: float | None) -> bool | None:
    return None if date is None or true is None else date.low <= true <= date.high


def _is_named(kind: str, true: str) -> bool:
    return kind == true or (kind in LATE and true in LATE)


def _is_told(verdict: Verdict | None, true: str, bracket: Interval, grid: Integers) -> bool:
    low, high = _widened(bracket, grid)
    events = () if verdict is None else verdict.transitions
    return any(_is_named(event.kind.value, true) and low <= event.step <= high for event in events)


def _false_events(verdict: Verdict | None, truth: Truth, grid: Integers) -> Iterator[str]:
    for event in () if verdict is None else verdict.transitions:
        kind = event.kind.value
        brackets = [_widened(bracket, grid) for true, bracket in truth.events if _is_named(kind, true)]
        if kind in TOLD and not any(low <= event.step <= high for low, high in brackets):
            yield kind
