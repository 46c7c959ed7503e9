"""What can be done to ticked runs: compare, open, report, tag, note, archive with an undo."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.component.report_section import report_section
from grokscope.dashboard.component.table import runs_table
from grokscope.dashboard.state.data import Data, Snapshot
from grokscope.dashboard.state.selection import MOST_RUNS
from grokscope.dashboard.tables.runs.details import persons_tags, tags_by_run
from grokscope.dashboard.views.runs.ticks import tick, ticked
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape, plain
from grokscope.schemas.names import why_no_tag
from grokscope.schemas.tags import NOTE

_ARCHIVED, _WRITTEN, _PROBLEM = "runs_archived", "runs_written", "runs_problem"
_SAID = 400
_HOW = (
    "Tick rows to compare, tag or archive them, or one row to open it. By keyboard: arrow keys to a row, "
    "Shift + Space ticks it."
)


def actions(data: Data, snapshot: Snapshot, chosen: Sequence[str], *, shown: int) -> None:
    """Draw what can be done to the ticked runs that are shown.

    Whatever writes is done as its click arrives (``on_click``): a page that is still being drawn is left
    where it stands as soon as somebody does the next thing, and what it would have written then is lost.

    Args:
        data: Where changes are written.
        snapshot: The runs that are looked at.
        chosen: Ids of the ticked runs among those shown.
        shown: How many runs are shown.
    """
    if st.session_state.pop(_WRITTEN, False):
        st.rerun()  # the rail and the menu are of the runs too
    # Each has a place of its own: what comes and goes in one moves nothing that another has drawn.
    with st.container(key="runs_problem_place"):
        if problem := st.session_state.pop(_PROBLEM, None):
            st.error(escape(problem, limit=_SAID))
    with st.container(key="runs_undo_place"):
        _undo(data)
    if not chosen:
        st.caption(f"{phrases.counted(shown, 'run')} · {_HOW}")
        return
    with st.container(horizontal=True, vertical_alignment="center", key="runs_actions"):
        _go_on(data, chosen)
        told = runs_table(snapshot).filter(pl.col("run_id").is_in(chosen))
        report_section(snapshot, told, key="runs_ticked_report", is_in_row=True)
        with st.popover("Tag", icon=":material/sell:", key="runs_tag_box"):
            _tag(data, snapshot, chosen)
        with st.popover("Note", icon=":material/edit_note:", key="runs_note_box"):
            _note(data, snapshot, chosen)
        _button("Archive", "runs_archive", _archive, data, chosen, icon=":material/archive:", help=_ARCHIVING)
        _button("Clear ticks", "runs_clear", tick, (), type="tertiary")
        st.caption(_counted(len(chosen), shown))


def _button(label: str, key: str, act: Callable[..., None], *of: object, **looks: Any) -> None:
    st.button(label, key=key, on_click=act, args=of, **looks)


_ARCHIVING = "MLflow calls it deleted: no page lists the runs, their data stay, and they can be restored."


def _counted(chosen: int, shown: int) -> str:
    hidden = len(ticked()) - chosen
    out = (
        f" · {phrases.counted(hidden, 'ticked run')} not among those shown: left alone" if hidden > 0 else ""
    )
    return f"{chosen:,} of {phrases.counted(shown, 'run')} ticked{out}"


def _go_on(data: Data, chosen: Sequence[str]) -> None:
    is_many = len(chosen) > MOST_RUNS
    if st.button(
        f"Compare {phrases.counted(len(chosen), 'run')}",
        key="runs_compare",
        type="primary",
        disabled=len(chosen) < 2 or is_many,  # noqa: PLR2004 - one run is opened
        help=f"At most {MOST_RUNS} runs can be named to another page." if is_many else None,
    ):
        data.open_view("compare", chosen)
    if len(chosen) == 1 and st.button("Open run", key="runs_open"):
        data.open_view("run", chosen)


def _tag(data: Data, snapshot: Snapshot, chosen: Sequence[str]) -> None:
    st.text_input("Tag", key="runs_tag_name", placeholder="keep")
    st.text_input("Value", key="runs_tag_value", placeholder="none is needed")
    runs = phrases.counted(len(chosen), "run")
    _button(f"Add to {runs}", "runs_tag_add", _add_tag, data, chosen, type="primary")
    there = _tags_of(snapshot, chosen)
    if there:
        gone = st.selectbox("Remove", there, index=None, format_func=plain, key="runs_tag_gone")
        _button("Remove it", "runs_tag_remove", _remove_tag, data, chosen, disabled=gone is None)


def _add_tag(data: Data, chosen: Sequence[str]) -> None:
    name = str(st.session_state["runs_tag_name"]).strip()
    problem = why_no_tag(name)
    if problem:
        st.session_state[_PROBLEM] = problem
    else:
        _change(data, chosen, {name: str(st.session_state["runs_tag_value"])})


def _remove_tag(data: Data, chosen: Sequence[str]) -> None:
    gone = st.session_state["runs_tag_gone"]
    if gone is not None:
        _change(data, chosen, {gone: None})


def _tags_of(snapshot: Snapshot, chosen: Sequence[str]) -> list[str]:
    by_run = tags_by_run(snapshot)
    return sorted({key for run in chosen for key in persons_tags(by_run.get(run, {}))})


def _note(data: Data, snapshot: Snapshot, chosen: Sequence[str]) -> None:
    runs = phrases.counted(len(chosen), "run")
    known = tags_by_run(snapshot).get(chosen[0], {}).get(NOTE, "") if len(chosen) == 1 else ""
    # Another run has another note: its key is another, so that no text is carried from run to run.
    key = f"runs_note_{chosen[0] if len(chosen) == 1 else 'several'}"
    st.text_area("Note", known, key=key)
    if len(chosen) > 1:
        st.caption(f"It replaces the notes of {runs}.")
    _button(f"Keep for {runs}", "runs_note_keep", _keep_note, data, chosen, key, type="primary")


def _keep_note(data: Data, chosen: Sequence[str], key: str) -> None:
    _change(data, chosen, {NOTE: str(st.session_state[key]).strip() or None})


def _change(data: Data, chosen: Sequence[str], changes: Mapping[str, str | None]) -> None:
    """Set or remove tags of all chosen runs; one that cannot be changed leaves the others changed."""
    told = [data.source.change_tags(run, lambda _: changes) for run in chosen]
    problems = [problem for problem in told if problem]
    st.session_state[_WRITTEN] = len(problems) < len(chosen)
    if problems:
        done = len(chosen) - len(problems)
        st.session_state[_PROBLEM] = f"{done} of {phrases.counted(len(chosen), 'run')} changed. {problems[0]}"


def _archive(data: Data, chosen: Sequence[str]) -> None:
    problem = data.source.archive(chosen)
    if problem:
        st.session_state[_PROBLEM] = problem
        return
    st.session_state[_ARCHIVED] = tuple(chosen)
    st.session_state[_WRITTEN] = True
    tick([run for run in ticked() if run not in set(chosen)])


def _undo(data: Data) -> None:
    """Offer to bring back what was archived last, until something else is archived or the page is left."""
    gone: tuple[str, ...] = st.session_state.get(_ARCHIVED, ())
    if not gone:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="runs_archived_row"):
        st.markdown(f"{phrases.counted(len(gone), 'run')} archived.")
        _button("Undo", "runs_undo", _restore, data, gone, icon=":material/undo:")
        _button("Dismiss", "runs_undo_dismiss", _forget, type="tertiary")


def _restore(data: Data, gone: Sequence[str]) -> None:
    problem = data.source.restore(gone)
    if problem:
        st.session_state[_PROBLEM] = problem
        return
    st.session_state[_WRITTEN] = True
    _forget()


def _forget() -> None:
    st.session_state.pop(_ARCHIVED, None)
