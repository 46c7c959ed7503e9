"""What a person decided about a run: tags ``grokscope.review.*``, which win over every detector."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from grokscope.schemas import Date, Kind, Pattern, Verdict, tags

_DATES = {tags.ONSET_STEP: "onset", tags.MEMORIZED_STEP: "memorized", tags.GENERALIZED_STEP: "generalized"}
_OURS = tags.PATTERN.partition(".")[0] + "."
_NO_DATE = frozenset({"", "none", "never", "-"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A verdict as a person left it.

    Attributes:
        verdict: With the person's pattern and dates; a person's step has no interval.
        decided: Which fields the person decided.
        unread: Tags that say nothing that can be followed, as sentences.
    """

    verdict: Verdict
    decided: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def reviewed(verdict: Verdict, of_run: Mapping[str, str]) -> Reviewed:
    """Return the verdict with what a person decided.

    ``grokscope.review.pattern`` is a pattern; ``…onset_step``, ``…memorized_step`` and ``…generalized_step``
    are steps, or ``none`` where there is no such date.

    Args:
        verdict: The detector's.
        of_run: The run's tags.

    >>> ours = Verdict(run="a", pattern=Pattern.GROKKING, onset=Date(step=9, low=8, high=10))
    >>> reviewed(ours, {"grokscope.review.onset_step": "480"}).verdict.onset
    Date(step=480, low=480, high=480)
    """
    changes: dict[str, Pattern | Date | None] = {}
    unread: list[str] = []
    for tag in (tags.PATTERN, *_DATES):
        name = tags.REVIEW_PREFIX + tag.removeprefix(_OURS)
        if name not in of_run:
            continue
        try:
            changes[_DATES.get(tag, "pattern")] = _decided(tag, of_run[name].strip())
        except ValueError:
            allowed = "a pattern" if tag == tags.PATTERN else "a whole step or 'none'"
            unread.append(f"The tag {name} of a person's review cannot be read; write {allowed}.")
    if not changes:
        return Reviewed(verdict=verdict, unread=tuple(unread))
    changed = replace(verdict, **changes)  # pyright: ignore[reportArgumentType] - each by its own field's kind
    if "generalized" in changes and changes["generalized"] is None:
        events = tuple(event for event in verdict.transitions if event.kind is not Kind.GENERALIZATION)
        changed = replace(changed, transitions=events, delay=None)
    return Reviewed(verdict=changed, decided=tuple(changes), unread=tuple(unread))


def _decided(tag: str, text: str) -> Pattern | Date | None:
    if tag == tags.PATTERN:
        return Pattern(text)
    if text.casefold() in _NO_DATE:
        return None
    step = int(text)
    if not 0 <= step < 2**62:
        raise ValueError(text)
    return Date(step=step, low=step, high=step)


def has_generalized(verdict: Verdict | None) -> bool:
    """Return whether a run generalized, and has not lost it since.

    >>> has_generalized(None)
    False
    """
    return verdict is not None and verdict.generalized is not None and verdict.pattern is not Pattern.COLLAPSE
