"""What changed: the latest events of all runs, newest first."""

from collections.abc import Mapping, Sequence

import streamlit as st

from grokscope.dashboard.component.links import run_link
from grokscope.dashboard.state.data import Data, LiveStatus, Snapshot
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape
from grokscope.dashboard.words.events import EVENT_STYLES, said_of
from grokscope.schemas import Kind, Status
from grokscope.transitions.live.feed import ALPHA

FEW = 5
"""Runs below which a bound on each says enough; with more, false alarms over all of them are bounded too."""

NEWEST = "live_newest"
"""Key of the newest event, by which the browser's script tells that there is a new one."""

_MOST = 30
_HEIGHT = 250
_FITTING = 6
"""Events that the height holds."""
_STATUS_COLOURS: Mapping[Status, str] = {Status.SUSPECTED: "orange", Status.REJECTED: "gray"}
_WORDS: Mapping[Status, str] = {Status.REJECTED: "withdrawn"}


def feed(data: Data, snapshot: Snapshot, live: LiveStatus, *, is_training: bool) -> None:
    """Draw the latest events of all runs; while one trains, in a box that no new event makes higher."""
    if live.changes.is_empty() and not is_training:
        return
    st.subheader("What changed", anchor=False)
    is_high = is_training or live.changes.height > _FITTING
    with st.container(
        height=_HEIGHT if is_high else "content", border=True, gap="xsmall", key="live_changes"
    ):
        if live.changes.is_empty():
            st.caption("No event yet. Each one stands here as soon as a point shows it.")
        for place, row in enumerate(live.changes.head(_MOST).iter_rows(named=True)):
            key = NEWEST if place == 0 else f"live_change_{place}"
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=key):
                _event(data, row, now_ms=snapshot.taken_ms)
    total = live.changes.height
    rest = phrases.cut(min(_MOST, total), total, "events", rest="The page Run holds those of each run.")
    if rest:
        st.caption(rest)
    _said_of_many(snapshot, live)


def last_run_said(snapshot: Snapshot, ended: Sequence[Mapping[str, object]], live: LiveStatus) -> str:
    """Return that nothing trains, and which run ended last; in markdown."""
    if not ended:
        return "Nothing is training, and no run has ended yet."
    run = ended[0]
    end_ms = run["end_ms"] if isinstance(run["end_ms"], int) else None
    when = "" if end_ms is None else f" at {phrases.clock(end_ms, now_ms=snapshot.taken_ms)}"
    events = live.changes.filter(run_id=str(run["run_id"])).height
    how = "" if run["status"] == "FINISHED" else f" ({escape(str(run['status']).lower())})"
    return (
        f"Nothing is training. The last run, **{escape(str(run['label']))}**, ended{when}{how} with "
        f"{phrases.counted(events, 'event')}. New runs appear here by themselves."
    )


def _said_of_many(snapshot: Snapshot, live: LiveStatus) -> None:
    """Say which runs stand out when many are followed at once."""
    if not live.states or live.followed < FEW:
        return
    labels = dict(snapshot.runs.select("run_id", "label").iter_rows())
    named = ", ".join(escape(labels.get(run, run)) for run in live.discovered) or "none so far"
    each = " in each experiment" if snapshot.parts else ""
    st.caption(
        f"Of the {live.followed} runs that are followed, with at most {ALPHA * 100:g} % false "
        f"discoveries{each} (e-BH), these generalize: {named}."
    )


def _event(data: Data, row: Mapping[str, object], *, now_ms: int) -> None:
    kind, status = Kind(str(row["kind"])), Status(str(row["status"]))
    style = EVENT_STYLES[kind]
    colour = style.colour if status is Status.CONFIRMED else _STATUS_COLOURS.get(status, "gray")
    when = phrases.clock(row["time_ms"] if isinstance(row["time_ms"], int) else None, now_ms=now_ms)
    st.markdown(f":gray[{escape(when)}] :{colour}-badge[{_WORDS.get(status, status)}]", width="content")
    run_link(data, str(row["run_id"]), str(row["run"]))
    st.markdown(f"{style.shape} {_said(row, kind, status)}", width="content")


def _said(row: Mapping[str, object], kind: Kind, status: Status) -> str:
    step, low, high, at = (f"{row[name]:,}" for name in ("step", "low", "high", "at"))
    interval = f":gray[\\[{low}, {high}\\] {escape(str(row['metric']))}]"
    if status is Status.REJECTED:
        why = escape(str(row["why"]))
        return f"~~{kind.word} of step {step}~~ {interval}, withdrawn at step {at}: {why}"
    return f"{said_of(kind, status)} at step {step} {interval}"
