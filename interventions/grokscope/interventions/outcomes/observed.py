"""Runs as questions need them: what each was, and what was seen of it."""

from dataclasses import dataclass

import polars as pl

from grokscope.schemas import GrokscopeError
from grokscope.schemas.runs.query import Query


class ObservedRunsError(GrokscopeError):
    """Runs that cannot be asked anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedRuns:
    """Some runs.

    Attributes:
        runs: One row a run: ``run_id``, ``name``, ``status`` (MLflow's word or the log's; may be null), and
            a column for each param.
        curves: ``run_id, metric, step, value`` and a column for each unit that is counted (``seconds``).
        notes: What is to be said of how they were read, one sentence each.
    """

    runs: pl.DataFrame
    curves: pl.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def params(self) -> list[str]:
        """Names of the params."""
        return [name for name in self.runs.columns if name not in ("run_id", "name", "status")]

    def where(self, query: Query) -> "ObservedRuns":
        """Return those runs for which a query holds.

        Raises:
            QueryError: If it names what they do not have.
            ObservedRunsError: If it holds for none.
        """
        runs = query.of(self.runs)
        if runs.is_empty():
            raise ObservedRunsError(
                f"none of the {self.runs.height:,} runs is so; ask for others with --where"
            )
        curves = self.curves.filter(pl.col("run_id").is_in(runs["run_id"].implode()))
        return ObservedRuns(runs=runs, curves=curves, notes=self.notes)
