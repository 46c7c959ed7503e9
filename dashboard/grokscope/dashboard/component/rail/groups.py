"""The rail's list of groups: each with the line it has in charts, a tick that shows it, and what it holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl
import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from grokscope.dashboard.charts.elements.palette import SOLID, Colouring
from grokscope.dashboard.charts.elements.swatch import swatch, swatches
from grokscope.dashboard.component.chart_data import colours_of
from grokscope.dashboard.component.rail.following import change
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.state import phases
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.state.narrowing import mixed_groups
from grokscope.dashboard.state.selection import (
    Selection,
    alone,
    compared_with,
    group_key,
    is_shown,
    shown_or_hidden,
)
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape

_CHANGED = "rail_groups_changed"
_MOST_GROUPS, _MOST_RUNS = 60, 12
_PINNED, _ALONE = ":material/keep:", ":material/adjust:"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """What the list is drawn from."""

    found: Snapshot
    selection: Selection
    page: StreamlitPage


def groups(found: Snapshot, selection: Selection, page: StreamlitPage, *, of: int) -> None:
    """Draw the groups of the runs that are asked for.

    Args:
        found: What is asked for, grouped.
        selection: Which groups are shown; the baseline.
        page: That of a run.
        of: How many runs there are, asked for or not.
    """
    names, matched = found.groups(), found.runs.height
    count = phrases.counted(of, "run") if matched == of else f"{matched:,} of {phrases.counted(of, 'run')}"
    st.caption(f"{count} · {phrases.counted(len(names), 'group')} · tick to show")
    if found.parts and (mixed := mixed_groups(found)):
        which = "1 group holds" if mixed == 1 else f"{mixed:,} groups hold"
        st.caption(f"{which} runs of several experiments. Group by *experiment* too to keep these apart.")
    if names:
        _list(_Listed(found=found, selection=selection, page=page))


@st.fragment
def _list(of: _Listed) -> None:
    """Draw the rows; which group is looked into is asked of them alone, and draws no page again."""
    if st.session_state.pop(_CHANGED, False):
        st.rerun()
    rows = group_rows(of.found, colours_of(of.found, palette()))
    with st.container(gap=None, key="rail_groups"):
        for row in rows.head(_MOST_GROUPS).iter_rows(named=True):
            _row(of, row, is_one=rows.height == 1)
    cut = phrases.cut(
        min(rows.height, _MOST_GROUPS), rows.height, "groups", rest="A search lists the others."
    )
    if cut:
        st.caption(cut)


def _row(of: _Listed, row: Mapping[str, str], *, is_one: bool) -> None:
    key = group_key(row["group"])
    name = escape(row["group"], limit=80)
    is_baseline = of.selection.baseline == key
    shown = f"rail_shows_{key}"
    st.session_state[shown] = is_shown(of.selection, key)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.image(row["look"], width=28, alt="")
        st.checkbox(
            f"{name} {_PINNED}" if is_baseline else name,
            key=shown,
            on_change=_act,
            args=(shown_or_hidden, key),
            disabled=is_one,
            width="stretch",
        )
        st.caption(row["runs"], width="content")
        if not is_one:
            only = f"Only {name}"
            st.button(
                only, key=f"rail_only_{key}", icon=_ALONE, on_click=_act, args=(alone, key), type="tertiary"
            )
        said = f"{name}: only this, baseline, runs"
        box = st.popover(said, help=said, key=f"rail_of_{key}", on_change="rerun", type="tertiary")
    if box.open:
        with box:
            _inside(of, row["group"], key, is_one=is_one)


def _inside(of: _Listed, group: str, key: str, *, is_one: bool) -> None:
    st.markdown(f"**{escape(group, limit=200)}**")
    if not is_one:
        is_alone = of.selection.only == (key,) and not of.selection.hidden
        _button("Show all groups" if is_alone else "Show only this group", alone, key, icon=_ALONE)
        is_baseline = of.selection.baseline == key
        said = "Compare with the best group again" if is_baseline else "Compare others with this group"
        _button(said, compared_with, key, icon=_PINNED)
    runs = of.found.runs.filter(pl.col("group") == group).sort("start_ms", "run_id", nulls_last=True)
    for run_id, label in runs.head(_MOST_RUNS).select("run_id", "label").iter_rows():
        query = {**of.selection.query(), "runs": run_id}
        st.page_link(of.page, label=escape(label, limit=60), query_params=query)
    cut = phrases.cut(min(runs.height, _MOST_RUNS), runs.height, "runs", rest="The page Runs lists all.")
    if cut:
        st.caption(cut)


def _button(said: str, how: Callable[[Selection, str], Selection], key: str, *, icon: str) -> None:
    st.button(
        said, key=f"rail_{how.__name__}_{key}", icon=icon, on_click=_act, args=(how, key), width="stretch"
    )


def _act(how: Callable[[Selection, str], Selection], key: str) -> None:
    change(how, key)
    st.session_state[_CHANGED] = True


def group_rows(found: Snapshot, colours: Colouring) -> pl.DataFrame:
    """Return ``look, group, runs``, a row a group: a picture of its line, and how many runs generalized."""
    done = {run for run, verdict in found.verdicts.items() if phases.has_generalized(verdict)}
    counts = found.runs.group_by("group").agg(
        pl.len().alias("of"), pl.col("run_id").is_in(list(done)).sum().alias("done")
    )
    of_group: Mapping[str, tuple[int, int]] = {name: (n, d) for name, n, d in counts.iter_rows()}
    looks, grey = swatches(colours), swatch(colours.palette.muted, SOLID)
    rows = [
        (looks.get(group, grey), group, f"{of_group[group][1]} / {of_group[group][0]}")
        for group in found.groups()
    ]
    return pl.DataFrame(rows, schema=["look", "group", "runs"], orient="row")
