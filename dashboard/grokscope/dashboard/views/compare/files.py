"""What is drawn, as files take it along."""

from collections.abc import Sequence
from typing import Any, overload

import polars as pl

from grokscope.dashboard.charts.compared import Compared, no_averages
from grokscope.dashboard.charts.linked import LinkedChart, whole_spec
from grokscope.dashboard.state.data import Snapshot


class WholeSpecs(Sequence[dict[str, Any]]):
    """Charts as Vega-Lite with all their curves, each made when it is asked for: files are seldom taken."""

    def __init__(self, charts: Sequence[LinkedChart]) -> None:
        self._charts = charts

    def __len__(self) -> int:
        return len(self._charts)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | Sequence[dict[str, Any]]:
        """Return one chart, or some."""
        if isinstance(index, slice):
            return [whole_spec(chart) for chart in self._charts[index]]
        return whole_spec(self._charts[index])


def named_points(snapshot: Snapshot, points: pl.DataFrame) -> pl.DataFrame:
    """Return points as a file takes them: held-out curves under the names that their runs have for them."""
    described = snapshot.runs.select("run_id", pl.col("label").alias("run"), "group", "seed")
    joined = points.join(described, on="run_id", how="left", maintain_order="left")
    tests = {run: pair.test for run, pair in snapshot.pairs.items()}
    own = pl.col("run_id").replace_strict(tests, default=None, return_dtype=pl.String())
    is_common = pl.col("metric").str.starts_with("held-out/") & own.is_not_null()
    return joined.with_columns(metric=pl.when(is_common).then(own).otherwise(pl.col("metric"))).drop(
        "run_id", "time_ms"
    )


def averages_of(made: Sequence[Compared]) -> pl.DataFrame:
    """Return the averages of all charts; of charts for parts of the runs, with a column of these."""
    frames = [
        one.averages.with_columns(
            metric=pl.lit(one.metric),
            step=pl.col("step").cast(pl.Float64),
            **({"level": pl.lit(one.part.name)} if one.part else {}),
        )
        for one in made
        if one.averages.height
    ]
    return pl.concat(frames) if frames else no_averages()
