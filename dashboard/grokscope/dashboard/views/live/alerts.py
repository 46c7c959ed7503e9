"""What changed: where runs in training stand, and the latest events, newest first."""

from collections.abc import Mapping
from typing import Literal

import polars as pl
import streamlit as st

from grokscope.dashboard.state.data import LiveStatus
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape
from grokscope.dashboard.words.events import EVENT_STYLES, said_of
from grokscope.schemas import Kind, Status
from grokscope.transitions import State
from grokscope.transitions.live.feed import ALPHA

FEW = 5
"""Runs below which a bound on each says enough; with more, false alarms over all of them are bounded too."""

_MOST = 8
_Colour = Literal["gray", "orange", "green", "red"]
_COLOURS: Mapping[State, _Colour] = {
    State.NOT_YET: "gray",
    State.SUSPECTED: "orange",
    State.CONFIRMED: "green",
    State.REGRESSED: "red",
}
_STATUS_COLOURS: Mapping[Status, _Colour] = {Status.SUSPECTED: "orange", Status.REJECTED: "gray"}
_WORDS: Mapping[Status, str] = {Status.REJECTED: "withdrawn"}


def chip(state: State | None) -> None:
    """Draw where a run stands; a run whose log is still being read has no state."""
    if state is None:
        st.badge("reading", color="gray")
    else:
        st.badge(state.value, color=_COLOURS[state])


def legend(live: LiveStatus, labels: Mapping[str, str]) -> None:
    """Say what the chips promise, and which runs stand out when many are followed at once."""
    if not live.states:
        return
    st.caption(
        "suspected: early, by the detector; a run that stays at its level is ever suspected with a "
        f"probability of {ALPHA * 100:g} % at most (e-process, α = {ALPHA:g}) · "
        "confirmed, regressed: the verdict on all points"
    )
    if live.followed >= FEW:
        named = ", ".join(escape(labels.get(run, run)) for run in live.discovered) or "none so far"
        st.caption(
            f"Of the {live.followed} runs that are followed, with at most {ALPHA * 100:g} % false "
            f"discoveries (e-BH), these generalize: {named}."
        )


def feed(live: LiveStatus, *, now_ms: int) -> None:
    """Draw the latest events of all runs."""
    if live.changes.is_empty():
        return
    st.subheader("What changed", anchor=False)
    with st.container(gap="xsmall", key="live_changes"):
        for row in live.changes.head(_MOST).iter_rows(named=True):
            st.markdown(_line(row, now_ms=now_ms))
    total = live.changes.height
    rest = phrases.cut(min(_MOST, total), total, "events", rest="The page Run holds those of each run.")
    if rest:
        st.caption(rest)


def _line(row: Mapping[str, object], *, now_ms: int) -> str:
    kind, status = Kind(str(row["kind"])), Status(str(row["status"]))
    style = EVENT_STYLES[kind]
    colour = style.colour if status is Status.CONFIRMED else _STATUS_COLOURS.get(status, "gray")
    when = phrases.clock(row["time_ms"] if isinstance(row["time_ms"], int) else None, now_ms=now_ms)
    step, low, high, at = (f"{row[name]:,}" for name in ("step", "low", "high", "at"))
    head = (
        f":gray[{escape(when)}] :{colour}-badge[{_WORDS.get(status, status)}] **{escape(str(row['run']))}** "
        f"{style.shape}"
    )
    interval = f":gray[\\[{low}, {high}\\] {escape(str(row['metric']))}]"
    if status is Status.REJECTED:
        why = escape(str(row["why"]))
        return f"{head} {kind.word} of step {step} {interval}, withdrawn at step {at}: {why}"
    return f"{head} {said_of(kind, status)} at step {step} {interval}"


def labels_of(runs: pl.DataFrame) -> dict[str, str]:
    """Return what each run is called."""
    return dict(runs.select("run_id", "label").iter_rows())
