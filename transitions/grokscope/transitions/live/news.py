"""What is said of a live run: an event that is new, has changed or is withdrawn, or a signal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from grokscope.schemas import Kind, Status, Transition
from grokscope.transitions.events import records as events


class Change(StrEnum):
    """What there is to say."""

    NEW = "new"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"
    SIGNAL = "signal"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One thing to say of one run.

    Attributes:
        run_id: Of the run.
        step: Of the evaluation that showed it.
        change: An event is ``new``, has ``changed`` (it has another date than was reported), or is
            ``withdrawn``; or a ``signal`` was raised.
        event: The event, if it is about one.
        signal: Name of the signal, if it is about one.
        finding: One sentence: what the signal saw, or why an event is withdrawn, where that is not plain.
    """

    run_id: str
    step: int
    change: Change
    event: Transition | None = None
    signal: str = ""
    finding: str = ""


def news_of(event: Transition, step: int, *, standing: Sequence[Transition]) -> News:
    """Return what to say of an event that a detector has just reported.

    Args:
        event: As ``LiveDetector.update`` returns it.
        step: Of the evaluation that showed it.
        standing: The events that stood before.
    """
    if event.status is Status.REJECTED:
        change = Change.WITHDRAWN
    else:
        is_known = any(is_one(event, old) and event.status is old.status for old in standing)
        change = Change.CHANGED if is_known else Change.NEW
    return News(run_id=event.run_id, step=step, change=change, event=event)


def differences(
    found: Sequence[News], *, before: Sequence[Transition], standing: Sequence[Transition], step: int
) -> list[News]:
    """Return what to say of events after a history was read again: only what that has changed.

    Args:
        found: What was found on the way through the whole history.
        before: The events that stood before.
        standing: Those that stand now.
        step: Of the last evaluation.
    """
    gone = [old for old in before if not any(_replaces(event, old) for event in standing)]
    withdrawn = [news_of(events.withdrawn(old), step, standing=before) for old in gone]
    lasting = [
        news_of(news.event, news.step, standing=before)
        for news in found
        if news.event is not None and news.event in standing and news.event not in before
    ]
    return [*(replace(news, finding="its past has changed") for news in withdrawn), *lasting]


def is_one(event: Transition, other: Transition) -> bool:
    """Return whether both are about one change; of phase changes a run can have several.

    >>> from grokscope.schemas import Status
    >>> rise = Transition(
    ...     run_id="r", kind=Kind.PHASE_CHANGE, metric="m", step=5, low=4, high=5, status=Status.CONFIRMED
    ... )
    >>> is_one(rise, replace(rise, low=5)), is_one(rise, replace(rise, step=9, low=8, high=9))
    (True, False)
    """
    overlaps = event.low <= other.high and other.low <= event.high
    return event.kind is other.kind and (overlaps or event.kind is not Kind.PHASE_CHANGE)


def _replaces(event: Transition, old: Transition) -> bool:
    return is_one(event, old) and event.status in {old.status, Status.CONFIRMED}
