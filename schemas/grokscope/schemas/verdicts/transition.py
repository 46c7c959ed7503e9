"""A transition: an event in a training curve, dated with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from grokscope.schemas.verdicts.check import Check


class Kind(StrEnum):
    """What happened."""

    MEMORIZATION = "memorization"
    GENERALIZATION = "generalization"
    COLLAPSE = "collapse"
    RECOVERY = "recovery"
    SLINGSHOT = "slingshot"
    DIP = "dip"
    OVERFITTING = "overfitting"
    PHASE_CHANGE = "phase_change"
    DOUBLE_DESCENT = "double_descent"
    DIVERGENCE = "divergence"

    @property
    def word(self) -> str:
        """What it is called in a sentence.

        >>> Kind.PHASE_CHANGE.word
        'phase change'
        """
        return self.value.replace("_", " ")


KINDS_GAINED = frozenset({Kind.GENERALIZATION, Kind.PHASE_CHANGE})
"""What a run is watched for."""
KINDS_LOST = frozenset({Kind.COLLAPSE, Kind.DIVERGENCE})
"""What undoes it."""


class Status(StrEnum):
    """How sure it is."""

    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    IN_PROGRESS = "in_progress"
    REJECTED = "rejected"


class Source(StrEnum):
    """Who says so."""

    AUTOMATIC = "automatic"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Date:
    """A step with its 95 % interval, in optimizer steps: ``low <= step <= high``.

    ``low`` and ``high`` are steps, not offsets. An interval never claims more than the evaluation grid
    allows: an event between two evaluations is known no better than that gap.
    """

    step: int
    low: int
    high: int

    def __post_init__(self) -> None:
        if not self.low <= self.step <= self.high:
            raise ValueError(
                f"a date needs low <= step <= high, got low {self.low}, step {self.step}, high {self.high}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One dated event of one run.

    Attributes:
        run_id: The run.
        metric: Key of the curve that it was read from.
        kind: What happened.
        step, low, high: The event's own date and 95 % interval, in steps.
        onset: Where the curve leaves its plateau (10 % of the change), if it can be told.
        midpoint: Half of the change.
        completion: Where the change is done (90 %, or the level that ``definition`` names).
        before, after: Levels of the curve on either side, in the metric's unit.
        status: How sure it is.
        evidence: What speaks for and against, ready to be shown; no two checks of one name.
        definition: The rule that ``step`` follows.
        detector: The program that found it.
        version: That program's version.
        source: Program or person.
    """

    run_id: str
    metric: str
    kind: Kind
    step: int
    low: int
    high: int
    onset: Date | None = None
    midpoint: Date | None = None
    completion: Date | None = None
    before: float | None = None
    after: float | None = None
    status: Status = Status.CONFIRMED
    evidence: Sequence[Check] = ()
    definition: str = ""
    detector: str = ""
    version: str = ""
    source: Source = Source.AUTOMATIC

    def __post_init__(self) -> None:
        Date(step=self.step, low=self.low, high=self.high)
        names = [check.name for check in self.evidence]
        if len(set(names)) < len(names):
            raise ValueError(f"evidence names each check once, got {', '.join(map(repr, names))}")
