"""What can be done to ticked runs: compare, open, report, tag, note, archive with an undo."""

from collections.abc import Mapping, Sequence

import polars as pl
import streamlit as st

from grokscope.dashboard.component.report_section import report_section
from grokscope.dashboard.state.data import Data, Snapshot
from grokscope.dashboard.state.selection import MOST_RUNS
from grokscope.dashboard.tables.runs.details import persons_tags, tags_by_run
from grokscope.dashboard.tables.runs.overview import runs_table
from grokscope.dashboard.views.runs.ticks import tick, ticked
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape, plain
from grokscope.schemas.names import why_no_tag
from grokscope.schemas.tags import NOTE

_ARCHIVED = "runs_archived"
_SAID = 400
_HOW = (
    "Tick rows to compare, tag or archive them, or one row to open it. By keyboard: arrow keys to a row, "
    "Shift + Space ticks it."
)


def actions(data: Data, snapshot: Snapshot, chosen: Sequence[str], *, shown: int) -> None:
    """Draw what can be done to the ticked runs that are shown.

    Args:
        data: Where changes are written.
        snapshot: The runs that are looked at.
        chosen: Ids of the ticked runs among those shown.
        shown: How many runs are shown.
    """
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
        if st.button("Archive", icon=":material/archive:", key="runs_archive", help=_ARCHIVING):
            _archive(data, chosen)
        if st.button("Clear ticks", key="runs_clear", type="tertiary"):
            tick([])
            st.rerun()
        st.caption(_counted(len(chosen), shown))


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
    name = st.text_input("Tag", key="runs_tag_name", placeholder="keep").strip()
    value = st.text_input("Value", key="runs_tag_value", placeholder="none is needed")
    if st.button("Add to " + phrases.counted(len(chosen), "run"), key="runs_tag_add", type="primary"):
        problem = why_no_tag(name)
        if problem:
            st.error(escape(problem, limit=_SAID))
        else:
            _change(data, chosen, {name: value})
    there = _tags_of(snapshot, chosen)
    if there:
        gone = st.selectbox("Remove", there, index=None, format_func=plain, key="runs_tag_gone")
        if st.button("Remove it", key="runs_tag_remove", disabled=gone is None) and gone is not None:
            _change(data, chosen, {gone: None})


def _tags_of(snapshot: Snapshot, chosen: Sequence[str]) -> list[str]:
    by_run = tags_by_run(snapshot)
    return sorted({key for run in chosen for key in persons_tags(by_run.get(run, {}))})


def _note(data: Data, snapshot: Snapshot, chosen: Sequence[str]) -> None:
    runs = phrases.counted(len(chosen), "run")
    known = tags_by_run(snapshot).get(chosen[0], {}).get(NOTE, "") if len(chosen) == 1 else ""
    # Another run has another note: its key is another, so that no text is carried from run to run.
    text = st.text_area("Note", known, key=f"runs_note_{chosen[0] if len(chosen) == 1 else 'several'}")
    if len(chosen) > 1:
        st.caption(f"It replaces the notes of {runs}.")
    if st.button(f"Keep for {runs}", key="runs_note_keep", type="primary"):
        _change(data, chosen, {NOTE: text.strip() or None})


def _change(data: Data, chosen: Sequence[str], changes: Mapping[str, str | None]) -> None:
    """Set or remove tags of all chosen runs; one that cannot be changed leaves the others changed."""
    problems: list[str] = []
    with st.spinner(f"Writing to {phrases.counted(len(chosen), 'run')} …"):
        for run in chosen:
            problem = data.source.change_tags(run, lambda _: changes)
            problems += [problem] if problem else []
    if not problems:
        st.rerun()
    done = len(chosen) - len(problems)
    st.error(f"{done} of {phrases.counted(len(chosen), 'run')} changed. {escape(problems[0], limit=_SAID)}")


def _archive(data: Data, chosen: Sequence[str]) -> None:
    with st.spinner("Archiving …"):
        problem = data.source.archive(chosen)
    if problem:
        st.error(escape(problem, limit=_SAID))
        return
    st.session_state[_ARCHIVED] = tuple(chosen)
    tick([run for run in ticked() if run not in set(chosen)])
    st.rerun()


def _undo(data: Data) -> None:
    """Offer to bring back what was archived last, until something else is archived or the page is left."""
    gone: tuple[str, ...] = st.session_state.get(_ARCHIVED, ())
    if not gone:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="runs_archived_row"):
        st.markdown(f"{phrases.counted(len(gone), 'run')} archived.")
        if st.button("Undo", icon=":material/undo:", key="runs_undo"):
            problem = data.source.restore(gone)
            if problem:
                st.error(escape(problem, limit=_SAID))
                return
            del st.session_state[_ARCHIVED]
            st.rerun()
        if st.button("Dismiss", key="runs_undo_dismiss", type="tertiary"):
            del st.session_state[_ARCHIVED]
            st.rerun(scope="fragment")
