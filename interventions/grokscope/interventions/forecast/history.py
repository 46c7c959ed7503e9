"""Finished runs of one experiment: their curves, params and costs."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from grokscope.interventions.forecast.hazard import FloatArray
from grokscope.interventions.outcomes.costs import STEPS, CensoredCosts, costs_of
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas import GrokscopeError

SEEDS = frozenset({"seed", "run_id"})
"""Columns that are no part of a configuration."""
LEAST_LOG = 1e-8
"""A smaller positive number counts as this."""
MOST_LEVELS = 6
"""A param of text with more values than this is left out."""


class HistoryError(GrokscopeError):
    """Finished runs that a forecast cannot be learned from."""


@dataclass(frozen=True, kw_only=True)
class History:
    """Finished runs of one experiment.

    Attributes:
        curves: ``CURVES`` of every run, with a column for the unit, unless that is ``"steps"``.
        params: One row a run: ``run_id`` and one column a param. Columns that are the same in all runs, and
            seeds, tell nothing and are passed over.
        target: What is to be reached.
        unit: What is counted.
    """

    curves: pl.DataFrame
    params: pl.DataFrame
    target: Target
    unit: str = STEPS

    @cached_property
    def costs(self) -> pl.DataFrame:
        """Return what each run spent until it reached the target; ``COSTS`` of the runs with params."""
        known = self.params["run_id"].implode()
        return costs_of(self.curves, self.target, unit=self.unit).filter(pl.col("run_id").is_in(known))

    @cached_property
    def runs(self) -> list[str]:
        """Return the runs in the order of ``costs``."""
        return self.costs["run_id"].to_list()

    @cached_property
    def at(self) -> CensoredCosts:
        """Return the costs as arrays, in the order of ``runs``; a run that diverged never gets there."""
        diverged = ~pl.col("reached") & pl.col("last").is_finite().not_()
        never = pl.when(diverged).then(pl.lit(float("inf"))).otherwise("low").alias("low")
        return CensoredCosts.of(self.costs.with_columns(never))

    @cached_property
    def varied(self) -> list[str]:
        """Return the params in which the runs differ."""
        columns = [name for name in self.params.columns if name.rpartition(".")[2] not in SEEDS]
        kept = self.params.filter(pl.col("run_id").is_in(self.costs["run_id"].implode()))
        return [name for name in columns if kept[name].drop_nulls().n_unique() > 1]

    @cached_property
    def configurations(self) -> list[str]:
        """Return the configuration of each of ``runs``: its params without the seed, as text."""
        return [repr(row) for row in self._params_in_order().select(self.varied).rows()]

    def _params_in_order(self) -> pl.DataFrame:
        return self.costs.select("run_id").join(self.params, on="run_id", how="left", maintain_order="left")

    def param_features(self, rows: pl.DataFrame | None = None) -> FloatArray:
        """Return the params as numbers, shape (rows, features): of the finished runs, or of other rows.

        Positive numbers count by their logarithm, numbers with zeros by asinh(x / least positive), text as
        one column a value.
        """
        kept = self._params_in_order()
        rows = kept if rows is None else rows
        found: list[FloatArray] = []
        for name in self.varied:
            if kept[name].dtype.is_numeric():
                found.append(_spread(rows[name], like=kept[name]))
                continue
            values = kept[name].cast(pl.String).unique().drop_nulls().sort().to_list()
            if len(values) <= MOST_LEVELS:
                texts = rows[name].cast(pl.String)
                found += [
                    (texts == value).fill_null(value=False).to_numpy().astype(np.float64) for value in values
                ]
        return np.column_stack(found) if found else np.empty((len(rows), 0))


def _spread(values: pl.Series, *, like: pl.Series) -> FloatArray:
    known = like.drop_nulls().to_numpy().astype(np.float64)
    numbers = values.cast(pl.Float64).fill_null(float(np.median(known))).to_numpy()
    positive = known[known > 0]
    if not len(positive) or (known < 0).any():
        return numbers
    return (
        np.log(np.maximum(numbers, LEAST_LOG))
        if len(positive) == len(known)
        else np.arcsinh(numbers / positive.min())
    )
