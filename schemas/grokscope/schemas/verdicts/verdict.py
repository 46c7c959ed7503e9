"""A verdict: what one run did, in one record with one JSON form."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from grokscope.schemas.verdicts.review import Review
from grokscope.schemas.verdicts.transition import Date, Transition


class Pattern(StrEnum):
    """The four learning phases of Liu et al. 2022 (arXiv:2205.10343), and what else curves do."""

    COMPREHENSION = "comprehension"
    GROKKING = "grokking"
    MEMORIZATION = "memorization"
    CONFUSION = "confusion"
    COLLAPSE = "collapse"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """From memorization to generalization.

    Attributes:
        steps: Difference in optimizer steps.
        ratio: Generalization step over memorization step; ``None`` if the latter is 0.
        tokens, flops, seconds: The same difference on the axes that the run logged, else ``None``.
    """

    steps: int
    ratio: float | None = None
    tokens: float | None = None
    flops: float | None = None
    seconds: float | None = None


SCHEMA = 2
"""Of a verdict's JSON form; 1 had no ``outcomes``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveOutcome:
    """What one held-out curve did, judged with its training curve.

    Attributes:
        metric: The curve.
        split: ``test`` or ``val``.
        task: The task, or the set that was shifted from the training set; ``""`` for the usual one.
        pattern: The shape of this curve beside its training curve.
        onset, midpoint, generalized, delay: As in ``Verdict``, of this curve.
        level: At the end of the log, in the metric's unit.
        best: The best level that it held, in the metric's unit.
        missing: What could not be told of it, and why: one sentence each.
    """

    metric: str
    split: str
    task: str = ""
    pattern: Pattern
    onset: Date | None = None
    midpoint: Date | None = None
    generalized: Date | None = None
    delay: Delay | None = None
    level: float | None = None
    best: float | None = None
    missing: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one run did.

    Attributes:
        run: The run's id.
        pattern: The shape of the whole run.
        in_progress: The log ends in the middle of a change: the pattern may still turn.
        memorized: The training set is fit.
        onset: The held-out curve leaves its plateau.
        midpoint: Half of its rise.
        generalized: The rise is done.
        delay: From ``memorized`` to ``midpoint``; ``None`` unless both are dated.
        definition: Name of the rule for the dates.
        detector: Program and version, ``"grokscope 0.1.0"``.
        transitions: Every event, in order of step.
        missing: What could not be told, and why: one sentence each.
        outcomes: What each held-out curve did; the pattern and the dates above are those of the first.
        schema: Version of the JSON form.
        reviews: What a person decided, which is in the fields above already; a detector's own verdict has
            none, and its JSON form no such key.
    """

    run: str
    pattern: Pattern
    in_progress: bool = False
    memorized: Date | None = None
    onset: Date | None = None
    midpoint: Date | None = None
    generalized: Date | None = None
    delay: Delay | None = None
    definition: str = ""
    detector: str = ""
    transitions: Sequence[Transition] = ()
    missing: Sequence[str] = ()
    outcomes: Sequence[CurveOutcome] = ()
    schema: int = SCHEMA
    reviews: Sequence[Review] = ()
