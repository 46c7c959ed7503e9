"""What is read for a comparison: the points of each metric along the x-axis, and the marks on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from grokscope.dashboard.charts import StepAxis
from grokscope.dashboard.charts.elements.more_marks import curve_marks
from grokscope.dashboard.charts.elements.smoothing import smoothed
from grokscope.dashboard.component.chart_data import drawn_marks
from grokscope.dashboard.component.window import within
from grokscope.dashboard.state.data import Snapshot, SnapshotSource
from grokscope.dashboard.tables.curve_index import cut
from grokscope.dashboard.tables.main_metric import held_out_points, held_out_scores, main_curves
from grokscope.dashboard.tables.x_places import DATED, paired, placed
from grokscope.dashboard.views.compare.controls import SMOOTHINGS, Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """One metric of the compared runs.

    Attributes:
        metric: Its name.
        logged: Its points by step.
        raw: Where they stand on the x-axis; along a metric they keep their steps, and ``x`` is the place.
        points: The same, smoothed if that is asked for.
        marks: ``MARKS_SCHEMA`` with ``run, group``, along the x-axis.
    """

    metric: str
    logged: pl.DataFrame
    raw: pl.DataFrame
    points: pl.DataFrame
    marks: pl.DataFrame

    def only(self, run_ids: Sequence[str]) -> "Curves":
        """Return those of some runs."""
        mine = pl.col("run_id").is_in(list(run_ids))
        parts = {name: getattr(self, name).filter(mine) for name in ("logged", "raw", "points", "marks")}
        return Curves(metric=self.metric, **parts)


def curves_of(
    source: SnapshotSource, snapshot: Snapshot, chosen: Sequence[str], asked: Asked
) -> list[Curves]:
    """Return the curves of the metrics that are asked for, but for the one that stands on the x-axis."""
    main = main_curves(snapshot, run_ids=chosen)
    own = held_out_scores(main)

    def read(metric: str) -> pl.DataFrame:
        if metric in own:
            return held_out_points(main, metric)
        here, _ = cut(snapshot, [(run, metric) for run in chosen])
        return here if here.height else source.points(list(chosen), [metric])

    x = asked.place.metric
    along = _Along(snapshot=snapshot, asked=asked, metric=read(x) if x else None)
    return [along.curves(metric, read(metric)) for metric in asked.metrics if metric != x]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Along:
    """How points get onto the x-axis; ``metric`` has the points of what stands on it, if that is a metric."""

    snapshot: Snapshot
    asked: Asked
    metric: pl.DataFrame | None

    def curves(self, metric: str, logged: pl.DataFrame) -> Curves:
        """Return a metric's curves from its points by step."""
        if self.asked.window is not None:
            low, high = self.asked.window
            logged = within(logged, StepAxis(first=low, last=high, is_cut=True))
        raw = self._placed(logged, self.metric)
        return Curves(
            metric=metric,
            logged=logged,
            raw=raw,
            points=self._smoothed(logged, raw),
            marks=self._marks(metric, logged),
        )

    def _placed(self, points: pl.DataFrame, along: pl.DataFrame | None) -> pl.DataFrame:
        there = placed(points, self.snapshot, self.asked.place)
        return there if along is None else paired(there, along)

    def _smoothed(self, logged: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
        smoothing = SMOOTHINGS[self.asked.smoothing]
        if smoothing is None:
            return raw
        along = None if self.metric is None else smoothed(self.metric, smoothing)
        return self._placed(smoothed(logged, smoothing), along)

    def _marks(self, metric: str, logged: pl.DataFrame) -> pl.DataFrame:
        snapshot = self.snapshot
        runs = logged["run_id"].unique(maintain_order=True).to_list()
        verdicts = {run: snapshot.verdicts[run] for run in runs if run in snapshot.verdicts}
        dated = drawn_marks(snapshot, logged, run_ids=runs)
        named = snapshot.runs.select("run_id", pl.col("label").alias("run"), "group")
        more = curve_marks(verdicts, logged, _own_names(snapshot, runs, metric)).join(
            named, on="run_id", how="inner"
        )
        marks = pl.concat([dated, more])
        if self.metric is None:
            return placed(marks, snapshot, self.asked.place, columns=DATED)
        # The ends of an interval of steps are no interval of another metric.
        none = pl.lit(None, dtype=pl.Float64)
        return paired(marks, self.metric).with_columns(step=pl.col("x"), low=none, high=none).drop("x")


def _own_names(snapshot: Snapshot, runs: Sequence[str], metric: str) -> Mapping[str, str]:
    """Return which metric is drawn of each run: of curves that runs are judged by, each has its own."""
    pairs = snapshot.pairs
    is_of_several = metric.startswith("held-out/")
    return {run: pairs[run].test if is_of_several and run in pairs else metric for run in runs}
