"""From what is asked to the charts of a comparison."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl
import streamlit as st

from grokscope.dashboard.charts import StepAxis, averaged, of_most, thinned_averages
from grokscope.dashboard.charts.bars import bars_chart
from grokscope.dashboard.charts.compared import Compared, Look, Part, compared_chart, cut_runs, no_averages
from grokscope.dashboard.charts.elements.more_marks import said_of_marks
from grokscope.dashboard.charts.elements.palette import SOLID, Colouring, Dash, Palette
from grokscope.dashboard.charts.elements.quantity import label_of
from grokscope.dashboard.charts.linked import SHARED, LinkedChart
from grokscope.dashboard.component.chart_data import (
    axis_of,
    budget,
    colours_of,
    drawn_points,
    rows_of,
)
from grokscope.dashboard.state.data import Snapshot, SnapshotSource
from grokscope.dashboard.tables.x_places import BY_STEPS, Place, axis_along, axis_of_metric
from grokscope.dashboard.views.compare.controls import Asked
from grokscope.dashboard.views.compare.curves import Curves, curves_of
from grokscope.dashboard.views.compare.dates import dated_marks, timeline
from grokscope.dashboard.views.compare.files import averages_of, named_points
from grokscope.dashboard.views.compare.levels import Levels, levels_of
from grokscope.dashboard.words.escaping import plain

_MOST_POINTS = 600
"""Of a line in one of several charts: about one a pixel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The charts of a comparison and what is behind them.

    Attributes:
        charts: Of the metrics, then the timeline.
        axes: Their x-axes: the one that most share, and that of dates where these stand on another.
        colouring: Of their lines.
        curves, events, averages: What is drawn, as files take it.
        drawn, whole: How many points are drawn, of how many.
        key: What the marks of single curves mean.
        empty: Metrics of which nothing can be drawn.
        cut: By metric, labels of the runs that go beyond its y-axis.
    """

    charts: Sequence[LinkedChart]
    axes: Mapping[str, StepAxis]
    colouring: Colouring
    curves: pl.DataFrame
    events: pl.DataFrame
    averages: pl.DataFrame
    drawn: int
    whole: int
    key: Sequence[str]
    empty: Sequence[str]
    cut: Mapping[str, Sequence[str]]


@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs={Snapshot: lambda snapshot: snapshot.found})
def grid_of(
    _source: SnapshotSource, snapshot: Snapshot, chosen: tuple[str, ...], asked: Asked, palette: Palette
) -> Grid:
    """Return the charts that are asked for, made once for what one reading found."""
    curves = curves_of(_source, snapshot, chosen, asked)
    levels = levels_of(snapshot, chosen, asked.split)
    shown = chosen if levels is None else [run for level in levels.drawn for run in level.run_ids]
    dates = _dates(snapshot, chosen, asked)
    on_axis = _on_axis(snapshot, chosen, shown, curves, dates.marks)
    steps = _steps_axis(snapshot, on_axis, asked)
    axis = _axis(asked, steps, curves)
    look = _look(asked, axis, _colouring(snapshot, chosen, asked, palette))
    making = _Making(snapshot=snapshot, asked=asked, thinning=steps if asked.place.metric else axis)
    made = [part for one in curves for part in making.parts(one, levels or len(chosen))]
    charts = [_chart(one, look) for one in made if one.part or one.points["value"].count()]
    dated, axes = _timeline(snapshot, chosen, dates, look, steps)
    along = {} if dates.place is BY_STEPS else {"step": dates.place.name}
    raw = [one.raw for one in curves]
    return Grid(
        charts=[*charts, *dated],
        axes={SHARED: axis, **axes},
        colouring=look.colouring,
        curves=named_points(snapshot, pl.concat(raw)).rename(along) if raw else pl.DataFrame(),
        events=dates.marks.drop("run_id", "value").rename(along),
        averages=averages_of(made).rename(along),
        drawn=sum(one.points.height for one in made),
        whole=sum(points.filter(pl.col("run_id").is_in(list(shown))).height for points in raw),
        key=said_of_marks(dates.marks),
        empty=[one.metric for one in curves if not one.points["value"].count()],
        cut=_cut(snapshot, made, look),
    )


def _look(asked: Asked, axis: StepAxis, colouring: Colouring) -> Look:
    return Look(
        axis=axis,
        colouring=colouring,
        dashes=_dashes(colouring),
        y=asked.y,
        has_outliers=asked.has_outliers,
        columns=asked.columns,
    )


def _cut(snapshot: Snapshot, made: Sequence[Compared], look: Look) -> dict[str, list[str]]:
    """Return which runs each y-axis leaves out of its range; the parts of a metric have one."""
    labels: dict[str, str] = dict(snapshot.runs.select("run_id", "label").iter_rows())
    found = {one.metric: cut_runs(one, look) for one in made if not _is_single(one)}
    return {metric: [labels[run] for run in runs if run in labels] for metric, runs in found.items() if runs}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dates:
    """What is dated, and along what; ``is_apart`` where the charts of curves stand along a metric."""

    marks: pl.DataFrame
    place: Place
    is_apart: bool


def _dates(snapshot: Snapshot, chosen: Sequence[str], asked: Asked) -> _Dates:
    is_apart = bool(asked.place.metric)
    place = BY_STEPS if is_apart else asked.place
    return _Dates(marks=dated_marks(snapshot, chosen, place), place=place, is_apart=is_apart)


def _timeline(
    snapshot: Snapshot, chosen: Sequence[str], dates: _Dates, look: Look, steps: StepAxis
) -> tuple[list[LinkedChart], dict[str, StepAxis]]:
    """Return the chart of what is dated, if anything is, and its x-axis if that is one of its own."""
    if not dates.is_apart:
        return timeline(snapshot, chosen, dates.marks, dates.place, look), {}
    axis = axis_along(BY_STEPS, steps, pl.Series())
    charts = timeline(snapshot, chosen, dates.marks, BY_STEPS, replace(look, axis=axis))
    return [replace(chart, axis=BY_STEPS.name) for chart in charts], {BY_STEPS.name: axis}


def _axis(asked: Asked, steps: StepAxis, curves: Sequence[Curves]) -> StepAxis:
    if asked.place.metric:
        x = pl.concat([pl.Series("x", [], dtype=pl.Float64), *(one.raw["x"] for one in curves)])
        return axis_of_metric(asked.place, x, log=asked.log)
    x = [one.raw["step"].cast(pl.Float64) for one in curves]
    return axis_along(asked.place, steps, pl.concat([pl.Series("step", [], dtype=pl.Float64), *x]))


def _on_axis(
    snapshot: Snapshot,
    chosen: Sequence[str],
    shown: Sequence[str],
    curves: Sequence[Curves],
    marks: pl.DataFrame,
) -> list[str]:
    """Return which of the chosen runs anything is drawn of, curves of those shown alone; all for none."""
    drawn: set[str] = {run for one in curves for run in one.raw["run_id"].unique()}.intersection(shown)
    if marks.height:  # a row of the timeline goes to the end of its run
        drawn.update(rows_of(snapshot, chosen)["run_id"])
    return [run for run in chosen if run in drawn] or list(chosen)


def _steps_axis(snapshot: Snapshot, chosen: Sequence[str], asked: Asked) -> StepAxis:
    axis = axis_of(snapshot, run_ids=chosen, log=asked.log)
    if asked.window is None:
        return axis
    return replace(axis, first=asked.window[0], last=asked.window[1], is_cut=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    """How curves become what is drawn; along ``thinning`` there are as many points as an axis can show."""

    snapshot: Snapshot
    asked: Asked
    thinning: StepAxis

    def parts(self, curves: Curves, of: Levels | int) -> Iterator[Compared]:
        """Return what is drawn of one metric: all its runs, or those of each level side by side."""
        if isinstance(of, int):
            runs = curves.raw["run_id"].n_unique()
            cut = "" if runs == of else f" · {runs:,} of {of:,} runs"
            yield self._compared(curves, title=f"{_name(curves.metric)}{cut}")
            return
        shown = [run for level in of.drawn for run in level.run_ids]
        extent = curves.only(shown).raw.select("run_id", "value").filter(pl.col("value").is_finite())
        if extent.is_empty():
            return
        for place, level in enumerate(of.drawn):
            part = Part(name=level.name, key=f" {place}" if place else "", extent=extent)
            title = f"{level.name} · {_name(curves.metric)}"
            yield self._compared(curves.only(level.run_ids), title=title, part=part)

    def _compared(self, curves: Curves, *, title: str, part: Part | None = None) -> Compared:
        asked = self.asked
        points = self._drawn(curves.points)
        averages = no_averages()
        if asked.has_averages and points.height:
            found = averaged(points, centre=asked.centre, band=asked.band)
            kept = of_most(found, least=least_share(asked))
            averages = thinned_averages(kept, self.thinning, limit=_MOST_POINTS)
        return Compared(
            metric=curves.metric,
            title=title,
            points=points,
            raw=points.clear() if asked.smoothing == "none" else self._drawn(curves.raw),
            averages=averages,
            marks=curves.marks,
            has_members=asked.has_members,
            part=part,
        )

    def _drawn(self, points: pl.DataFrame) -> pl.DataFrame:
        limit = min(_MOST_POINTS, budget(points["run_id"].n_unique()))
        return drawn_points(points, self.snapshot, self.thinning, limit=limit)


def _name(metric: str) -> str:
    return plain(label_of(metric))


def _chart(compared: Compared, look: Look) -> LinkedChart:
    return bars_chart(compared, look) if _is_single(compared) else compared_chart(compared, look)


def _is_single(compared: Compared) -> bool:
    """Return whether there is one value a run."""
    if "x" in compared.points.columns:
        return False
    return compared.points.drop_nulls("value").group_by("run_id").len()["len"].max() == 1


def _colouring(snapshot: Snapshot, chosen: Sequence[str], asked: Asked, palette: Palette) -> Colouring:
    if asked.by == "group":
        return colours_of(snapshot, palette, run_ids=list(chosen))
    labels = snapshot.runs.filter(pl.col("run_id").is_in(list(chosen)))["label"].to_list()
    return Colouring(
        field=asked.by, colours=palette.of(labels), palette=palette, dashes=palette.dashes(labels)
    )


def _dashes(colouring: Colouring) -> dict[str, Dash]:
    """Return the dashes of lines that are not full: a canvas draws a full line without one much faster."""
    return {name: dash for name, dash in colouring.dashes.items() if dash != SOLID}


def least_share(asked: Asked) -> float:
    """Return how large a part of a group's runs an average is of, at least: along dates of theirs, all."""
    return 1.0 if asked.place.kind in ("difference", "ratio") else 0.5


def columns_said(asked: Asked) -> tuple[str, str]:
    """Return what the centre and the band of a group are called."""
    bands = {
        "range": "lowest – highest",
        "interval": f"95 % interval of the {asked.centre}",
        "error": "mean ± its standard error",
        "none": "",
    }
    return asked.centre, bands[asked.band]
