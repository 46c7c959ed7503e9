"""Mean and range over the seeds of a group."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.downsample import LIMIT, thinned

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


def averaged(points: pl.DataFrame) -> pl.DataFrame:
    """Return the mean, lowest and highest value of each group at every step that any of its runs has.

    Runs are evaluated at different steps, so each is interpolated linearly between its own points, and
    never beyond its first or last one: ``runs`` says how many took part.

    Args:
        points: One metric: ``run_id, group, step, value``; null values are left out.

    Returns:
        ``AVERAGE_SCHEMA``, sorted by group and step.

    >>> runs = {"run_id": ["a", "a", "b"], "group": "g"}
    >>> frame = pl.DataFrame({**runs, "step": [0, 2, 1], "value": [0.0, 2.0, 3.0]})
    >>> averaged(frame).rows()[1]
    ('g', 1, 2.0, 1.0, 3.0, 2)
    """
    usable = points.filter(pl.col("value").is_finite()).sort("group", "run_id", "step")
    frames = [
        _average(str(name[0]), members) for name, members in usable.group_by("group", maintain_order=True)
    ]
    return pl.concat(frames) if frames else AVERAGE_SCHEMA.to_frame()


def _average(group: str, members: pl.DataFrame) -> pl.DataFrame:
    steps = members["step"].unique().sort().to_numpy().astype(np.float64)
    curves = np.stack([_on(steps, run) for _, run in members.group_by("run_id", maintain_order=True)])
    runs = np.isfinite(curves).sum(axis=0)
    columns = {
        "group": [group] * len(steps),
        "step": pl.Series(steps).cast(members.schema["step"]),
        "mean": np.nansum(curves, axis=0) / runs,
        "low": np.nanmin(curves, axis=0),
        "high": np.nanmax(curves, axis=0),
        "runs": runs,
    }
    return pl.DataFrame(columns, schema={**AVERAGE_SCHEMA, "step": members.schema["step"]})


def _on(steps: NDArray[np.float64], run: pl.DataFrame) -> NDArray[np.float64]:
    own = run["step"].to_numpy().astype(np.float64)
    return np.interp(steps, own, run["value"].to_numpy(), left=np.nan, right=np.nan)
