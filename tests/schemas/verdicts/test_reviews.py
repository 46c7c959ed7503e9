"""Reviews as tags: what a person decided is kept, read back, taken back, and never lost to damage."""

import json
from dataclasses import replace

import pytest

from grokscope.schemas import (
    CurveOutcome,
    Date,
    Decision,
    Delay,
    Kind,
    Pattern,
    Review,
    ReviewRecord,
    Source,
    Status,
    Transition,
    Verdict,
    review_changes,
    reviewed,
    reviews_in,
    verdict_from_json,
    verdict_to_json,
)
from grokscope.schemas.verdicts.review_tags import MOST_LETTERS, MOST_REPLACED, RECORD

ONSET = "grokscope.review.onset_step"


def at(step, margin=0):
    return Date(step=step, low=step - margin, high=step + margin)


def event(kind, step, *, margin=10, status=Status.CONFIRMED, metric="test/accuracy"):
    return Transition(
        run_id="r",
        metric=metric,
        kind=kind,
        step=step,
        low=step - margin,
        high=step + margin,
        status=status,
        detector="grokscope",
    )


GROKKED = Verdict(
    run="r",
    pattern=Pattern.GROKKING,
    memorized=at(100, 5),
    onset=at(500, 20),
    midpoint=at(800, 20),
    generalized=at(1200, 50),
    delay=Delay(steps=700, ratio=8.0, seconds=3.0),
    transitions=(event(Kind.MEMORIZATION, 100), event(Kind.DIP, 400), event(Kind.GENERALIZATION, 800)),
    outcomes=(CurveOutcome(metric="test/accuracy", split="test", pattern=Pattern.GROKKING),),
)


def tags_after(*reviews, tags=None):
    """Return a run's tags after decisions, each made from what the tags said then."""
    kept = dict(tags or {})
    for review in reviews:
        change = review_changes(reviews_in(kept).with_review(review), kept)
        kept = {k: v for k, v in {**kept, **change}.items() if v is not None}
    return kept


def moved(step, **more):
    return Review(subject="onset", decision=Decision.MOVED, date=at(step), detected=at(500, 20), **more)


def test_a_review_is_a_plain_tag_to_search_by_and_a_record_with_who_when_and_why():
    made = moved(700, reviewer="ann 学", time="2026-11-29T10:00:00Z", note="the first rise was noise")
    tags = tags_after(made)
    assert tags[ONSET] == "700"
    assert reviews_in(tags).reviews == (made,)
    found = reviewed(GROKKED, tags).verdict
    assert (found.onset, found.reviews, found.outcomes[0].onset) == (at(700), (made,), at(700))
    assert verdict_from_json(verdict_to_json(found)) == found


def test_a_detectors_verdict_is_written_as_it_always_was():
    assert "reviews" not in json.loads(verdict_to_json(GROKKED))
    assert reviewed(GROKKED, {"grokscope.onset_step": "9"}).verdict is GROKKED


def test_undo_brings_back_what_was_before_step_by_step():
    tags = tags_after(moved(700), Review(subject="onset", decision=Decision.REJECTED))
    assert tags[ONSET] == "none"
    for left in ("700", None):
        change = review_changes(reviews_in(tags).undone("onset"), tags)
        tags = {k: v for k, v in {**tags, **change}.items() if v is not None}
        assert tags.get(ONSET) == left
    assert tags == {}


def test_a_moved_event_that_a_person_added_is_one_event_and_undo_puts_it_back():
    first = Review(subject="collapse", decision=Decision.ADDED, date=at(1500))
    second = replace(first, date=at(1700))
    record = ReviewRecord().with_review(first).with_review(second, instead_of=first.key)
    assert record.reviews == (second,)
    assert record.undone(second.key).reviews == (first,)


@pytest.mark.parametrize(("text", "step"), [("480", 480), ("none", None), (" Never ", None)])
def test_a_tag_that_was_written_by_hand_wins_over_the_record(text, step):
    tags = {**tags_after(moved(700, reviewer="ann")), ONSET: text}
    (review,) = reviews_in(tags).reviews
    assert (review.date, review.reviewer) == (None if step is None else at(step), "")
    assert reviewed(GROKKED, tags).verdict.onset == review.date


def test_a_tag_that_was_removed_by_hand_takes_its_review_with_it():
    tags = tags_after(moved(700), Review(subject="dip", decision=Decision.REJECTED, detected=at(400)))
    del tags[ONSET]
    assert [review.subject for review in reviews_in(tags).reviews] == ["dip"]


@pytest.mark.parametrize(
    "damaged",
    ["{", "[]", "null", '{"reviews": 3, "replaced": []}', "[" * 5000, '{"reviews": [7, {"subject": "x"}]}'],
)
def test_a_damaged_record_is_said_and_takes_no_plain_tag_with_it(damaged):
    found = reviewed(GROKKED, {RECORD: damaged, ONSET: "700"})
    assert found.verdict.onset == at(700)
    assert len(found.unread) == 1
    assert RECORD in found.unread[0]


