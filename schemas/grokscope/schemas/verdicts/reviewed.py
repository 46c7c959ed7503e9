"""A verdict as a person left it: reviews win over every detector, in every view, answer and file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grokscope.schemas.verdicts.check import Check, Outcome
from grokscope.schemas.verdicts.review import DATES, PATTERN, Decision, Review
from grokscope.schemas.verdicts.review_tags import reviews_in
from grokscope.schemas.verdicts.transition import Date, Kind, Source, Status, Transition
from grokscope.schemas.verdicts.verdict import Delay, Pattern, Verdict

NEAR = 0.25
"""A later detector's event within this share of the reviewed step is taken for the one that was reviewed."""

_KIND_OF = {
    "memorized": Kind.MEMORIZATION,
    "onset": Kind.GENERALIZATION,
    "midpoint": Kind.GENERALIZATION,
    "generalized": Kind.GENERALIZATION,
}
_FIELD_OF = {"onset": "onset", "midpoint": "midpoint", "generalized": "completion"}
_WITH_DELAY = (Pattern.GROKKING, Pattern.COLLAPSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A verdict as a person left it.

    Attributes:
        verdict: With the person's pattern, dates and events, and the reviews themselves in ``reviews``.
        decided: What the person decided: fields of the verdict, and kinds of events.
        unread: Tags that say nothing that can be followed, as sentences.
    """

    verdict: Verdict
    decided: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def reviewed(verdict: Verdict, of_run: Mapping[str, str]) -> Reviewed:
    """Return the verdict with what a person decided; see ``review_tags`` for the tags.

    Args:
        verdict: The detector's.
        of_run: The run's tags.

    >>> ours = Verdict(run="a", pattern=Pattern.GROKKING, onset=Date(step=9, low=8, high=10))
    >>> reviewed(ours, {"grokscope.review.onset_step": "480"}).verdict.onset
    Date(step=480, low=480, high=480)
    """
    record = reviews_in(of_run)
    made = [one for one in record.reviews if one.decision is not Decision.NOTED]
    if not record.reviews:
        return Reviewed(verdict=verdict, unread=record.unread)
    changed = _with_events(_with_dates(verdict, made), made)
    own = next((one.pattern for one in made if one.subject == PATTERN and one.pattern), None)
    pattern = _pattern(changed, made) if own is None else Pattern(own)
    changed = _consistent(replace(changed, pattern=pattern), verdict, made)
    return Reviewed(
        verdict=replace(changed, reviews=record.reviews),
        decided=tuple(dict.fromkeys(one.subject for one in made)),
        unread=record.unread,
    )


def reviewed_event(event: Transition, reviews: Sequence[Review]) -> Transition | None:
    """Return one event, as a detector says it, as a person left it.

    Args:
        event: Of the run that the reviews are of.
        reviews: What people decided about that run; a date of its generalization is that of all its curves.

    Returns:
        The event itself if nobody decided about it; ``None`` if a person said that there is none.

    >>> rise = Transition(run_id="a", metric="test/acc", kind=Kind.GENERALIZATION, step=9, low=8, high=9)
    >>> reviewed_event(rise, []) is rise
    True
    >>> reviewed_event(rise, [Review(subject="generalized", decision=Decision.REJECTED)]) is None
    True
    """
    left: Transition | None = event
    for one in reviews:
        if left is None or one.decision is Decision.NOTED or one.subject == PATTERN:
            continue
        if one.subject in DATES:
            left = next(iter(_dated(left, one, "")), None)
        elif _is_meant(left, one):
            left = _as_decided(left, one)
    return left


def is_no_generalization(reviews: Sequence[Review]) -> bool:
    """Return whether a person said that the run has not generalized.

    >>> is_no_generalization([Review(subject="generalized", decision=Decision.REJECTED)])
    True
    """
    return any(one.subject == "generalized" and one.decision is Decision.REJECTED for one in reviews)


def _with_dates(verdict: Verdict, made: Sequence[Review]) -> Verdict:
    dates: dict[str, Date | None] = {one.subject: one.date for one in made if one.subject in DATES}
    if "generalized" in dates and dates["generalized"] is None and verdict.pattern is Pattern.GROKKING:
        dates = {"onset": None, "midpoint": None} | dates  # they are those of a rise that was none
    return replace(verdict, **dates)  # pyright: ignore[reportArgumentType] - each by its own field's kind


def _with_events(verdict: Verdict, made: Sequence[Review]) -> Verdict:
    """Return the verdict with its events as its dates and the reviews of single events have them."""
    events = list(verdict.transitions)
    judged = verdict.outcomes[0].metric if verdict.outcomes else ""
    for one in made:
        if one.subject in DATES:
            events = [changed for event in events for changed in _dated(event, one, judged)]
        elif one.subject != PATTERN:
            events = _decided(events, one, verdict)
    return replace(verdict, transitions=tuple(sorted(events, key=lambda event: event.step)))


def _dated(event: Transition, one: Review, judged: str) -> Sequence[Transition]:
    """Return an event of the run's own dates as one review of these leaves it: nothing if it was rejected."""
    if event.kind is not _KIND_OF[one.subject]:
        return (event,)
    if one.decision is Decision.REJECTED:
        if one.subject in ("memorized", "generalized"):
            return ()
        return (replace(event, **{_FIELD_OF[one.subject]: None}),)
    if event.kind is Kind.GENERALIZATION and judged not in ("", event.metric):
        return (event,)
    changes: dict[str, Any] = {}
    if one.subject in _FIELD_OF:
        changes[_FIELD_OF[one.subject]] = one.date
    if one.subject in ("memorized", "midpoint") and one.date is not None:
        changes |= {"step": one.date.step, "low": one.date.low, "high": one.date.high}
    return (_signed(event, one, **changes),)


def _decided(events: Sequence[Transition], one: Review, verdict: Verdict) -> list[Transition]:
    """Return the events after the review of one of them, which no detector may find any more."""
    meant = next((event for event in events if _is_meant(event, one)), None)
    others = [event for event in events if event is not meant]
    if meant is not None:
        left = _as_decided(meant, one)
        return others if left is None else [*others, left]
    if one.decision is Decision.REJECTED or one.date is None:
        return others
    first = verdict.outcomes[0].metric if verdict.outcomes else ""
    event = Transition(
        run_id=verdict.run,
        metric=one.metric or first,
        kind=Kind(one.subject),
        step=one.date.step,
        low=one.date.low,
        high=one.date.high,
    )
    return [*others, _signed(event, one)]


def _as_decided(event: Transition, one: Review) -> Transition | None:
    """Return an event after the review of it itself; ``None`` if it was rejected."""
    if one.decision is Decision.REJECTED or one.date is None:
        return None
    if one.decision is Decision.CONFIRMED:
        return _signed(event, one)
    return _signed(event, one, step=one.date.step, low=one.date.low, high=one.date.high)


def _is_meant(event: Transition, one: Review) -> bool:
    at = one.detected or one.date
    if at is None or event.kind.value != one.subject or one.metric not in ("", event.metric):
        return False
    overlaps = event.low <= at.high and at.low <= event.high
    return overlaps or abs(event.step - at.step) <= NEAR * max(event.step, at.step)


def _signed(event: Transition, one: Review, **changes: Any) -> Transition:
    """Return the event with the review as a check on it; what a person confirmed is no suspicion."""
    others = [check for check in event.evidence if check.name != "review"]
    check = Check(name="review", outcome=Outcome.PASS, text=one.sentence())
    source = event.source if one.decision is Decision.CONFIRMED and event.detector else Source.PERSON
    return replace(event, **changes, status=Status.CONFIRMED, source=source, evidence=(*others, check))


def _pattern(verdict: Verdict, made: Sequence[Review]) -> Pattern:
    """Return the pattern that the reviewed dates and events leave; the detector's where they say no other."""
    by = {one.subject: one.decision for one in made}
    has_collapsed = any(event.kind is Kind.COLLAPSE for event in verdict.transitions)
    if verdict.pattern is Pattern.COLLAPSE:
        return verdict.pattern if has_collapsed or Kind.COLLAPSE not in by else _by_dates(verdict)
    if has_collapsed and by.get(Kind.COLLAPSE) is Decision.ADDED and verdict.generalized is not None:
        return Pattern.COLLAPSE
    is_late = verdict.pattern is Pattern.GROKKING
    if "generalized" in by and (verdict.generalized is None if is_late else not _rises(verdict.pattern)):
        return _by_dates(verdict)
    return verdict.pattern


def _rises(pattern: Pattern) -> bool:
    return pattern in (Pattern.GROKKING, Pattern.COMPREHENSION, Pattern.COLLAPSE)


def _by_dates(verdict: Verdict) -> Pattern:
    """Return what dates alone tell: whether it generalized, and after the training set was fit or with it."""
    memorized, generalized = verdict.memorized, verdict.generalized
    if generalized is None:
        return Pattern.OTHER if memorized is None else Pattern.MEMORIZATION
    is_late = memorized is not None and generalized.step > memorized.step
    return Pattern.GROKKING if is_late else Pattern.COMPREHENSION


def _consistent(verdict: Verdict, before: Verdict, made: Sequence[Review]) -> Verdict:
    """Return the verdict with the delay between its dates, and its first outcome as it is itself."""
    changed = {one.subject for one in made}
    delay = verdict.delay
    if verdict.generalized is None and "generalized" in changed:
        delay = None
    elif (verdict.memorized, verdict.midpoint) != (before.memorized, before.midpoint):
        delay = _delay(verdict)
    missing = verdict.missing
    if verdict.pattern is Pattern.OTHER and before.pattern is not Pattern.OTHER:
        missing = ("A person's review leaves no pattern of this run.", *missing)
    first = [
        replace(
            outcome,
            pattern=verdict.pattern,
            onset=verdict.onset,
            midpoint=verdict.midpoint,
            generalized=verdict.generalized,
            delay=delay,
        )
        for outcome in verdict.outcomes[:1]
    ]
    outcomes = (*first, *verdict.outcomes[1:])
    return replace(verdict, delay=delay, missing=missing, outcomes=outcomes)


def _delay(verdict: Verdict) -> Delay | None:
    memorized, midpoint = verdict.memorized, verdict.midpoint
    if memorized is None or midpoint is None or verdict.pattern not in _WITH_DELAY:
        return None
    if midpoint.step < memorized.step:
        return None
    ratio = midpoint.step / memorized.step if memorized.step > 0 else None
    return Delay(steps=midpoint.step - memorized.step, ratio=ratio)
