"""A person's review of what was dated in a run: confirm, reject, move, note, undo; add what is missing."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from grokscope.dashboard.state.data import Data
from grokscope.dashboard.state.reviewing import Change, keep, now
from grokscope.dashboard.tables.dated_events import (
    PATTERN,
    DatedEvent,
    dated_events,
    missing_subjects,
)
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape, plain
from grokscope.dashboard.words.patterns import headline
from grokscope.schemas import Date, Decision, Pattern, Review, ReviewRecord, Verdict
from grokscope.schemas.tags import NOTE, REVIEW_PREFIX
from grokscope.schemas.verdicts.review import DATES

_MOST_ROWS = 30
_DATE, _LONG_DATE, _LETTERS_OF_DATE = 190, 330, 24
"""Width of a date with its interval, in pixels; of one in hundreds of millions of steps."""
_HIGHEST_STEP = 2**53 - 1
_MOST_OF_A_NOTE = 4000
_NAME, _KEPT_NAME = "review_name", "review_kept_name"
_PROBLEM, _WRITTEN = "review_problem", "review_written"
_HELP = (
    f"What a person decides here is kept as tags `{REVIEW_PREFIX}*` of the run. No detector changes them, "
    "and they win on every page, in every table, answer and export. Undo brings back what was before."
)


def review(data: Data, verdict: Verdict, *, note_on_run: str, in_thousandths: bool) -> None:
    """Draw a row a dated event with what a person can decide about it.

    Args:
        data: Where reviews are kept.
        verdict: As people left it.
        note_on_run: MLflow's description of the run.
        in_thousandths: Steps are thousandths of those in the run's log.
    """
    if st.session_state.pop(_WRITTEN, False):
        st.rerun()  # the rail counts runs as people left them
    unit = "thousandths of a step" if in_thousandths else "steps"
    with st.container(horizontal=True, vertical_alignment="bottom", key="review_head"):
        st.subheader("Dated events", anchor=False, help=_HELP, width="content")
        said = escape(f"{verdict.detector}, definition {verdict.definition}")
        st.caption(f"{unit} with 95 % intervals · {said}", width="stretch")
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(f"The review was not kept: {escape(problem, limit=600)}")
    rows = dated_events(verdict)
    with st.container(key="review_rows", gap=None, border=True):
        for row, key in zip(rows, _keys(rows[:_MOST_ROWS]), strict=False):
            _row(data, verdict.run, row, key=key)
        if not rows:
            st.caption("Nothing is dated in this run.")
        _more(data, verdict, note_on_run)
    if len(rows) > _MOST_ROWS:
        st.caption(f"{_MOST_ROWS} of {len(rows)} events are shown, the earliest ones.")


def _keys(rows: Sequence[DatedEvent]) -> list[str]:
    """Return a key a row that no other has: events may be of one kind, step and, as it is shown, metric."""
    seen = Counter[str]()
    keys: list[str] = []
    for row in rows:
        key = f"review_{row.subject}_{_step(row.detected or row.date)}_{plain(row.metric)}"
        seen[key] += 1
        keys.append(key if seen[key] == 1 else f"{key}_{seen[key]}")
    return keys


def _row(data: Data, run_id: str, row: DatedEvent, *, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_row", gap="small"):
        date = phrases.dated(row.date) if row.date is not None else f"~~{phrases.dated(row.detected)}~~"
        on = f" :gray[{escape(row.metric)}]" if row.metric else ""
        st.markdown(f"{row.shape} **{row.name}**{on}", help=row.meaning, width=190)
        st.markdown(date, width=_LONG_DATE if len(date) > _LETTERS_OF_DATE else _DATE)
        note = "" if row.review is None or not row.review.note else f" · {row.review.note}"
        st.caption(escape(row.status + note, limit=400), width="stretch")
        with st.container(horizontal=True, gap="small", width="content", key=f"{key}_buttons"):
            _buttons(data, run_id, row, key=key)


def _buttons(data: Data, run_id: str, row: DatedEvent, *, key: str) -> None:
    def decide(decision: Decision, date: Date | None = None) -> Callable[[], None]:
        return lambda: _keep(data, run_id, _with(row.decided(decision, date=date)))

    def moved() -> None:
        move_event(data, run_id, row, int(st.session_state[f"{key}_step"]))

    at = row.date or row.detected
    is_sure = row.is_added or (row.review is not None and row.review.decision is Decision.CONFIRMED)
    _button("Confirm", decide(Decision.CONFIRMED, at), key=key, is_off=at is None or is_sure)
    off = row.is_added or row.is_rejected
    _button("Reject", decide(Decision.REJECTED), key=key, is_off=off, told=_REJECTED.get(row.subject))
    with st.popover("Move", key=f"{key}_move", type="tertiary"):
        st.number_input(
            f"Step of {row.name}",
            min_value=0,
            max_value=_HIGHEST_STEP,
            value=0 if at is None else min(at.step, _HIGHEST_STEP),
            key=f"{key}_step",
        )
        st.button("Move it here", key=f"{key}_move_here", on_click=moved)
    with st.popover("Note", key=f"{key}_note", type="tertiary"):
        written = "" if row.review is None else row.review.note
        st.text_area(f"Note on {row.name}", written, key=f"{key}_text", max_chars=300)
        st.button("Keep the note", key=f"{key}_keep", on_click=lambda: _noted(data, run_id, row, key))
    undo = lambda: _keep(data, run_id, lambda record: record.undone(row.key))  # noqa: E731 - a click
    _button("Undo", undo, key=key, is_off=row.review is None)


def _button(
    label: str, click: Callable[[], None], *, key: str, is_off: bool, told: str | None = None
) -> None:
    name = f"{key}_{label.lower()}"
    st.button(label, key=name, on_click=click, disabled=is_off, type="tertiary", help=told)


_REJECTED = {
    "generalized": "Without a completion the run counts as one that has not generalized. If only the step is "
    "wrong, move it."
}
"""What rejecting an event means beyond that event."""


def _more(data: Data, verdict: Verdict, note_on_run: str) -> None:
    """Draw what adds an event, sets the pattern, and writes a note on the run."""

    def added() -> None:
        subject, step = st.session_state["review_add_subject"], st.session_state["review_add_step"]
        add_event(data, verdict, str(subject), int(step))

    with st.container(horizontal=True, key="review_more", gap="small"):
        with st.popover("Add event", icon=":material/add:", key="review_add"):
            subjects = missing_subjects(verdict)
            st.selectbox("Event", list(subjects), format_func=subjects.__getitem__, key="review_add_subject")
            st.number_input("Step", min_value=0, max_value=_HIGHEST_STEP, key="review_add_step")
            st.button("Add it", key="review_add_it", on_click=added)
        with st.popover("Set pattern", key="review_pattern"):
            patterns = list(Pattern)
            shown = patterns.index(verdict.pattern)
            st.selectbox("Pattern", patterns, shown, format_func=headline, key="review_pattern_value")
            st.button("Set it", key="review_pattern_set", on_click=lambda: _pattern(data, verdict))
            own = any(one.subject == PATTERN for one in verdict.reviews)
            undo = lambda: _keep(data, verdict.run, lambda record: record.undone(PATTERN))  # noqa: E731
            _button("Undo", undo, key="review_pattern", is_off=not own)
        with st.popover("Note on the run", key="review_run_note"):
            st.text_area(
                "MLflow shows it as the run's description",
                note_on_run,
                key="review_run_text",
                max_chars=_MOST_OF_A_NOTE,
            )
            st.button("Keep the note", key="review_run_keep", on_click=lambda: _note_on_run(data, verdict))
        _reviewer()
    if note_on_run.strip():
        st.caption(escape(note_on_run, limit=600))


def _reviewer() -> None:
    kept = st.session_state.get(_KEPT_NAME, "")
    st.session_state[_KEPT_NAME] = st.text_input(
        "Reviewed by",
        kept,
        key=_NAME,
        placeholder="reviewed by: unnamed",
        max_chars=60,
        width=200,
        label_visibility="collapsed",
    )


def move_event(data: Data, run_id: str, row: DatedEvent, step: int) -> None:
    """Keep that a person puts a dated event at another step."""
    decision = Decision.MOVED if row.detected is not None else Decision.ADDED
    _keep(data, run_id, _with(row.decided(decision, date=_at(step)), instead_of=row.key))


def _noted(data: Data, run_id: str, row: DatedEvent, key: str) -> None:
    before = row.decided(Decision.NOTED) if row.review is None else row.review
    _keep(data, run_id, _with(replace(before, note=str(st.session_state[f"{key}_text"]))))


def add_event(data: Data, verdict: Verdict, subject: str, step: int) -> None:
    """Keep that a person dates what the detector missed; ``subject`` is one of ``missing_subjects``."""
    date = _at(step)
    metric = verdict.outcomes[0].metric if verdict.outcomes and subject not in DATES else ""
    new = Review(subject=subject, decision=Decision.ADDED, date=date, metric=metric)
    _keep(data, verdict.run, _with(new))


def _pattern(data: Data, verdict: Verdict) -> None:
    pattern = Pattern(st.session_state["review_pattern_value"])
    decision = Decision.CONFIRMED if pattern is verdict.pattern else Decision.MOVED
    _keep(data, verdict.run, _with(Review(subject=PATTERN, decision=decision, pattern=pattern.value)))


def _note_on_run(data: Data, verdict: Verdict) -> None:
    text = str(st.session_state["review_run_text"]).strip()
    tell(data.source.change_tags(verdict.run, lambda _: {NOTE: text or None}))


def named_reviewer() -> str:
    """Return who is named on the page as the one who decides; ``""`` for nobody."""
    return str(st.session_state.get(_NAME, "") or "")


def _with(made: Review, *, instead_of: str | None = None) -> Change:
    """Return the change that a review makes, signed by who is named on the page, now."""
    signed = replace(made, reviewer=named_reviewer(), time=now())

    def change(record: ReviewRecord) -> ReviewRecord:
        return record.with_review(signed, instead_of=instead_of)

    return change


def _keep(data: Data, run_id: str, change: Change) -> None:
    tell(keep(data.source, run_id, change))


def tell(problem: str | None) -> None:
    """Say, at the next drawing, why a review was not kept; ``None`` if it was, which the rail shows, too."""
    st.session_state[_PROBLEM if problem else _WRITTEN] = problem or True


def _at(step: int) -> Date:
    return Date(step=step, low=step, high=step)


def _step(date: Date | None) -> Any:
    return "none" if date is None else date.step
