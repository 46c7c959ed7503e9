"""What all pages share: the experiment's picker, the states with nothing to draw, when a page refreshes."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from grokscope.dashboard.charts import DARK, LIGHT, Palette
from grokscope.dashboard.component import downloads
from grokscope.dashboard.state import phases
from grokscope.dashboard.state.data import Data, Snapshot, SnapshotSource
from grokscope.dashboard.state.selection import Selection, existing, selection_from
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape, plain

EVERY_S = 4
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
    """Draw the menu, the experiment's picker and the page's title; return what the address selects.

    The links carry the selection along, so that it is in the address of every page, ready to be copied.
    Streamlit's own menu drops it, and writing it back while a page changes leaves the address a page behind.
    """
    with st.spinner("Reading the store …"):
        newest = source.snapshot(None)
    selection = selection_from(st.query_params.to_dict(), newest.experiments)
    if selection.experiment is None and newest.runs.height:
        selection = replace(selection, experiment=newest.experiment)
    with st.spinner("Reading the experiment …"):
        snapshot = source.snapshot(selection.experiment)
    if snapshot.runs.height:
        selection = existing(selection, set(snapshot.runs["run_id"]))
    with st.container(horizontal=True, vertical_alignment="center", key="header"):
        menu = st.container(horizontal=True, width="stretch", key="menu")
        if newest.experiments:
            selection = _picked(selection, list(newest.experiments))
    with menu:
        for page in pages.values():
            st.page_link(page, query_params=selection.query())
    st.title(title, anchor=False)
    if selection.note:
        st.caption(selection.note)
    _write(selection.query())
    return selection


def _picked(selection: Selection, names: list[str]) -> Selection:
    shown = names.index(selection.experiment) if selection.experiment in names else 0
    chosen = st.selectbox(
        "Experiment",
        names,
        index=shown,
        format_func=plain,
        label_visibility="collapsed",
        width=260,
    )
    return selection if chosen == names[shown] else Selection(experiment=chosen)


def _write(query: Mapping[str, str]) -> None:
    for key in ("experiment", "runs"):
        if key in query and st.query_params.get(key) != query[key]:
            st.query_params[key] = query[key]
        elif key not in query and key in st.query_params:
            del st.query_params[key]


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
        if snapshot.unjudged:
            st.caption(
                f"{snapshot.unjudged:,} of {snapshot.runs.height:,} runs have no verdict on their newest "
                "points yet; the verdicts appear here by themselves."
            )
        return True
    if snapshot.problem and not snapshot.missing:
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


def refreshing(data: Data, draw: Callable[[Snapshot], None], *, every_s: float | None = None) -> None:
    """Call ``draw`` with the snapshot, again and again without a reload; not while downloads are open.

    Args:
        data: What to draw.
        draw: Is called only when there are runs.
        every_s: Pause between two drawings; ``None``: a few seconds while something is training, nothing can
            be drawn yet or the store cannot be read, else never again.
    """
    pause_s = _pause_s(data.snapshot(), every_s)

    @st.fragment(run_every=pause_s)
    def fragment() -> None:
        now = data.snapshot()
        # The first run has come: the picker above, outside this fragment, wants to know. Or how often to
        # draw has changed, which only the whole page can set.
        if (now.runs.height and data.selection.experiment is None) or _pause_s(now, every_s) != pause_s:
            st.rerun()
        if pause_s is None and _wanted_s(now, every_s) is not None:
            st.caption("This page stands still while data are open below, so that files can be taken along.")
        if ready(now):
            draw(now)
        if downloads.forget_undrawn():
            st.rerun()

    fragment()


def _pause_s(snapshot: Snapshot, every_s: float | None) -> float | None:
    return None if downloads.are_open() else _wanted_s(snapshot, every_s)


def _wanted_s(snapshot: Snapshot, every_s: float | None) -> float | None:
    awaited = snapshot.runs.is_empty() or snapshot.problem is not None or snapshot.unjudged
    return every_s or (EVERY_S if awaited or phases.active(snapshot.runs).height > 0 else None)


def palette() -> Palette:
    """Return the palette of the reader's theme; outside a browser, the light one."""
    return DARK if st.context.theme.type == "dark" else LIGHT
