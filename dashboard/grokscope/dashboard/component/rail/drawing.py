"""The rail: a search over runs, params to group and split by, and the groups that this makes."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from grokscope.dashboard.component.address import ONE_BY_ONE
from grokscope.dashboard.component.rail.completion import completion
from grokscope.dashboard.component.rail.following import is_followed
from grokscope.dashboard.component.rail.groups import groups
from grokscope.dashboard.component.rail.narrowing import asked
from grokscope.dashboard.state.data import Snapshot, SnapshotSource
from grokscope.dashboard.state.narrowing import choices
from grokscope.dashboard.state.search import suggestions
from grokscope.dashboard.state.selection import Selection, with_groups, with_params
from grokscope.dashboard.words.escaping import escape, plain

_WHERE, _BY, _SPLIT = "rail_where", "rail_by", "rail_split"
_NO_GROUPS = "(no groups)"
_EXAMPLES = """\
Conditions on params, metrics, verdicts, tags and status, joined by *and*, *or*, *not*:

- `lr > 1e-3 and pattern = grokking`
- `onset < 5000 or not onset`
- `best(test/accuracy) >= 0.9`
- `status = running and not tag.bad`
- `width in (64, 128)`

A word alone finds the runs with it in their name."""


def rail(source: SnapshotSource, selection: Selection, snapshot: Snapshot, page: StreamlitPage) -> Selection:
    """Draw the rail of experiments that have runs; return what is selected with it.

    Args:
        source: Where metrics of runs are read that a query asks for.
        selection: What the address says.
        snapshot: The experiments.
        page: That of a run.
    """
    _follow_the_address(selection)
    with st.container(gap=None, key="rail_search"):
        where = _search()
        completion(snapshot, source, field=_WHERE)
    below = st.container()
    options = _choices(snapshot)
    selection = with_params(selection, options)
    with st.container(horizontal=True, gap="small", key="rail_params"):
        by, split = _grouping(options), _splitting(options)
    found, problem = asked(snapshot, source, by, where)
    if problem is not None:
        with below:
            _say(problem, snapshot, source, where)
    chosen = replace(selection, where=where, by=by, split=split)
    selection = with_groups(chosen, found.groups())
    groups(found, selection, page, of=snapshot.runs.height)
    return selection


def _follow_the_address(selection: Selection) -> None:
    """Give the controls what the address says where it was not written here: a link, or going back."""
    if is_followed(selection):
        return
    st.session_state[_WHERE] = selection.where
    by = selection.by
    st.session_state[_BY] = [] if by is None else list(by) or [_NO_GROUPS]
    st.session_state[_SPLIT] = selection.split


def _search() -> str:
    where = st.text_input(
        "Find runs",
        key=_WHERE,
        type="search",
        placeholder="lr > 1e-3 and pattern = grokking",
        help=_EXAMPLES,
    )
    return where or ""


def _say(problem: str, snapshot: Snapshot, source: SnapshotSource, where: str) -> None:
    """Say why a query cannot be read, and offer how what is typed of it can go on."""
    st.caption(f":red[{escape(problem, limit=400)}] All runs are shown.")
    offered = suggestions(snapshot, where, source=source)
    if not offered:
        return
    with st.container(horizontal=True, gap="xsmall", key="rail_suggestions"):
        for place, one in enumerate(offered):
            longer = f"{where[: one.start]}{one.text} {where[one.end :]}"
            st.button(
                plain(one.text, limit=40),
                key=f"rail_go_on_{place}",
                on_click=_type,
                args=(longer,),
                type="tertiary",
            )


def _type(where: str) -> None:
    st.session_state[_WHERE] = where


def _grouping(options: Sequence[str]) -> tuple[str, ...] | None:
    chosen: list[str] = st.session_state.get(_BY, [])
    known = [*options, _NO_GROUPS]
    st.session_state[_BY] = [name for name in chosen if name in known]
    picked = st.multiselect(
        "Group by",
        known,
        key=_BY,
        format_func=_param,
        placeholder="what tells runs apart" if options else "nothing tells runs apart",
        disabled=not options,
        max_selections=8,
        **ONE_BY_ONE,
    )
    if _NO_GROUPS in picked:
        return ()
    return tuple(picked) or None


def _splitting(options: Sequence[str]) -> str | None:
    if st.session_state.get(_SPLIT) not in options:
        st.session_state[_SPLIT] = None
    return st.selectbox(
        "Split by",
        options,
        index=None,
        key=_SPLIT,
        format_func=_param,
        placeholder="nothing",
        disabled=not options,
        help="Charts of Compare are drawn side by side, one for each value of this param.",
    )


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs={Snapshot: lambda snapshot: snapshot.found})
def _choices(snapshot: Snapshot) -> list[str]:
    return choices(snapshot)


def _param(name: str) -> str:
    """Return a param's last name: the axis of the survey before it is the same for many."""
    return plain(name.rpartition(".")[2] or name)
