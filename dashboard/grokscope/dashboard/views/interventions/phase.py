"""The phase diagram: how often, or for how much, runs get there at each pair of values of two variables."""

import polars as pl
import streamlit as st

from grokscope.dashboard.charts.interventions.phase import PICKED, phase_chart
from grokscope.dashboard.component.chart import IN_ADDRESS, note, show_to_pick
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.state.data import Data
from grokscope.dashboard.state.selection import group_key
from grokscope.dashboard.tables.interventions.phases import Grid
from grokscope.dashboard.tables.interventions.variables import Settings
from grokscope.dashboard.views.interventions.computed import Asked, grid, settings
from grokscope.dashboard.views.interventions.overview import said_escaped
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape
from grokscope.interventions.amounts import amount

_KEY = (
    "Each cell: runs there / runs. Thick line: where half of the runs get there, dashed its 95 % band (a "
    "logistic fit). Orange: cells where one more run tells most about that line. Click a cell for its runs."
)
_NONE = "A phase diagram takes two params that vary independently of each other; these runs have none."


def draw_phase(data: Data, asked: Asked, budget: float) -> None:
    """Draw the section; where fewer than two variables vary, a sentence says so."""
    st.subheader("Phase diagram", anchor=False)
    known = settings(asked.snapshot)
    first = known.pair()
    if first is None or budget <= 0:
        note(_NONE)
        return
    with st.container(horizontal=True, vertical_alignment="top", key="interventions_phase_controls"):
        x, y = _axes(known, first)
        colour = st.segmented_control(
            "Colour", ["share", "median"], default="share", required=True, key="interventions_colour",
            bind=IN_ADDRESS, help="Stronger where more runs are there, or where their median costs less",
        )  # fmt: skip
    if x == y:
        note("Choose two different params.")
        return
    found = grid(asked, x, y, budget, data.source)
    _draw(data, asked, found, colour="median" if colour == "median" else "share")


def _axes(known: Settings, first: tuple[str, str]) -> tuple[str, str]:
    labels = known.labels
    chosen = [
        st.selectbox(
            title,
            labels,
            index=labels.index(name),
            key=f"interventions_{title.lower()}",
            width=200,
            bind=IN_ADDRESS,
        )
        for title, name in zip(("Across", "Up"), first, strict=True)
    ]
    return chosen[0] or first[0], chosen[1] or first[1]


def _draw(data: Data, asked: Asked, found: Grid, *, colour: str) -> None:
    note(said_escaped([found.sentence, f"Budget: {amount(found.budget, asked.unit.symbol)}."]))
    spec, picked = show_to_pick(
        phase_chart,
        found.cells,
        found.line,
        key=f"interventions_phase_{group_key(f'{found.x} {found.y}')}",
        text=f"How many runs get there at each {found.x} and {found.y}",
        pick=PICKED,
        names=(found.x, found.y),
        columns=found.columns,
        rows=found.rows,
        colour=colour,
        unit=asked.unit.name,
        palette=palette(),
    )
    _members(data, found, picked)
    note(_KEY)
    note(said_escaped([f"Next: {one}" for one in found.suggestions]))
    note(said_escaped(list(found.caveats)))
    frames = {"cells": found.cells, "boundary": found.line}
    offer_downloads(frames, key="interventions_phase", specs=[spec])


def _members(data: Data, found: Grid, picked: object) -> None:
    """Draw the runs of the cell that was clicked, and the way to compare them."""
    if not isinstance(picked, dict):
        return
    cell: dict[str, object] = picked  # pyright: ignore[reportUnknownVariableType]
    x, y = str(cell.get("x")), str(cell.get("y"))
    runs: list[str] = found.members.filter((pl.col("x") == x) & (pl.col("y") == y))["run_id"].to_list()
    if not runs:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="interventions_cell"):
        st.markdown(f"{escape(found.x)} {escape(x)}, {escape(found.y)} {escape(y)}")
        if st.button(f"Compare {phrases.counted(len(runs), 'run')}", key="interventions_open"):
            data.open_view("compare", runs)
