"""What is dated in one run, a row a date or event, each with what a person decided about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grokscope.dashboard.words.dates import DATES, date_of
from grokscope.dashboard.words.escaping import plain
from grokscope.dashboard.words.events import EVENT_STYLES
from grokscope.schemas import Date, Decision, Kind, Review, Status, Transition, Verdict

PATTERN = "pattern"
_OWN = (Kind.MEMORIZATION, Kind.GENERALIZATION)
"""Of the curve that the run is judged by, their steps are dates of the verdict."""

_STATUS = {
    Status.CONFIRMED: "confirmed by the detector",
    Status.SUSPECTED: "suspected",
    Status.IN_PROGRESS: "in progress",
    Status.REJECTED: "withdrawn",
}
_SHAPES = {"memorized": "○", "onset": "◆", "midpoint": "◐", "completion": "●"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedEvent:
    """One row.

    Attributes:
        subject: What a review of it is about; see ``Review``.
        metric: Its curve, where the subject is a kind of event; else ``""``.
        name: What it is called.
        meaning: What happens there.
        shape: The sign before its name.
        date: Where it is now; ``None`` if a person rejected it.
        detected: Where the detector has it, as far as that is known.
        status: How sure it is, or what a person decided.
        review: What a person decided; ``None`` for nothing.
    """

    subject: str
    metric: str = ""
    name: str
    meaning: str
    shape: str
    date: Date | None
    detected: Date | None
    status: str
    review: Review | None = None

    @property
    def key(self) -> str:
        """Of a review of it."""
        return self.decided(Decision.NOTED).key if self.review is None else self.review.key

    @property
    def is_added(self) -> bool:
        """Whether only a person dated it."""
        return self.review is not None and self.review.decision is Decision.ADDED

    @property
    def is_rejected(self) -> bool:
        """Whether a person said that there is no such event."""
        return self.review is not None and self.review.decision is Decision.REJECTED

    def decided(self, decision: Decision, *, date: Date | None = None) -> Review:
        """Return the review that decides so about it; the note stays as it is."""
        note = "" if self.review is None else self.review.note
        return Review(
            subject=self.subject,
            decision=decision,
            date=date,
            detected=self.detected,
            metric=self.metric,
            note=note,
        )


def dated_events(verdict: Verdict) -> list[DatedEvent]:
    """Return the rows of a run, in order of step; what a person rejected keeps its row.

    Args:
        verdict: As a person left it.

    >>> from grokscope.schemas import Pattern
    >>> nine = Date(step=9, low=8, high=10)
    >>> [row.name for row in dated_events(Verdict(run="a", pattern=Pattern.GROKKING, onset=nine))]
    ['onset']
    """
    rows = [*_dates(verdict), *_events(verdict), *_rejected(verdict)]
    return sorted(rows, key=lambda row: at.step if (at := row.date or row.detected) is not None else 0)


def missing_subjects(verdict: Verdict) -> dict[str, str]:
    """Return what may be added to a run: subject of the review -> what it is called."""
    dates = {words.field: name for name, words in DATES.items() if date_of(verdict, name) is None}
    return dates | {kind.value: kind.word for kind in Kind if kind not in _OWN}


def _dates(verdict: Verdict) -> Iterator[DatedEvent]:
    for name, words in DATES.items():
        date = date_of(verdict, name)
        review = _review_of(verdict, words.field)
        if date is None and review is None:
            continue
        yield DatedEvent(
            subject=words.field,
            name=name,
            meaning=words.sentence,
            shape=_SHAPES[name],
            date=date,
            detected=date if review is None or review.decision is Decision.NOTED else review.detected,
            status=_said(review) or _STATUS[_status_of(verdict, name)],
            review=review,
        )


def _events(verdict: Verdict) -> Iterator[DatedEvent]:
    first = verdict.outcomes[0].metric if verdict.outcomes else None
    for event in verdict.transitions:
        if event.kind is Kind.MEMORIZATION or (event.kind in _OWN and first in (None, event.metric)):
            continue
        review = _review_of_event(verdict, event)
        date = Date(step=event.step, low=event.low, high=event.high)
        decided = review is not None and review.decision is not Decision.NOTED
        yield _row(
            event.kind,
            event.metric,
            date=date,
            detected=review.detected if review is not None and decided else date,
            status=_said(review) or _STATUS[event.status],
            review=review,
        )


def _rejected(verdict: Verdict) -> Iterator[DatedEvent]:
    kinds = {kind.value: kind for kind in Kind}
    for review in verdict.reviews:
        if review.subject in kinds and review.decision is Decision.REJECTED:
            kind = kinds[review.subject]
            said = _said(review)
            yield _row(kind, review.metric, date=None, detected=review.detected, status=said, review=review)


def _row(kind: Kind, metric: str, **told: Any) -> DatedEvent:
    style = EVENT_STYLES[kind]
    return DatedEvent(
        subject=kind.value,
        metric=metric,
        name=kind.word,
        meaning=style.sentence,
        shape=style.shape,
        **told,
    )


def _said(review: Review | None) -> str:
    """Return what a person decided, and who; ``""`` where nothing was."""
    if review is None or review.decision is Decision.NOTED:
        return ""
    was = review.detected
    moved = review.decision is Decision.MOVED and was is not None
    before = f" from {was.step:,}" if moved and was is not None else ""
    return f"{review.decision.value}{before} by {plain(review.reviewer, limit=60) or 'a person'}"


def _review_of(verdict: Verdict, key: str) -> Review | None:
    return next((review for review in verdict.reviews if review.key == key), None)


def _review_of_event(verdict: Verdict, event: Transition) -> Review | None:
    """Return the review that an event carries as a check, or a note at its step."""
    said = {check.text for check in event.evidence if check.name == "review"}
    return next(
        (
            review
            for review in verdict.reviews
            if review.subject == event.kind.value
            and review.metric in ("", event.metric)
            and (
                review.sentence() in said
                if review.decision is not Decision.NOTED
                else review.detected is not None and event.low <= review.detected.step <= event.high
            )
        ),
        None,
    )


def _status_of(verdict: Verdict, name: str) -> Status:
    """Return how sure the detector is of a date: of its event's status."""
    kind = Kind.MEMORIZATION if name == "memorized" else Kind.GENERALIZATION
    first = verdict.outcomes[0].metric if verdict.outcomes else None
    own = [event for event in verdict.transitions if event.kind is kind]
    mine = [event for event in own if event.metric == first] or own
    if mine:
        return mine[0].status
    return Status.IN_PROGRESS if verdict.in_progress else Status.CONFIRMED
