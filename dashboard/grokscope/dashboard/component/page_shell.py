"""What all pages share: the menu and the rail, the states with nothing to draw, when a page refreshes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from grokscope.dashboard.component import downloads
from grokscope.dashboard.component.rail import address, experiments, rail, views, write
from grokscope.dashboard.state import phases
from grokscope.dashboard.state.data import Data, Snapshot, SnapshotSource
from grokscope.dashboard.state.narrowing import settings_of_several
from grokscope.dashboard.state.selection import Selection, existing, selection_from
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape

EVERY_S = 4
POLL_S = 10
"""Pause between two questions to the store whether it has something new, while nothing trains."""
RECENT_S = 4.0
"""What a click changes is drawn of what was read at most so long ago: it waits for no store."""

_SIGN_OF_LIFE_S = 60
"""So long after a run's last sign of life the next of a sweep may begin: that is asked for more often."""

_SLOWER = "refresh_slower"
"""How many times as long as asked for is the pause between two drawings, as these take so long."""
_SLOWEST = 16
_SENTENCE = 600

FIVE_LINES = """\
from grokscope.collectors import Tracker

with Tracker(model, optimizer, experiment="my-experiment") as tracker:
    for step, batch in enumerate(batches):
        tracker.log(step, {"train/batch_loss": train_step(model, batch)})
        if tracker.due(step):
            tracker.evaluate(step, train=train_set, test=test_set)
"""


def header(source: SnapshotSource, title: str, pages: Mapping[str, StreamlitPage]) -> Selection:
    """Draw the menu, the page's title and the rail; return what these and the address select.

    The links carry the selection along, so that it is in the address of every page, ready to be copied.
    Streamlit's own menu drops it, and writing it back while a page changes leaves the address a page behind.
    """
    menu = st.container(horizontal=True, key="menu")
    with st.container(key="page_title"):  # out of sight: the menu shows it, and who cannot see hears it
        st.title("grokscope", anchor=False)
        st.header(title, anchor=False)
    with st.spinner("Reading the store …"):
        newest = source.snapshot(None, at_most_s=RECENT_S)
    selection = selection_from(address(), newest.experiments)
    if not selection.experiments:
        selection = replace(selection, experiments=newest.names())
    with st.sidebar:
        if newest.experiments:
            row = st.container(
                horizontal=True, vertical_alignment="bottom", gap="xsmall", key="rail_experiments_row"
            )
            with row:
                selection = experiments(selection, newest.experiments)
                name = next(name for name, page in pages.items() if page.title == title)
                views(source, selection.experiments, pages, name)
        with st.spinner("Reading the experiment …"):
            snapshot = _with_runs(source, selection)
        if snapshot.runs.height:
            selection = existing(selection, set(snapshot.runs["run_id"]))
            selection = rail(source, selection, snapshot, pages["run"])
    with menu:
        _links(selection, pages, is_of_one=pages["run"].title == title and len(selection.runs) == 1)
    if selection.note:
        st.caption(selection.note)
    write(selection)
    return selection


def _links(selection: Selection, pages: Mapping[str, StreamlitPage], *, is_of_one: bool) -> None:
    """Draw the links to all pages. Looking at one run is not selecting it: other pages go on with all."""
    for name, page in pages.items():
        kept = replace(selection, runs=()) if is_of_one and name != "run" else selection
        st.page_link(page, query_params=kept.query())


def _with_runs(source: SnapshotSource, selection: Selection) -> Snapshot:
    """Return the selected experiments as they were just now; a link may be to a run that began since."""
    snapshot = source.together(selection.experiments, at_most_s=RECENT_S)
    if set(selection.runs).issubset(snapshot.runs["run_id"]):
        return snapshot
    return source.together(selection.experiments)


def ready(snapshot: Snapshot) -> bool:
    """Say what is wrong or missing, and what to do; return whether there are runs to draw."""
    if snapshot.runs.height:
        if snapshot.problem:
            read_at = phrases.clock(snapshot.taken_ms, now_ms=snapshot.taken_ms)
            st.warning(
                f"{_said(snapshot.problem)} Showing what was read at {read_at}; trying again by itself."
            )
        elif snapshot.notice:
            st.caption(_said(snapshot.notice))
        if settings := settings_of_several(snapshot):
            said = escape(", ".join(settings), limit=200)
            st.caption(
                f"These runs differ in how far they are from real pretraining (setting: {said}). Groups keep "
                "them apart; what is summed up over all runs does not."
            )
        if snapshot.unjudged:
            st.caption(
                f"{snapshot.unjudged:,} of {snapshot.runs.height:,} runs have no verdict on their newest "
                "points yet; the verdicts appear here by themselves."
            )
        return True
    if snapshot.left_out:
        many = f"None of the {snapshot.left_out:,} runs is"
        which = "The one run is not" if snapshot.left_out == 1 else many
        st.info(f"{which} asked for: change the search at the left, or tick other groups.")
    elif snapshot.problem and not snapshot.missing:
        _unreadable(snapshot.problem)
    else:
        _nothing_yet(snapshot)
    return False


