"""A verdict: what one run did, in one record with one JSON form."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

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
