"""Runs as questions need them: what each was, and what was seen of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from grokscope.schemas import GrokscopeError
from grokscope.schemas.runs.query import Facts, Query, ends_of_curves


class ObservedRunsError(GrokscopeError):
    """Runs that cannot be asked anything."""


def _no_reviews() -> Mapping[str, Mapping[str, str]]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedRuns:
    """Some runs.

    Attributes:
        runs: One row a run: ``run_id``, ``name``, ``status`` (MLflow's word or the log's; may be null), and
            a column for each param.
        curves: ``run_id, metric, step, value`` and a column for each unit that is counted (``seconds``).
        notes: What is to be said of how they were read, one sentence each.
        reviews: By run id, its tags of a person's review.
    """

    runs: pl.DataFrame
    curves: pl.DataFrame
    notes: tuple[str, ...] = ()
    reviews: Mapping[str, Mapping[str, str]] = field(default_factory=_no_reviews)

    @property
    def params(self) -> list[str]:
        """Names of the params."""
        return [name for name in self.runs.columns if name not in ("run_id", "name", "status")]

    def facts(self) -> Facts:
        """Return what a query may ask of them: their params, their metrics, and how they ended."""
        return replace(
            Facts.of_table(self.runs),
            metric_names=self.curves["metric"].unique().to_list(),
            metrics=self._ends,
        )

    def _ends(self, metrics: Sequence[str]) -> pl.DataFrame:
        return ends_of_curves(self.curves.filter(pl.col("metric").is_in(list(metrics))))

    def where(self, query: Query, facts: Facts | None = None) -> "ObservedRuns":
        """Return those runs for which a query holds.

        Args:
            query: Says which.
            facts: What is known of these runs; ``None`` for what they say themselves.

        Raises:
            QueryError: If it names what they do not have.
            ObservedRunsError: If it holds for none.
        """
        chosen = query.selects(facts or self.facts())
        runs = self.runs.filter(pl.col("run_id").is_in(chosen))
        if runs.is_empty():
            raise ObservedRunsError(
                f"none of the {self.runs.height:,} runs is so; ask for others with --where"
            )
        curves = self.curves.filter(pl.col("run_id").is_in(runs["run_id"].implode()))
        left = set(runs["run_id"])
        reviews = {run: tags for run, tags in self.reviews.items() if run in left}
        return ObservedRuns(runs=runs, curves=curves, notes=self.notes, reviews=reviews)
