"""The rail's list of views: addresses under a name, kept in the store for all who look at the experiment."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from grokscope.dashboard.component.rail.following import address
from grokscope.dashboard.state.data import SnapshotSource
from grokscope.dashboard.state.saved.views import (
    LONGEST_NAME,
    MOST_VIEWS,
    View,
    ViewError,
    view_key,
    view_tag,
    views_in,
)
from grokscope.dashboard.words.escaping import escape
from grokscope.schemas.tags import VIEW_PREFIX

_PROBLEM, _DELETED, _RENAMED, _NAME = "views_problem", "views_deleted", "views_renamed", "views_name"
_Pages = Mapping[str, StreamlitPage]


@st.fragment
def views(source: SnapshotSource, experiments: Sequence[str], pages: _Pages, page: str) -> None:
    """Draw the button behind which views are saved, opened, renamed and deleted.

    Args:
        source: Where they are kept: with the first of the experiments.
        experiments: Those that are looked at; the views of all are listed.
        pages: All pages, by their name in the address.
        page: The name of the one that is drawn.
    """
    box = st.popover(
        "Saved views", icon=":material/bookmark:", help="Saved views", type="tertiary", key="views_box",
        on_change="rerun",
    )  # fmt: skip
    if not box.open:
        return
    with box:
        if problem := st.session_state.pop(_PROBLEM, None):
            st.error(escape(problem, limit=400))
        known = [(name, one) for name in experiments for one in views_in(source.experiment_tags(name), pages)]
        for place, (experiment, view) in enumerate(known):
            _row(source, experiment, view, pages, key=f"views_{place}")
        if not known:
            st.caption("No view is saved yet. A view is the address of a page: all that is chosen on it.")
        _undo(source)
        _save(source, experiments[0], page)


def _row(source: SnapshotSource, experiment: str, view: View, pages: _Pages, *, key: str) -> None:
    name = escape(view.name, limit=LONGEST_NAME)
    if st.session_state.get(_RENAMED) == (experiment, view.name):
        arguments = (source, experiment, view, f"{key}_to")
        st.text_input(
            f"New name of {name}", view.name, key=f"{key}_to", max_chars=LONGEST_NAME,
            on_change=_rename, args=arguments,
        )  # fmt: skip
        st.button("Rename", key=f"{key}_renamed", on_click=_rename, args=arguments)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(
            name, key=key, type="tertiary", width="stretch", help=f"Open on {pages[view.page].title}"
        ):
            _open(view, pages)
        st.button(
            "", key=f"{key}_rename", icon=":material/edit:", help=f"Rename {name}", type="tertiary",
            on_click=_begin, args=(experiment, view.name),
        )  # fmt: skip
        st.button(
            "", key=f"{key}_delete", icon=":material/delete:", help=f"Delete {name}", type="tertiary",
            on_click=_delete, args=(source, experiment, view),
        )  # fmt: skip


def _open(view: View, pages: _Pages) -> None:
    # A control that is drawn keeps what it says: those that the address speaks of are to follow it.
    for key in {*address(), *view.query}:
        st.session_state.pop(key, None)
    st.switch_page(pages[view.page], query_params=dict(view.query))


def _undo(source: SnapshotSource) -> None:
    deleted: tuple[str, View] | None = st.session_state.get(_DELETED)
    if deleted is not None:
        said = f"Undo: keep {escape(deleted[1].name, limit=LONGEST_NAME)}"
        st.button(said, key="views_undo", icon=":material/undo:", on_click=_restore, args=(source, *deleted))


def _save(source: SnapshotSource, experiment: str, page: str) -> None:
    with st.form("views_new", border=False, clear_on_submit=True):
        st.text_input("Save what is shown as", key=_NAME, max_chars=LONGEST_NAME, placeholder="a name")
        st.form_submit_button("Save view", on_click=_keep_new, args=(source, experiment, page))


def _keep_new(source: SnapshotSource, experiment: str, page: str) -> None:
    view = View(name=st.session_state[_NAME], page=page, query=address())
    _said(lambda: kept(source, experiment, view))


def _begin(experiment: str, name: str) -> None:
    st.session_state[_RENAMED] = (experiment, name)


def _rename(source: SnapshotSource, experiment: str, view: View, field: str) -> None:
    named = View(name=st.session_state.get(field, view.name), page=view.page, query=view.query)
    st.session_state.pop(_RENAMED, None)
    if named.name != view.name:
        _said(lambda: kept(source, experiment, named, instead_of=view))


def _delete(source: SnapshotSource, experiment: str, view: View) -> None:
    if _said(lambda: source.set_experiment_tags(experiment, {view_key(view.name): None})):
        st.session_state[_DELETED] = (experiment, view)


def _restore(source: SnapshotSource, experiment: str, view: View) -> None:
    if _said(lambda: kept(source, experiment, view)):
        st.session_state.pop(_DELETED, None)


def kept(
    source: SnapshotSource, experiment: str, view: View, *, instead_of: View | None = None
) -> str | None:
    """Keep a view; return why that cannot be, if so. One of the same name is not written over."""
    try:
        tag = view_tag(view)
    except ViewError as error:
        return str(error)
    there = source.experiment_tags(experiment).items()
    taken = {key for key, value in there if key.startswith(VIEW_PREFIX) and value != "{}"}
    if tag.keys() & taken:
        return f"There is a view named {view.name!r} already. Delete it first, or choose another name."
    if instead_of is None and len(taken) >= MOST_VIEWS:
        return (
            f"There are {MOST_VIEWS} views of this experiment already: no more are listed. Delete one first."
        )
    gone = {} if instead_of is None else {view_key(instead_of.name): None}
    return source.set_experiment_tags(experiment, {**tag, **gone})


def _said(do: Callable[[], str | None]) -> bool:
    """Do it, and keep the problem for the next drawing; return whether there was none."""
    problem = do()
    if problem is not None:
        st.session_state[_PROBLEM] = problem
    return problem is None
