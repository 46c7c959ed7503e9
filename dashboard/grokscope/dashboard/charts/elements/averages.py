"""Mean or median over the seeds of a group, and a band around it."""

from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.downsample import LIMIT, thinned

Centre = Literal["mean", "median"]
Band = Literal["range", "interval", "error", "none"]
"""Lowest to highest; 95 % interval of the centre; its standard error (of a mean); nothing."""

_LEVEL = 0.95

AVERAGE_SCHEMA = pl.Schema(
    {
        "group": pl.String(),
        "step": pl.Int64(),
        "mean": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "runs": pl.Int64(),
    }
)


def thinned_averages(averages: pl.DataFrame, axis: StepAxis, *, limit: int = LIMIT) -> pl.DataFrame:
    """Return at most ``limit`` rows a group: those that ``thinned`` keeps of the mean."""
    line = averages.select(
        pl.col("group").alias("run_id"), pl.lit("").alias("metric"), "step", pl.col("mean").alias("value")
    )
    kept = thinned(line, axis, limit=limit).select(pl.col("run_id").alias("group"), "step")
    return averages.join(kept, on=["group", "step"], how="semi")


def of_most(averages: pl.DataFrame) -> pl.DataFrame:
    """Return the averages in which at least half of a group's runs took part.

    Beyond, a mean is one of those that were trained longest, and jumps with every run that ends.

    >>> rows = {"group": "g", "step": [0, 1, 2], "mean": 0.0, "low": 0.0, "high": 0.0, "runs": [4, 2, 1]}
    >>> of_most(pl.DataFrame(rows, schema_overrides=AVERAGE_SCHEMA))["step"].to_list()
    [0, 1]
    """
    return averages.filter(pl.col("runs") * 2 >= pl.col("runs").max().over("group"))


def averaged(points: pl.DataFrame, *, centre: Centre = "mean", band: Band = "range") -> pl.DataFrame:
    """Return the centre of each group, and the band around it, at every step that any of its runs has.

    Runs are evaluated at different steps, so each is interpolated linearly between its own points, and
    never beyond its first or last one: ``runs`` says how many took part.

    Args:
        points: One metric: ``run_id, group, step, value``; null values are left out.
        centre: What stands in the column ``mean``.
        band: What ``low`` and ``high`` are; null where too few runs take part to tell it: the interval of a
            mean (Student's t) takes 2, that of a median (order statistics, no distribution assumed) 6.

    Returns:
        ``AVERAGE_SCHEMA``, sorted by group and step.

    >>> runs = {"run_id": ["a", "a", "b"], "group": "g"}
    >>> frame = pl.DataFrame({**runs, "step": [0, 2, 1], "value": [0.0, 2.0, 3.0]})
    >>> averaged(frame).rows()[1]
    ('g', 1, 2.0, 1.0, 3.0, 2)
    """
    usable = points.filter(pl.col("value").is_finite()).sort("group", "run_id", "step")
    frames = [
        _average(str(name[0]), members, centre, band)
        for name, members in usable.group_by("group", maintain_order=True)
    ]
    return pl.concat(frames) if frames else AVERAGE_SCHEMA.to_frame()


def _average(group: str, members: pl.DataFrame, centre: Centre, band: Band) -> pl.DataFrame:
    steps = members["step"].unique().sort().to_numpy().astype(np.float64)
    curves = np.stack([_on(steps, run) for _, run in members.group_by("run_id", maintain_order=True)])
    runs = np.isfinite(curves).sum(axis=0)
    middle = np.nanmedian(curves, axis=0) if centre == "median" else np.nansum(curves, axis=0) / runs
    low, high = _band(curves, runs, centre, band)
    columns = {
        "group": [group] * len(steps),
        "step": pl.Series(steps).cast(members.schema["step"]),
        "mean": middle,
        "low": pl.Series(low).fill_nan(None),
        "high": pl.Series(high).fill_nan(None),
        "runs": runs,
    }
    return pl.DataFrame(columns, schema={**AVERAGE_SCHEMA, "step": members.schema["step"]})


def _band(
    curves: NDArray[np.float64], runs: NDArray[np.int64], centre: Centre, band: Band
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if band == "range":
        return np.nanmin(curves, axis=0), np.nanmax(curves, axis=0)
    if band == "none":
        return np.full(len(runs), np.nan), np.full(len(runs), np.nan)
    if centre == "median":
        return _order_interval(curves, runs)
    mean = np.nansum(curves, axis=0) / runs
    free = np.maximum(runs - 1, 1)
    deviation = np.sqrt(np.nansum((curves - mean) ** 2, axis=0) / free)
    factor = stats.t.ppf((1 + _LEVEL) / 2, free) if band == "interval" else 1.0
    half = np.where(runs > 1, factor * deviation / np.sqrt(runs), np.nan)
    return mean - half, mean + half


def _order_interval(
    curves: NDArray[np.float64], runs: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the k-th lowest and k-th highest value, k as large as 95 % allow."""
    ordered = np.sort(curves, axis=0)  # NaN comes last
    k = stats.binom.ppf((1 - _LEVEL) / 2, runs, 0.5).astype(np.int64)
    can = k >= 1
    places = np.arange(len(runs))
    low = ordered[np.where(can, k - 1, 0), places]
    high = ordered[np.where(can, runs - k, 0), places]
    return np.where(can, low, np.nan), np.where(can, high, np.nan)


def _on(steps: NDArray[np.float64], run: pl.DataFrame) -> NDArray[np.float64]:
    own = run["step"].to_numpy().astype(np.float64)
    return np.interp(steps, own, run["value"].to_numpy(), left=np.nan, right=np.nan)
