"""How much a run's grokking step depends on what one calls it."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from grokscope.schemas.workers import HERE, Workers, values
from grokscope.transitions.curves.series import Curve, curves_by_run
from grokscope.transitions.verdict.definitions import DEFINITIONS
from grokscope.transitions.verdict.detection import analysis_of

FACTOR = 1.5
"""Dates that differ by more than this factor of the step make the answer a matter of definition."""

SCHEMA = pl.Schema(
    {
        "run_id": pl.String(),
        "definition": pl.String(),
        "step": pl.Int64(),
        "low": pl.Int64(),
        "high": pl.Int64(),
        "ratio": pl.Float64(),
        "depends": pl.Boolean(),
    }
)
"""Columns of the report: ``ratio`` is to our own definition's step, ``depends`` speaks of the whole run."""


def sensitivity(points: pl.DataFrame, *, workers: Workers = HERE) -> pl.DataFrame:
    """Return the grokking step of every run under every definition, one row each.

    Args:
        points: Any frame that ``grokscope.schemas.as_points`` accepts.
        workers: Who dates, a task a run; the report is the same.

    Returns:
        Columns of ``SCHEMA``. A definition that does not hold has nulls; ``depends`` is true if some hold and
        others do not, or if their steps differ by more than ``FACTOR``. Runs without both accuracies are left
        out.

    >>> sensitivity(pl.DataFrame({"metric": ["train/loss"], "step": [0], "value": [1.0]})).height
    0
    """
    runs = sorted(curves_by_run(points).items())
    return pl.concat([SCHEMA.to_frame(), *values(workers.map(_of_run, runs))])


def _of_run(run: tuple[str, Mapping[str, Curve]]) -> pl.DataFrame:
    """Return the rows of one run; none without both accuracies."""
    name, curves = run
    analysis = analysis_of(curves)
    if analysis is None:
        return SCHEMA.to_frame()
    dates = [definition.date(analysis) for definition in DEFINITIONS.values()]
    return pl.DataFrame(
        {
            "run_id": [name] * len(dates),
            "definition": list(DEFINITIONS),
            "step": [None if d is None else d.step for d in dates],
            "low": [None if d is None else d.low for d in dates],
            "high": [None if d is None else d.high for d in dates],
        },
        schema_overrides=SCHEMA,
    ).with_columns(**_compared([None if d is None else d.step for d in dates]))


def _compared(steps: list[int | None]) -> dict[str, pl.Series | pl.Expr]:
    native = steps[0]
    ratios = [None if s is None or not native else s / native for s in steps]
    known = np.array([max(s, 1) for s in steps if s is not None])
    depends = len(known) > 0 and (len(known) < len(steps) or bool(np.max(known) > FACTOR * np.min(known)))
    return {"ratio": pl.Series(ratios, dtype=pl.Float64), "depends": pl.lit(depends)}
