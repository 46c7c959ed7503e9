"""Reviews as tags of a run: plain ones to read and search by, and one record with all that is known of them.

``grokscope.review.pattern`` is a pattern; ``…onset_step``, ``…memorized_step``, ``…midpoint_step`` and
``…generalized_step`` are steps, or ``none`` where there is no such date. They may be written by hand, and win
over ``grokscope.review.record``, which is JSON: reviews with reviewer, time and note, and what they replaced.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from grokscope.schemas import tags
from grokscope.schemas.names import plain_text
from grokscope.schemas.verdicts.review import DATES, PATTERN, Decision, Review
from grokscope.schemas.verdicts.transition import Date, Kind
from grokscope.schemas.verdicts.verdict import Pattern

RECORD = tags.REVIEW_PREFIX + "record"
"""The tag with the whole record."""

MOST_REPLACED = 20
MOST_LETTERS = 4900
"""Of the record: MLflow before 2.17 takes 5000."""

MOST_OF_A_NOTE = 300
MOST_OF_A_NAME = 60
_HIGHEST = 2**62
_NO_DATE = frozenset({"", "none", "never", "-"})
_TAG_OF = {subject: f"{tags.REVIEW_PREFIX}{subject}_step" for subject in DATES} | {
    PATTERN: f"{tags.REVIEW_PREFIX}{PATTERN}"
}
TAGS = (*_TAG_OF.values(), RECORD)
"""Every tag of reviews that is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRecord:
    """All that people decided about one run.

    Attributes:
        reviews: What counts now.
        replaced: Key of a review -> what counted before it (``None``: nothing), the latest last.
        unread: What cannot be read, as sentences.
    """

    reviews: tuple[Review, ...] = ()
    replaced: tuple[tuple[str, Review | None], ...] = ()
    unread: tuple[str, ...] = ()

    def of(self, key: str) -> Review | None:
        """Return what counts now for a key."""
        return next((review for review in self.reviews if review.key == key), None)

    def with_review(self, review: Review, *, instead_of: str | None = None) -> "ReviewRecord":
        """Return the record after one more decision; what it replaces is kept for ``undone``.

        Args:
            review: What was decided.
            instead_of: Key of what it replaces, if that is not its own: an event that was added moves.
        """
        before, short = self.of(instead_of or review.key), _short(review)
        others = tuple(one for one in self.reviews if one.key not in (short.key, instead_of))
        replaced = (*self.replaced, (short.key, before))[-MOST_REPLACED:]
        return replace(self, reviews=(*others, short), replaced=replaced)

    def undone(self, key: str) -> "ReviewRecord":
        """Return the record without the last decision on a key: what counted before it counts again.

        >>> one = Review(subject="onset", decision=Decision.REJECTED)
        >>> ReviewRecord().with_review(one).undone("onset").reviews
        ()
        """
        found = [place for place, (of, _) in enumerate(self.replaced) if of == key]
        before = self.replaced[found[-1]][1] if found else None
        left = tuple(pair for place, pair in enumerate(self.replaced) if not found or place != found[-1])
        others = tuple(one for one in self.reviews if one.key != key)
        return replace(self, reviews=others if before is None else (*others, before), replaced=left)


def reviews_in(of_run: Mapping[str, str]) -> ReviewRecord:
    """Return what people decided, of a run's tags; damaged ones take nothing else with them.

    >>> reviews_in({"grokscope.review.onset_step": "480"}).reviews[0].sentence()
    'onset moved to step 480'
    """
    record, unread = _record_in(of_run.get(RECORD))
    found = [one for one in record.reviews if one.subject not in _TAG_OF or one.decision is Decision.NOTED]
    for subject, tag in _TAG_OF.items():
        if tag not in of_run:
            continue
        try:
            found.append(_plain(subject, of_run[tag].strip(), record.of(subject)))
        except ValueError:
            allowed = "a pattern" if subject == PATTERN else "a whole step or 'none'"
            unread.append(f"The tag {tag} of a person's review cannot be read; write {allowed}.")
    # A note beside a plain tag that was written by hand gives way to it.
    last = {one.key: one for one in found}
    return ReviewRecord(reviews=tuple(last.values()), replaced=record.replaced, unread=tuple(unread))


def review_changes(record: ReviewRecord, of_run: Mapping[str, str]) -> dict[str, str | None]:
    """Return which tags of a run to set, or to remove (``None``), so that they say what ``record`` does.

    >>> done = ReviewRecord().with_review(Review(subject="onset", decision=Decision.REJECTED))
    >>> review_changes(done, {})["grokscope.review.onset_step"]
    'none'
    """
    wanted = {tag: text for one in record.reviews for tag, text in _tag(one)}
    if record.reviews or record.replaced:
        wanted[RECORD] = _text(record)
    gone: dict[str, str | None] = {tag: None for tag in TAGS if tag in of_run and tag not in wanted}
    return gone | {tag: text for tag, text in wanted.items() if of_run.get(tag) != text}


