"""The rail's list of groups: each with the line it has in charts, a tick that shows it, and what it holds."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlencode

import polars as pl
import streamlit as st
from streamlit.components.v2 import component
from streamlit.navigation.page import Page as StreamlitPage

from grokscope.dashboard.charts.elements.palette import SOLID, Colouring
from grokscope.dashboard.charts.elements.swatch import swatch, swatches
from grokscope.dashboard.component.chart_data import colours_of
from grokscope.dashboard.component.rail.following import change
from grokscope.dashboard.component.registration import RAIL_GROUPS, is_registered
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
from grokscope.dashboard.words.escaping import plain

_ELEMENT, _SHOWN, _OPENED = "rail_groups_list", "rail_shown", "rail_opened"
_MOST_GROUPS, _MOST_RUNS = 100, 12
_WAYS = {"alone": alone, "compared_with": compared_with}


def groups(found: Snapshot, selection: Selection, page: StreamlitPage, *, of: int) -> None:
    """Draw the groups of the runs that are asked for.

    Args:
        found: What is asked for, grouped.
        selection: Which groups are shown; the baseline.
        page: That of a run.
        of: How many runs there are, asked for or not.
    """
    if run := st.session_state.pop(_OPENED, None):
        st.switch_page(page, query_params={**selection.query(), "runs": run})
    names, matched = found.groups(), found.runs.height
    count = phrases.counted(of, "run") if matched == of else f"{matched:,} of {phrases.counted(of, 'run')}"
    st.caption(f"{count} · {phrases.counted(len(names), 'group')} · tick to show")
    if found.parts and (mixed := mixed_groups(found)):
        which = "1 group holds" if mixed == 1 else f"{mixed:,} groups hold"
        st.caption(f"{which} runs of several experiments. Group by *experiment* too to keep these apart.")
    if not names:
        return
    with st.container(gap=None, key="rail_groups"):
        _list(found, selection, page)
    cut = phrases.cut(min(len(names), _MOST_GROUPS), len(names), "groups", rest="A search lists the others.")
    if cut:
        st.caption(cut)


def _list(found: Snapshot, selection: Selection, page: StreamlitPage) -> None:
    rows = listed(found, selection, colours_of(found, palette()))
    if not is_registered():
        _without_script(rows)
        return
    query = {name: value for name, value in selection.query().items() if name != "runs"}
    drawn = component(RAIL_GROUPS, js="groups.js", css="groups.css", isolate_styles=False)
    cast("Any", drawn)(
        key=_ELEMENT,
        data={
            "rows": rows,
            "run": f"{page.url_path}?{urlencode({**query, 'runs': ''}, doseq=True)}",
            "is_one": len(found.groups()) == 1,
        },
        on_acted_change=lambda: act(st.session_state[_ELEMENT].get("acted")),
    )


def _without_script(rows: Sequence[Mapping[str, Any]]) -> None:
    names = {str(row["key"]): str(row["name"]) for row in rows}
    st.session_state[_SHOWN] = [row["key"] for row in rows if row["shown"]]
    st.multiselect(
        "Groups that are shown",
        list(names),
        key=_SHOWN,
        format_func=names.__getitem__,
        on_change=lambda: act(
            {"how": "ticked", "groups": {key: key in st.session_state[_SHOWN] for key in names}}
        ),
    )


def listed(found: Snapshot, selection: Selection, colours: Colouring) -> list[dict[str, Any]]:
    """Return what the list says of each group, and of its runs, the first of both.

    Args:
        found: What is asked for, grouped.
        selection: Which groups are shown; the baseline.
        colours: Of the groups' lines.
    """
    rows = group_rows(found, colours).head(_MOST_GROUPS)
    ordered = found.runs.sort("start_ms", "run_id", nulls_last=True)
    members = ordered.group_by("group").agg(pl.col("label", "run_id").head(_MOST_RUNS), pl.len())
    runs = {
        group: (list(zip(labels, ids, strict=True)), size) for group, labels, ids, size in members.iter_rows()
    }
    return [_listed(row, selection, *runs.get(row["group"], ([], 0))) for row in rows.iter_rows(named=True)]


def _listed(
    row: Mapping[str, str], selection: Selection, runs: Sequence[tuple[str, str]], size: int
) -> dict[str, Any]:
    key = group_key(row["group"])
    return {
        "key": key,
        "name": plain(row["group"], limit=200),
        "look": row["look"],
        "count": row["runs"],
        "shown": is_shown(selection, key),
        "baseline": selection.baseline == key,
        "alone": selection.only == (key,) and not selection.hidden,
        "runs": [(plain(label, limit=60), run_id) for label, run_id in runs],
        "rest": phrases.cut(len(runs), size, "runs", rest="The page Runs lists all.") or "",
    }


def act(told: Any) -> None:
    """Do what a browser says was clicked; what is none of the things that can be is left undone.

    Args:
        told: ``how`` something was done, and ``of`` what; which ``groups`` were ticked or not until then.
    """
    match told:
        case {"how": str(how), "groups": dict()}:
            change(_with_ticks, {str(key): is_on is True for key, is_on in told["groups"].items()})
        case {"how": str(how)}:
            pass
        case _:
            return
    of = told.get("of")
    if how in _WAYS and isinstance(of, str):
        change(_WAYS[how], of)
    elif how == "opened" and isinstance(of, str):
        st.session_state[_OPENED] = of


def _with_ticks(selection: Selection, ticks: Mapping[str, bool]) -> Selection:
    for key, wanted in ticks.items():
        if is_shown(selection, key) != wanted:
            selection = shown_or_hidden(selection, key)
    return selection


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
