"""The curves of one run in panels that share their steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.charts import StepAxis, panel_chart
from grokscope.dashboard.charts.elements.palette import Colouring, Palette
from grokscope.dashboard.component.chart import IN_ADDRESS, described, note, show
from grokscope.dashboard.component.chart_data import (
    colours_of,
    drawn_marks,
    drawn_points,
    said_of_thinning,
    said_of_units,
)
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.component.window import windowed, within
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.main_metric import main_curves
from grokscope.dashboard.tables.panels import OVERVIEW, Panel, chapters_of, panels_of
from grokscope.dashboard.views.run.chart_review import ChartReview, draw_to_review
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """How one panel is drawn."""

    axis: StepAxis
    own: str
    reviewing: ChartReview | None


def panels(
    raw: pl.DataFrame,
    snapshot: Snapshot,
    run_id: str,
    axis: StepAxis,
    *,
    reviewing: ChartReview | None = None,
) -> None:
    """Draw a panel a quantity, with the run's events through all of them; the first is ``reviewing``."""
    controls = st.container(horizontal=True, vertical_alignment="bottom", gap="large", key="run_controls")
    with controls:
        axis = windowed(axis, key="run_window")
    seen = within(raw, axis)
    points = drawn_points(seen, snapshot, axis)
    marks = drawn_marks(snapshot, main_curves(snapshot, run_ids=[run_id]), run_ids=[run_id])
    colours = colours_of(snapshot, palette(), run_ids=[run_id])
    own = colours.colours[snapshot.runs.filter(pl.col("run_id") == run_id)["group"][0]]
    pair = snapshot.pairs.get(run_id)
    first = None if pair is None else pair.test
    with controls:
        found = _chosen(panels_of(points["metric"].unique().to_list(), first=first))
    shown = found[:_MOST_PANELS]
    specs: list[dict[str, Any]] = []
    with st.grid(2, min_column_width=420, key="run_panels", gap="small") as grid:
        for panel in shown:
            with grid.cell():
                # Of two columns, the last row; of one column, only the last panel would need it.
                own_axis = replace(axis, labels=panel in shown[-2:])
                look = _Look(axis=own_axis, own=own, reviewing=reviewing if panel.is_first else None)
                specs.append(_panel(panel, points, within(marks, axis), look))
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


def _panel(panel: Panel, points: pl.DataFrame, marks: pl.DataFrame, look: _Look) -> dict[str, Any]:
    colours = palette()
    series = pl.col("metric").replace_strict(panel.series, return_dtype=pl.String())
    mine = points.filter(pl.col("metric").is_in(list(panel.series))).with_columns(series.alias("series"))
    settings = {
        "axis": look.axis,
        "colouring": Colouring(
            field="series", colours=_series_colours(panel, colours, look.own), palette=colours
        ),
        "names_events": panel.is_first,
    }
    title, text, key = plain(panel.title), f"{plain(panel.title)} over steps", f"run_{panel.key}"
    if look.reviewing is not None:
        spec = described(panel_chart, mine, marks, **settings)
        steps: list[int] = mine["step"].unique().sort().to_list()
        if draw_to_review(look.reviewing, spec, steps, title=title, key=f"{key}_dated"):
            return spec
    return show(panel_chart, mine, marks, key=key, text=text, title=title, **settings)


def _series_colours(panel: Panel, colours: Palette, own: str) -> dict[str, str]:
    """Return the group's own colour for the first curve, grey for training, other colours for the rest."""
    names = [name for name in panel.series.values() if name != "train"]
    others = [own, *(colour for colour in colours.series if colour != own)]
    return {name: others[i % len(others)] for i, name in enumerate(names)} | {"train": colours.muted}