def _unreadable(problem: str) -> None:
    st.error(_said(problem), icon=":material/cloud_off:")
    st.write(
        "This page tries again by itself. To look at another store, start the dashboard with "
        "`grokscope up --store` and its address."
    )
    st.button("Try again now", key="retry", icon=":material/refresh:")


def _nothing_yet(snapshot: Snapshot) -> None:
    many = len(snapshot.experiments) > 1
    st.subheader("This experiment has no runs yet" if many else "No runs yet", anchor=False)
    if many:
        st.write("Choose another experiment above, or start a run in this one.")
    st.write("To watch a small network grok, in about two minutes:")
    st.code("grokscope demo", language=None)
    st.write("To watch your own training, add these lines to its loop:")
    st.code(FIVE_LINES, language="python")
    st.write("To look at runs that another tool has logged, name its folder or file:")
    st.code("grokscope import FOLDER", language=None)
    st.caption(_said(snapshot.problem) if snapshot.problem else "The first point appears here by itself.")


def _said(sentence: str) -> str:
    return escape(sentence[:1].upper() + sentence[1:], limit=_SENTENCE)


def refreshing(
    data: Data,
    draw: Callable[[Snapshot], None],
    *,
    every_s: float = EVERY_S,
    is_paused: bool = False,
    else_draw: Callable[[Snapshot], None] | None = None,
) -> None:
    """Call ``draw`` with the snapshot, again and again without a reload; not while downloads are open.

    While something is training, nothing can be drawn yet or the store cannot be read, that is every
    ``every_s``. Else nothing is drawn again until the store has something new, which is asked every
    ``POLL_S``, and at first as often as it was drawn.

    Args:
        data: What to draw.
        draw: Is called only when there are runs.
        every_s: Pause between two drawings; it is longer where one takes most of it.
        is_paused: Whether the reader wants none.
        else_draw: Is called while there are no runs, below what is said of that.
    """
    known = data.whole(at_most_s=RECENT_S)
    first = [data.narrow(known)]
    pace, asked_s = f"{_SLOWER} {draw.__module__}", every_s
    every_s *= st.session_state.get(pace, 1)
    pause_s = None if is_paused else _pause_s(first[0], every_s)

    @st.fragment(run_every=pause_s)
    def fragment() -> None:
        is_first = bool(first)
        now = first.pop() if is_first else data.snapshot()
        began = time.monotonic()
        # Runs have come or gone: the picker and the rail, outside this fragment, want to know. Or how often
        # to draw has changed, which only the whole page can set.
        is_other = not is_first and _has_other_runs(data, known)
        if not is_paused and (is_other or _pause_s(now, every_s) != pause_s):
            st.rerun()
        if pause_s is None and not is_paused and _wanted_s(now, every_s) is not None:
            st.caption("This page stands still while data are open below, so that files can be taken along.")
        if ready(now):
            draw(now)
        elif else_draw is not None:
            else_draw(now)
        took_s = time.monotonic() - began
        is_off_pace = pause_s is not None and not is_first and _paced(pace, took_s, pause_s)
        if downloads.forget_undrawn() or is_off_pace:
            st.rerun()

    fragment()
    if pause_s is None and not is_paused and not downloads.are_open():
        _watch(data.source, known, asked_s)


def _paced(pace: str, took_s: float, pause_s: float) -> bool:
    """Return whether to draw less often from now on, or more often again.

    What is drawn again before it has been drawn never comes to rest, and leaves no time for a click.
    """
    slower: int = st.session_state.get(pace, 1)
    if 1.5 * took_s > pause_s:
        st.session_state[pace] = min(2 * slower, _SLOWEST)
    elif 8 * took_s < pause_s:
        st.session_state[pace] = max(slower // 2, 1)
    return st.session_state.get(pace, 1) != slower


def _watch(source: SnapshotSource, known: Snapshot, every_s: float) -> None:
    """Draw the page again once the store has something that ``known`` lacks; until then, draw nothing."""
    is_recent = _is_recent(known)
    is_new = [True]

    @st.fragment(run_every=every_s if is_recent else POLL_S)
    def poll() -> None:
        if is_new and is_new.pop():
            return
        # The pause is set by the whole page: once more, and then it is the longer one.
        if source.has_news(known) or (is_recent and not _is_recent(known)):
            st.rerun()

    poll()


def _is_recent(snapshot: Snapshot) -> bool:
    """Return whether a run was at work just now, by this machine's clock."""
    ages_ms = time.time() * 1000 - snapshot.runs["last_ms"]
    return bool(ages_ms.is_between(0, _SIGN_OF_LIFE_S * 1000).any())


def _has_other_runs(data: Data, known: Snapshot) -> bool:
    now = data.whole()
    return now.runs["run_id"].to_list() != known.runs["run_id"].to_list()


def _pause_s(snapshot: Snapshot, every_s: float) -> float | None:
    return None if downloads.are_open() else _wanted_s(snapshot, every_s)


def _wanted_s(snapshot: Snapshot, every_s: float) -> float | None:
    is_empty = snapshot.runs.is_empty() and not snapshot.left_out
    awaited = is_empty or snapshot.problem is not None or snapshot.unjudged
    return every_s if awaited or phases.active(snapshot.runs).height > 0 else None
