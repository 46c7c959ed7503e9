"""Runs of one group by the number of steps that they were planned for: the rungs of an annealed ladder."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grokscope.interventions.comparing.grouping import written
from grokscope.interventions.noise.e_process import mean_e_process
from grokscope.interventions.outcomes.target import Target
from grokscope.interventions.profiles.study_times import FloatArray
from grokscope.schemas import GrokscopeError

RUNS = pl.Schema(
    {
        "group": pl.String(),
        "planned": pl.Int64(),
        "run_id": pl.String(),
        "step": pl.Int64(),
        "value": pl.Float64(),
    }
)
"""The evaluations of the target's metric, each run under its group; ``planned`` is null where not known."""


class SpeedrunError(GrokscopeError):
    """Runs or results that the speedrun's rule cannot be applied to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """Different runs of one planned number of steps.

    Attributes:
        planned: The number of steps that they were planned for; ``None`` where not known.
        steps: (evaluations,) the steps at which all of them were evaluated, ascending.
        values: (evaluations, runs).
    """

    planned: int | None
    steps: NDArray[np.int64]
    values: FloatArray

    @property
    def n(self) -> int:
        """How many runs."""
        return self.values.shape[1]

    def rule_values(self, target: Target) -> FloatArray:
        """Return what the rule is read from at each evaluation: the mean gain times √n; NaN where one is."""
        gain = self.values.mean(axis=1) - target.level
        return (gain if target.is_upward else -gain) * np.sqrt(self.n)

    def e_value(self, target: Target, place: int) -> float | None:
        """Return the e-value against "the mean is at the target or worse"; ``None`` if a run has diverged."""
        values = self.values[place]
        if not np.isfinite(values).all():
            return None
        return float(mean_e_process(values, target.level, below=not target.is_upward)[-1])


def runs_of(curves: pl.DataFrame, target: Target, *, by: str) -> pl.DataFrame:
    """Return the evaluations of the target's metric as ``RUNS``; of two at one step the last counts.

    Runs without a group are left out.

    Raises:
        SpeedrunError: If a column is missing, or nothing has the metric.
    """
    needed = ("run_id", "metric", "step", "value", by)
    missing = [name for name in needed if name not in curves.columns]
    if missing:
        raise SpeedrunError(f"the rule needs the columns {', '.join(needed)}; missing: {', '.join(missing)}")
    planned = pl.col("planned") if "planned" in curves.columns else pl.lit(None)
    measured = curves.filter((pl.col("metric") == target.metric) & pl.col(by).is_not_null())
    runs = measured.select(
        written(measured[by]).alias("group"),
        planned.cast(pl.Float64, strict=False).cast(pl.Int64).alias("planned"),
        pl.col("run_id").cast(pl.String),
        pl.col("step").cast(pl.Int64),
        pl.col("value").cast(pl.Float64).fill_null(float("nan")),
    )
    if runs.is_empty():
        got = ", ".join(sorted(curves["metric"].unique())[:5]) or "no metric"
        raise SpeedrunError(f"no run has the metric {target.metric!r}; the runs have {got}")
    return runs.unique(["group", "run_id", "step"], keep="last", maintain_order=True)


def rungs_of(runs: pl.DataFrame) -> Iterator[tuple[str, list[Rung]]]:
    """Yield the rungs of each group by name, the shortest first; runs without a common step make none.

    Args:
        runs: ``RUNS`` of different runs.

    >>> rows = [("g", 20, "a", 10, 3.0), ("g", 20, "a", 20, 2.0), ("g", 20, "b", 20, 2.5)]
    >>> [(name, [rung])] = rungs_of(pl.DataFrame(rows, schema=RUNS, orient="row"))
    >>> name, rung.planned, rung.steps, rung.values
    ('g', 20, array([20]), array([[2. , 2.5]]))
    """
    rung = ["group", "planned"]
    shared = (
        runs.with_columns(
            all=pl.col("run_id").n_unique().over(rung), here=pl.col("run_id").len().over([*rung, "step"])
        )
        .with_columns(shared=pl.col("all") == pl.col("here"))
        .sort("group", "planned", "step", "run_id")
    )
    for (name,), rows in shared.group_by("group", maintain_order=True):
        yield str(name), [_rung(part) for part in rows.partition_by("planned") if part["shared"].any()]


def _rung(rows: pl.DataFrame) -> Rung:
    """Return the runs of one planned number at the steps that they share."""
    common = rows.filter("shared")
    values = common["value"].to_numpy().reshape(-1, int(rows["all"][0]))
    steps = common["step"].unique(maintain_order=True).to_numpy()
    return Rung(planned=rows["planned"][0], steps=steps, values=values)