@pytest.mark.parametrize("part", [3, {"subject": "onset"}, {"subject": "x", "decision": "moved"}, {"a": []}])
def test_a_damaged_review_in_a_record_takes_no_other_with_it(part):
    tags = tags_after(Review(subject="dip", decision=Decision.REJECTED, detected=at(400)))
    record = json.loads(tags[RECORD])
    tags[RECORD] = json.dumps({**record, "reviews": [part, *record["reviews"]], "replaced": [part, [1]]})
    found = reviewed(GROKKED, tags)
    assert [event.kind for event in found.verdict.transitions] == [Kind.MEMORIZATION, Kind.GENERALIZATION]
    assert found.unread == (f"1 reviews in the tag {RECORD} cannot be read and are left out.",)


def test_a_record_fits_a_tag_however_much_is_decided():
    reviews = [moved(step, note="é" * 400, reviewer="x" * 100) for step in range(60)]
    tags = tags_after(*reviews)
    assert len(tags[RECORD]) <= MOST_LETTERS
    assert reviews_in(tags).reviews[0].date == at(59)
    assert 1 <= len(reviews_in(tags).replaced) <= MOST_REPLACED
    many = [Review(subject="dip", decision=Decision.ADDED, date=at(s), note="n" * 300) for s in range(90)]
    assert len(tags_after(*many)[RECORD]) <= MOST_LETTERS


def test_moving_a_date_moves_its_event_and_the_delay():
    tags = tags_after(Review(subject="midpoint", decision=Decision.MOVED, date=at(1000)))
    found = reviewed(GROKKED, tags).verdict
    assert found.delay == Delay(steps=900, ratio=10.0)
    own = found.transitions[-1]
    assert (own.step, own.midpoint, own.source, own.status) == (
        1000, at(1000), Source.PERSON, Status.CONFIRMED,
    )  # fmt: skip


def test_a_rejected_generalization_leaves_a_run_that_memorized():
    found = reviewed(GROKKED, {"grokscope.review.generalized_step": "none"}).verdict
    assert (found.pattern, found.onset, found.midpoint, found.generalized, found.delay) == (
        Pattern.MEMORIZATION, None, None, None, None,
    )  # fmt: skip
    assert [event.kind for event in found.transitions] == [Kind.MEMORIZATION, Kind.DIP]
    own = reviewed(
        GROKKED, {"grokscope.review.generalized_step": "none", "grokscope.review.pattern": "confusion"}
    )
    assert (own.verdict.pattern, own.decided) == (Pattern.CONFUSION, ("generalized", "pattern"))


def test_a_generalization_that_was_missed_is_added_with_its_pattern():
    missed = Verdict(run="r", pattern=Pattern.MEMORIZATION, memorized=at(100))
    added = Review(subject="generalized", decision=Decision.ADDED, date=at(900))
    assert reviewed(missed, tags_after(added)).verdict.pattern is Pattern.GROKKING


def test_events_of_any_kind_are_confirmed_rejected_moved_and_added_and_survive_a_later_detector():
    suspected = event(Kind.COLLAPSE, 1500, status=Status.SUSPECTED)
    verdict = replace(GROKKED, transitions=(*GROKKED.transitions, suspected))
    was = {"metric": "test/accuracy", "detected": at(1500, 10)}
    tags = tags_after(
        Review(subject="dip", decision=Decision.REJECTED, detected=at(400, 10), metric="test/accuracy"),
        Review(subject="collapse", decision=Decision.CONFIRMED, date=at(1500, 10), **was),
        Review(subject="phase_change", decision=Decision.ADDED, date=at(50), metric="test/accuracy"),
    )
    found = {e.kind: e for e in reviewed(verdict, tags).verdict.transitions}
    assert Kind.DIP not in found
    assert (found[Kind.COLLAPSE].status, found[Kind.COLLAPSE].source) == (Status.CONFIRMED, Source.AUTOMATIC)
    assert (found[Kind.PHASE_CHANGE].step, found[Kind.PHASE_CHANGE].source) == (50, Source.PERSON)
    # A later version finds the dip a little elsewhere, another one far from it, and no collapse.
    later = replace(GROKKED, transitions=(event(Kind.DIP, 440), event(Kind.DIP, 2000)))
    kinds = [(e.kind, e.step) for e in reviewed(later, tags).verdict.transitions]
    assert kinds == [(Kind.PHASE_CHANGE, 50), (Kind.COLLAPSE, 1500), (Kind.DIP, 2000)]


def test_a_rejected_collapse_leaves_what_the_dates_tell():
    verdict = replace(GROKKED, pattern=Pattern.COLLAPSE, transitions=(event(Kind.COLLAPSE, 1500),))
    tags = tags_after(Review(subject="collapse", decision=Decision.REJECTED, detected=at(1500, 10)))
    assert reviewed(verdict, tags).verdict.pattern is Pattern.GROKKING


def test_a_note_alone_changes_nothing_and_is_kept():
    tags = tags_after(Review(subject="onset", decision=Decision.NOTED, note="look again"))
    assert ONSET not in tags
    found = reviewed(GROKKED, tags)
    assert (found.decided, found.verdict.reviews[0].note) == ((), "look again")
    assert replace(found.verdict, reviews=()).onset == GROKKED.onset
