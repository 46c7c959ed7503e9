"""Ticked runs by their ids, which stand in the address: new runs, orders and filters leave them ticked."""

from collections.abc import Sequence

import streamlit as st

from grokscope.dashboard.state.selection import MOST_RUNS, Selection

_TICKED, _ADDRESSED, _ORDER, _MOVED = "runs_ticked", "runs_addressed", "runs_order", "runs_moved"


def follow(selection: Selection) -> None:
    """Tick what the address names, where it says something else than was last written there."""
    if st.session_state.get(_ADDRESSED) != selection.runs:
        st.session_state[_ADDRESSED] = selection.runs
        st.session_state[_TICKED] = list(selection.runs)


def ticked() -> list[str]:
    """Return the ids of all ticked runs, shown or not."""
    known: list[str] = st.session_state.get(_TICKED, [])
    return known


def tick(run_ids: Sequence[str]) -> None:
    """Tick these runs and no others; the address holds them, unless they are too many for one."""
    st.session_state[_TICKED] = list(run_ids)
    kept = tuple(run_ids) if len(run_ids) <= MOST_RUNS else ()
    if kept == st.session_state.get(_ADDRESSED, ()):
        return
    st.session_state[_ADDRESSED] = kept
    st.session_state[_MOVED] = True  # the links of the menu carry the ticks: the whole page is drawn
    if kept:
        st.query_params["runs"] = ",".join(kept)
    else:
        st.query_params.pop("runs", None)


def moved() -> bool:
    """Say, once, whether the address has changed since the whole page was drawn."""
    return bool(st.session_state.pop(_MOVED, False))


def give_to_table(key: str, order: Sequence[str]) -> None:
    """Tick the rows of a table that is about to be drawn.

    Streamlit knows ticks by row: they are given anew where another list of runs has come.

    Args:
        key: Of the table.
        order: The runs in their rows.
    """
    wanted = set(ticked())
    rows = [row for row, run in enumerate(order) if run in wanted]
    now: list[int] = st.session_state.get(key, {}).get("selection", {}).get("rows", [])
    if sorted(now) != rows:
        st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    st.session_state[_ORDER] = list(order)


def take_from_table(key: str) -> None:
    """Keep what a reader ticked; runs that are not in the table stay as they are."""
    order: list[str] = st.session_state.get(_ORDER, [])
    rows: list[int] = st.session_state[key]["selection"]["rows"]
    shown = set(order)
    hidden = [run for run in ticked() if run not in shown]
    tick([*hidden, *(order[row] for row in sorted(rows) if row < len(order))])
