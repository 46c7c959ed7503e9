"""What runs had spent at a step, in another unit than steps: from the curves that count it."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from grokscope.answers.errors import QuestionError
from grokscope.answers.reading.experiment import Experiment
from grokscope.answers.record.names import quoted
from grokscope.interventions.outcomes.costs import STEPS
from grokscope.schemas.runs.table_params import UNIT_METRICS

COUNTED_IN = (STEPS, *UNIT_METRICS)
"""What an answer can be counted in."""


def counted_in(curves: pl.DataFrame, experiment: Experiment, unit: str) -> pl.DataFrame:
    """Return the curves with a column of the unit, without the runs that do not tell what they had spent.

    Between two steps at which it was logged a unit is linear. Where a run was seen without the target before
    the first of them it had spent nothing, after the last as much as there; where it was first seen with the
    target before the first of them as much as there, and after the last it is not known.

    Args:
        curves: ``run_id, step, value``, the value 1 where a run was seen with the target and else 0.
        experiment: Whose runs they are.
        unit: One of ``COUNTED_IN``.

    Raises:
        QuestionError: If there is no such unit, or no run counts it.
    """
    if unit == STEPS:
        return curves
    if unit not in UNIT_METRICS:
        raise QuestionError(f"nothing is counted in {quoted(unit)}; count in one of {', '.join(COUNTED_IN)}")
    logged = _logged(experiment, unit)
    if logged.is_empty():
        known = ", ".join(
            one for one in COUNTED_IN if one == STEPS or not _logged(experiment, one).is_empty()
        )
        raise QuestionError(
            f"no run of {quoted(experiment.name)} counts {unit} (a metric {UNIT_METRICS[unit]}); they can be "
            f"counted in {known}"
        )
    told = {str(run): of_run for (run,), of_run in logged.group_by("run_id")}
    parts = [
        part.with_columns(_spent(part, told[str(run)], unit))
        for (run,), part in curves.group_by("run_id", maintain_order=True)
        if str(run) in told
    ]
    found = pl.concat(parts) if parts else curves.clear().with_columns(pl.lit(None, pl.Float64).alias(unit))
    unknown = found.filter(pl.col(unit).is_nan())["run_id"].unique()
    return found.filter(~pl.col("run_id").is_in(unknown.implode()))


def left_out(before: pl.DataFrame, after: pl.DataFrame, unit: str) -> Sequence[str]:
    """Return, in a sentence, how many runs do not tell what they had spent; nothing if all do."""
    count = before["run_id"].n_unique() - after["run_id"].n_unique()
    runs = "1 run is" if count == 1 else f"{count:,} runs are"
    return [f"{runs} left out: {unit} were not counted where it got there, or at all."] * (count > 0)


def _logged(experiment: Experiment, unit: str) -> pl.DataFrame:
    points = experiment.points_of(UNIT_METRICS[unit])
    points = points if not points.is_empty() else experiment.points_of(unit)
    return points.filter(pl.col("value").is_finite()).sort("run_id", "step")


def _spent(part: pl.DataFrame, logged: pl.DataFrame, unit: str) -> pl.Series:
    at, value = part["step"].to_numpy(), part["value"].to_numpy()
    steps, spent = logged["step"].to_numpy(), logged["value"].to_numpy()
    without = np.interp(at, steps, spent, left=0.0)
    return pl.Series(unit, np.where(value > 0, np.interp(at, steps, spent, right=np.nan), without))
