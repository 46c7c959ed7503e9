"""A review: what a person decided about one date, event or pattern that a detector found or missed."""

from dataclasses import dataclass
from enum import StrEnum

from grokscope.schemas.verdicts.transition import Date

PATTERN = "pattern"
"""Subject of a review of the run's pattern."""

DATES = ("memorized", "onset", "midpoint", "generalized")
"""Subjects that are dates of a verdict, by the names of its fields; any other subject is a kind of event."""


class Decision(StrEnum):
    """What a person decided."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    MOVED = "moved"
    ADDED = "added"
    NOTED = "noted"
    """Only a note: nothing is changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One decision of a person.

    Attributes:
        subject: One of ``DATES``, ``PATTERN``, or a kind of event.
        decision: What was decided.
        date: Where it is from now on; ``None`` if it was rejected, noted or is no date. A person's step has
            no interval; a confirmed one keeps the detector's.
        detected: Where the detector had it when that was decided; ``None`` if it had none.
        metric: Of an event, its curve; else ``""``.
        pattern: Of the pattern, what it is.
        note: Why, in the person's words.
        reviewer: Who; ``""`` for nobody named.
        time: When, ISO 8601 in UTC; ``""`` where it is not known.
    """

    subject: str
    decision: Decision
    date: Date | None = None
    detected: Date | None = None
    metric: str = ""
    pattern: str | None = None
    note: str = ""
    reviewer: str = ""
    time: str = ""

    @property
    def key(self) -> str:
        """What it is about: a later review of the same replaces it.

        >>> Review(subject="onset", decision=Decision.REJECTED).key
        'onset'
        """
        if self.subject in (*DATES, PATTERN):
            return self.subject
        at = self.detected or self.date
        return f"{self.subject} {self.metric} {'' if at is None else at.step}"

    def sentence(self) -> str:
        """Return what was decided, by whom, in words.

        >>> nine = Date(step=9, low=8, high=9)
        >>> Review(subject="onset", decision=Decision.MOVED, date=nine, reviewer="ann").sentence()
        'onset moved to step 9 by ann'
        """
        what = "completion" if self.subject == "generalized" else self.subject.replace("_", " ")
        at = "" if self.date is None else f"{self.date.step:,}"
        if self.subject == PATTERN and self.pattern is not None:
            done = f"set to {self.pattern}"
        elif self.decision is Decision.MOVED:
            done = f"moved to step {at}"
        else:
            done = f"{self.decision}{f' at step {at}' if at else ''}"
        was = self.detected if self.decision in (Decision.MOVED, Decision.REJECTED) else None
        detector = "" if was is None else f" (detector: {was.step:,})"
        by = f" by {self.reviewer}" if self.reviewer else ""
        return f"{what} {done}{detector}{by}"