def _tag(review: Review) -> Sequence[tuple[str, str]]:
    if review.subject not in _TAG_OF or review.decision is Decision.NOTED:
        return ()
    if review.subject == PATTERN:
        return ((_TAG_OF[PATTERN], review.pattern),) if review.pattern else ()
    return ((_TAG_OF[review.subject], "none" if review.date is None else str(review.date.step)),)


def _plain(subject: str, text: str, known: Review | None) -> Review:
    """Return what a plain tag says, with all that the record knows of the same decision."""
    if subject == PATTERN:
        pattern = Pattern(text).value
        if known is not None and known.pattern == pattern:
            return known
        return Review(subject=PATTERN, decision=Decision.MOVED, pattern=pattern)
    date = None if text.casefold() in _NO_DATE else _date([int(text)] * 3)
    if known is not None and known.decision is not Decision.NOTED and _step(known.date) == _step(date):
        return known
    return Review(subject=subject, decision=Decision.REJECTED if date is None else Decision.MOVED, date=date)


def _step(date: Date | None) -> int | None:
    return None if date is None else date.step


def _short(review: Review) -> Review:
    note, name = review.note.strip()[:MOST_OF_A_NOTE], review.reviewer.strip()[:MOST_OF_A_NAME]
    return replace(review, note=note, reviewer=name)


def _text(record: ReviewRecord) -> str:
    """Return the record as JSON that fits a tag: what was replaced longest ago goes first, then notes."""
    reviews = [_packed(one) for one in record.reviews]
    replaced = [[key, None if was is None else _packed(was)] for key, was in record.replaced]
    while len(text := _json(reviews, replaced)) > MOST_LETTERS and replaced:
        replaced = replaced[1:]
    for one in reviews:
        if len(text) <= MOST_LETTERS:
            break
        one.pop("note", None)
        text = _json(reviews, replaced)
    while len(text) > MOST_LETTERS:
        reviews = reviews[1:]
        text = _json(reviews, replaced)
    return text


def _json(reviews: Sequence[object], replaced: Sequence[object]) -> str:
    return json.dumps({"reviews": reviews, "replaced": replaced}, ensure_ascii=False, separators=(",", ":"))


def _packed(review: Review) -> dict[str, Any]:
    texts = ("subject", "decision", "metric", "pattern", "note", "reviewer", "time")
    packed: dict[str, Any] = {name: str(value) for name in texts if (value := getattr(review, name))}
    for name, date in (("date", review.date), ("detected", review.detected)):
        if date is not None:
            packed[name] = [date.step, date.low, date.high]
    return packed


def _record_in(text: str | None) -> tuple[ReviewRecord, list[str]]:
    if text is None:
        return ReviewRecord(), []
    try:
        raw: Any = json.loads(text)
        reviews, replaced = list(raw["reviews"]), list(raw["replaced"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ReviewRecord(), [f"The tag {RECORD} cannot be read; its reviewers, notes and events are lost."]
    found = [one for part in reviews if (one := _unpacked(part)) is not None]
    before = [pair for part in replaced if (pair := _pair(part)) is not None]
    lost = len(reviews) - len(found)
    unread = [f"{lost} reviews in the tag {RECORD} cannot be read and are left out."] if lost else []
    return ReviewRecord(reviews=tuple(found), replaced=tuple(before[-MOST_REPLACED:])), unread


def _pair(raw: Any) -> tuple[str, Review | None] | None:
    if not isinstance(raw, list) or len(cast("list[Any]", raw)) != 2:  # noqa: PLR2004 - key and review
        return None
    key, was = cast("list[Any]", raw)
    before = None if was is None else _unpacked(was)
    return (plain_text(key), before) if isinstance(key, str) and (was is None or before is not None) else None


def _unpacked(raw: Any) -> Review | None:
    """Return a review out of the record; ``None`` for what is none."""
    try:
        texts = {k: v for k, v in raw.items() if k not in ("date", "detected", "decision")}
        if not all(isinstance(v, str) for v in texts.values()):
            return None
        # JSON can write half of a pair of surrogates, which no table and no page takes.
        texts = {k: plain_text(v) for k, v in texts.items()}
        subject = texts["subject"]
        if subject not in _TAG_OF:
            Kind(subject)
        if "pattern" in texts:
            Pattern(texts["pattern"])
        date, detected = (_date(raw[name]) if name in raw else None for name in ("date", "detected"))
        decision = Decision(raw["decision"])
        return _short(Review(**texts, decision=decision, date=date, detected=detected))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _date(raw: Any) -> Date:
    step, low, high = raw
    if not all(type(one) is int and 0 <= one < _HIGHEST for one in (step, low, high)):
        raise ValueError(raw)
    return Date(step=step, low=low, high=high)
