"""Fewer points than there are, and none that matters missing: ends, extremes and gaps are kept.

Sampling by row, as trackers do, can drop a spike or move a transition. Here the axis that is drawn is cut
into equal buckets, and of each bucket its first, last, lowest, highest and first missing value stay.
"""

import numpy as np
import polars as pl

from grokscope.dashboard.charts.elements.axes import StepAxis

LIMIT = 1_500
"""Points a line at most: about one a pixel of a wide screen."""

_KEPT_A_BUCKET = 5
_LINE = ("run_id", "metric")


def thinned(points: pl.DataFrame, axis: StepAxis, *, limit: int = LIMIT) -> pl.DataFrame:
    """Return at most ``limit`` points a (run, metric), sorted by step; NaN and ±Inf become null: a gap.

    Args:
        points: A frame of points, one value a step.
        axis: Where the points will be drawn; buckets are equally wide on it.
        limit: At least 5.

    Returns:
        A subset of the rows; lines of up to ``limit`` points are whole.
    """
    if limit < _KEPT_A_BUCKET:
        raise ValueError(f"limit must be at least {_KEPT_A_BUCKET}, got {limit}")
    value = pl.col("value")
    finite = points.with_columns(pl.when(value.is_finite()).then(value).alias("value")).sort(*_LINE, "step")
    size = pl.len().over(_LINE)
    whole = finite.filter(size <= limit)
    if whole.height == finite.height:
        return finite
    return pl.concat([whole, _kept(finite.filter(size > limit), axis, limit // _KEPT_A_BUCKET)]).sort(
        *_LINE, "step"
    )


def _kept(points: pl.DataFrame, axis: StepAxis, buckets: int) -> pl.DataFrame:
    position = pl.Series("position", axis.position(points["step"].to_numpy().astype(np.float64)))
    place = pl.col("position")
    low, high = place.min().over(_LINE), place.max().over(_LINE)
    bucket = ((place - low) / (high - low) * buckets).floor().clip(0, buckets - 1).cast(pl.Int32())
    placed = points.with_columns(position).with_columns(bucket.alias("bucket")).with_row_index("row")
    rows = placed.group_by(*_LINE, "bucket").agg(
        pl.col("row").first().alias("first"),
        pl.col("row").last().alias("last"),
        pl.col("row").get(pl.col("value").arg_min()).alias("low"),
        pl.col("row").get(pl.col("value").arg_max()).alias("high"),
        pl.col("row").filter(pl.col("value").is_null()).first().alias("gap"),
    )
    keep = rows.select(pl.concat_list("first", "last", "low", "high", "gap").explode().alias("row"))["row"]
    return placed.filter(pl.col("row").is_in(keep.drop_nulls().unique().implode())).select(points.columns)
