"""The curves of one run in panels that share their steps."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.charts import StepAxis, panel_chart
from grokscope.dashboard.charts.elements.palette import Colouring, Palette
from grokscope.dashboard.component.chart import IN_ADDRESS, note, show
from grokscope.dashboard.component.chart_data import (
    colours_of,
    drawn_marks,
    drawn_points,
    said_of_thinning,
    said_of_units,
)
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.component.page_shell import palette
from grokscope.dashboard.component.window import within
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.main_metric import main_curves
from grokscope.dashboard.tables.panels import OVERVIEW, Panel, chapters_of, panels_of
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import plain

_MOST_PANELS = 40
_KEY: Mapping[str, str] = {
    "memorized": "dotted: memorized",
    "onset": "full: onset",
    "completion": "dashed: completion",
    "best level": "finely dotted: best level before overfitting",
    "collapse": "finely dotted: collapse",
    "divergence": "finely dotted: divergence",
}


def panels(raw: pl.DataFrame, snapshot: Snapshot, run_id: str, axis: StepAxis) -> None:
    """Draw a panel a quantity, with the run's events through all of them."""
    seen = within(raw, axis)
    points = drawn_points(seen, snapshot, axis)
    marks = drawn_marks(snapshot, main_curves(snapshot, run_ids=[run_id]), run_ids=[run_id])
    colours = colours_of(snapshot, palette(), run_ids=[run_id])
    own = colours.colours[snapshot.runs.filter(pl.col("run_id") == run_id)["group"][0]]
    pair = snapshot.pairs.get(run_id)
    first = None if pair is None else pair.test
    found = _chosen(panels_of(points["metric"].unique().to_list(), first=first))
    shown = found[:_MOST_PANELS]
    with st.container(gap="xsmall", key="run_panels"):
        specs = [
            _panel(
                panel,
                points,
                within(marks, axis),
                axis=replace(axis, labels=panel is shown[-1]),
                own=own,
            )
            for panel in shown
        ]
    note(_key(marks))
    note(said_of_units(snapshot, [run_id]))
    note(said_of_thinning(points.height, seen.height))
    note(
        phrases.cut(len(shown), len(found), "panels", rest="The data hold all; the page Compare draws each.")
    )
    if specs:
        run = snapshot.runs.filter(pl.col("run_id") == run_id)["label"][0]
        offer_downloads({"curves": _drawn_first(raw, shown)}, key="run_curves", specs=specs, of=run)


def _key(marks: pl.DataFrame) -> str | None:
    """Return what the marks of the run mean; ``None`` without any."""
    events = set(marks["event"])
    said = [meaning for event, meaning in _KEY.items() if event in events]
    return " · ".join(["shaded: 95 % intervals", *said]) if said else None


def _drawn_first(raw: pl.DataFrame, shown: Sequence[Panel]) -> pl.DataFrame:
    """Return all points of the run, those of the panels first and in their order."""
    drawn = list(dict.fromkeys(metric for panel in shown for metric in panel.series))
    place = pl.col("metric").replace_strict(
        {metric: i for i, metric in enumerate(drawn)}, default=len(drawn), return_dtype=pl.Int64()
    )
    return raw.sort(place, maintain_order=True).drop("run_id", "time_ms")


def _chosen(found: Sequence[Panel]) -> Sequence[Panel]:
    """Return the panels of the chapter that is asked for."""
    chapters = chapters_of(found)
    if len(chapters) == 1:
        return found
    name = st.pills(
        "Measures",
        list(chapters),
        default=OVERVIEW,
        required=True,
        key="run_chapter",
        bind=IN_ADDRESS,
    )
    return chapters.get(name or OVERVIEW, found)


def _panel(
    panel: Panel, points: pl.DataFrame, marks: pl.DataFrame, *, axis: StepAxis, own: str
) -> dict[str, Any]:
    colours = palette()
    series = pl.col("metric").replace_strict(panel.series, return_dtype=pl.String())
    mine = points.filter(pl.col("metric").is_in(list(panel.series))).with_columns(series.alias("series"))
    colouring = Colouring(field="series", colours=_series_colours(panel, colours, own), palette=colours)
    title = plain(panel.title)
    return show(
        panel_chart,
        mine,
        marks,
        key=f"run_{panel.key}",
        text=f"{title} over steps",
        title=title,
        axis=axis,
        colouring=colouring,
        names_events=panel.is_first,
    )


def _series_colours(panel: Panel, colours: Palette, own: str) -> dict[str, str]:
    """Return the group's own colour for the first curve, grey for training, other colours for the rest."""
    names = [name for name in panel.series.values() if name != "train"]
    others = [own, *(colour for colour in colours.series if colour != own)]
    return {name: others[i % len(others)] for i, name in enumerate(names)} | {"train": colours.muted}
