"""Mean or median over the seeds of a group, and a band around it."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special  # ``stats`` takes half a second and 60 MB, which no first page has to wait for

from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.downsample import LIMIT, thinned

Centre = Literal["mean", "median"]
Band = Literal["range", "interval", "error", "none"]
"""Lowest to highest; 95 % interval of the centre; its standard error (of a mean); nothing."""

_LEVEL = 0.95
_Floats = NDArray[np.float64]
_Run = tuple[_Floats, _Floats]
"""Steps and values, finite and rising in steps."""

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


def of_most(averages: pl.DataFrame, *, least: float = 0.5) -> pl.DataFrame:
    """Return the averages in which so large a part of a group's runs took part.

    Beyond, a mean is one of those that were trained longest, and jumps with every run that ends.

    Args:
        averages: ``AVERAGE_SCHEMA``.
        least: Of the runs that took part anywhere, as a share. Where runs also begin at different places, as
            along an event of theirs, a mean jumps at both ends, unless it is of all.

    >>> rows = {"group": "g", "step": [0, 1, 2], "mean": 0.0, "low": 0.0, "high": 0.0, "runs": [4, 2, 1]}
    >>> of_most(pl.DataFrame(rows, schema_overrides=AVERAGE_SCHEMA))["step"].to_list()
    [0, 1]
    """
    return averages.filter(pl.col("runs") >= least * pl.col("runs").max().over("group"))


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
    steps, values = (usable[name].cast(pl.Float64).to_numpy() for name in ("step", "value"))
    members: dict[str, list[_Run]] = {}
    end = 0
    for group, _, size in usable.group_by("group", "run_id", maintain_order=True).len().iter_rows():
        begin, end = end, end + size
        members.setdefault(str(group), []).append((steps[begin:end], values[begin:end]))
    columns = [_average(runs, centre, band) for runs in members.values()]
    schema = pl.Schema({**AVERAGE_SCHEMA, "step": usable.schema["step"]})
    if not columns:
        return schema.to_frame()
    step, mean, low, high, runs = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    names = pl.Series("group", list(members), dtype=pl.String)
    sizes = np.repeat(np.arange(len(columns)), [len(parts[0]) for parts in columns])
    found = {"step": step, "mean": mean, "low": low, "high": high, "runs": runs}
    averages = pl.DataFrame({"group": names.gather(sizes), **found})
    return averages.with_columns(pl.col("low", "high").fill_nan(None)).cast(schema).select(schema.names())


def _average(runs: Sequence[_Run], centre: Centre, band: Band) -> tuple[_Floats, ...]:
    """Return the columns of one group: ``step, mean, low, high, runs``, NaN where there is no band."""
    steps = np.unique(np.concatenate([own for own, _ in runs]))
    curves = np.stack([np.interp(steps, own, values, left=np.nan, right=np.nan) for own, values in runs])
    there = np.isfinite(curves).sum(axis=0)
    middle = np.nanmedian(curves, axis=0) if centre == "median" else np.nansum(curves, axis=0) / there
    return steps, middle, *_band(curves, there, centre, band), there


def _band(curves: _Floats, runs: NDArray[np.int64], centre: Centre, band: Band) -> tuple[_Floats, _Floats]:
    if band == "range":
        return np.nanmin(curves, axis=0), np.nanmax(curves, axis=0)
    if band == "none":
        return np.full(len(runs), np.nan), np.full(len(runs), np.nan)
    if centre == "median":
        return _order_interval(curves, runs)
    mean = np.nansum(curves, axis=0) / runs
    free = np.maximum(runs - 1, 1)
    deviation = np.sqrt(np.nansum((curves - mean) ** 2, axis=0) / free)
    factor = special.stdtrit(free, (1 + _LEVEL) / 2) if band == "interval" else 1.0
    half = np.where(runs > 1, factor * deviation / np.sqrt(runs), np.nan)
    return mean - half, mean + half


def _order_interval(curves: _Floats, runs: NDArray[np.int64]) -> tuple[_Floats, _Floats]:
    """Return the k-th lowest and k-th highest value, k as large as 95 % allow."""
    ordered = np.sort(curves, axis=0)  # NaN comes last
    k = _binomial_quantile((1 - _LEVEL) / 2, runs)
    can = k >= 1
    places = np.arange(len(runs))
    low = ordered[np.where(can, k - 1, 0), places]
    high = ordered[np.where(can, runs - k, 0), places]
    return np.where(can, low, np.nan), np.where(can, high, np.nan)


def _binomial_quantile(share: float, tosses: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the fewest heads that so many fair tosses have with at least the probability ``share`` or fewer.

    As ``scipy.stats.binom.ppf`` where no number of heads has exactly that probability.

    >>> _binomial_quantile(0.025, np.array([5, 6, 9])).tolist()
    [0, 1, 2]
    """
    heads: _Floats = np.ceil(special.bdtrik(share, tosses, 0.5))
    fewer = np.maximum(heads - 1, 0)
    is_enough: NDArray[np.bool_] = special.bdtr(fewer, tosses, 0.5) >= share
    return np.where(is_enough, fewer, heads).astype(np.int64)
