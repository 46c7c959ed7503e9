"""What changed: where runs in training stand, and the latest events, newest first."""

from collections.abc import Mapping
from typing import Literal

import polars as pl
import streamlit as st

from grokscope.dashboard.state.data import Watch
from grokscope.dashboard.state.watching import ALPHA, FEW, RATE
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape
from grokscope.dashboard.words.events import EVENT_STYLES
from grokscope.schemas import Kind
from grokscope.transitions import State

_MOST = 8
_Colour = Literal["gray", "orange", "green", "red"]
_COLOURS: Mapping[State, _Colour] = {
    State.NOT_YET: "gray",
    State.SUSPECTED: "orange",
    State.CONFIRMED: "green",
    State.REGRESSED: "red",
}
_STATUS_COLOURS: Mapping[str, _Colour] = {"suspected": "orange", "rejected": "gray"}
_WORDS: Mapping[str, str] = {"rejected": "withdrawn"}


def chip(state: State | None) -> None:
    """Draw where a run stands; a run whose log is still being read has no state."""
    if state is None:
        st.badge("reading", color="gray")
    else:
        st.badge(state.value, color=_COLOURS[state])


def legend(watch: Watch, labels: Mapping[str, str]) -> None:
    """Say what the chips promise, and which runs stand out when many are watched at once."""
    if not watch.states:
        return
    st.caption(
        "suspected: an early alarm; a run that stays at its level is ever suspected with a probability of "
        f"{ALPHA * 100:g} % at most (e-process, α = {ALPHA:g}) · "
        "confirmed, regressed: the verdict on all points"
    )
    if len(watch.states) >= FEW:
        named = ", ".join(escape(labels[run]) for run in watch.discovered) or "none so far"
        st.caption(
            f"Of these {len(watch.states)} runs together, with at most {RATE * 100:g} % false discoveries "
            f"(e-BH), these move: {named}."
        )


def feed(watch: Watch, *, now_ms: int) -> None:
    """Draw the latest events of all runs."""
    if watch.changes.is_empty():
        return
    st.subheader("What changed", anchor=False)
    with st.container(gap="xsmall", key="live_changes"):
        for row in watch.changes.head(_MOST).iter_rows(named=True):
            st.markdown(_line(row, now_ms=now_ms))
    total = watch.changes.height
    rest = phrases.cut(min(_MOST, total), total, "events", rest="The page Run holds those of each run.")
    if rest:
        st.caption(rest)


def _line(row: Mapping[str, object], *, now_ms: int) -> str:
    kind, status = Kind(str(row["kind"])), str(row["status"])
    style = EVENT_STYLES[kind]
    colour = style.colour if status == "confirmed" else _STATUS_COLOURS.get(status, "gray")
    when = phrases.clock(row["time_ms"] if isinstance(row["time_ms"], int) else None, now_ms=now_ms)
    step, low, high = (f"{row[name]:,}" for name in ("step", "low", "high"))
    return (
        f":gray[{escape(when)}] :{colour}-badge[{_WORDS.get(status, status)}] **{escape(str(row['run']))}** "
        f"{style.shape} {kind.word} at step {step} :gray[\\[{low}, {high}\\]]"
    )


def labels_of(runs: pl.DataFrame) -> dict[str, str]:
    """Return what each run is called."""
    return dict(runs.select("run_id", "label").iter_rows())
