"""Where another run of a sweep tells most, from what its runs in a store did."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from grokscope.answers.runs.stored import runs_in_store
from grokscope.experiments import ConfigError, Suggestion, SweepConfig
from grokscope.interventions.comparing.grouping import seed_param
from grokscope.interventions.designs.next_cells import NextCells, next_cells
from grokscope.interventions.outcomes.costs import costs_of
from grokscope.interventions.outcomes.observed import ObservedRuns
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas.names import stored_experiment
from grokscope.schemas.runs.query import named_param
from grokscope.store import open_store


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSuggester:
    """Suggests runs next to the boundary between settings that reach a target and those that do not.

    Attributes:
        uri: The store that has the sweep's runs.
        target: What is to be reached.
        count: How many runs.
    """

    uri: str
    target: Target
    count: int

    def __call__(self, planned: SweepConfig, names: tuple[str, str]) -> Sequence[Suggestion]:
        """Return the suggestions; see ``Suggester``.

        Raises:
            ConfigError: If no run has the metric, or nothing can be suggested.
            GrokscopeError: If the store cannot be read, or has no such runs or params.
        """
        store = open_store(self.uri)
        try:
            observed = runs_in_store(
                store, stored_experiment(planned.experiment), metrics=[self.target.metric]
            )
        finally:
            store.close()
        x, y = names
        params = {name: named_param(name, observed.params) for name in names}
        costs = self._costs(observed, params, experiment=planned.experiment)
        found = next_cells(costs, x=x, y=y, count=self.count)
        if found.suggestions.is_empty():
            raise ConfigError(f"no run can be suggested: {found.missing}")
        return [_suggestion(row, names, costs, found) for row in found.suggestions.iter_rows(named=True)]

    def _costs(self, observed: ObservedRuns, params: dict[str, str], *, experiment: str) -> pl.DataFrame:
        if self.target.metric not in observed.curves["metric"]:
            raise ConfigError(
                f"no run of {experiment!r} has the metric {self.target.metric!r}; name one that was logged"
            )
        seed = seed_param(observed.params)
        columns = {name: pl.col(param) for name, param in params.items()}
        columns["seed"] = (
            pl.lit(None, pl.Int64) if seed is None else pl.col(seed).cast(pl.Int64, strict=False)
        )
        return costs_of(observed.curves, self.target).join(
            observed.runs.select("run_id", **columns), on="run_id"
        )


def _suggestion(
    row: dict[str, float], names: tuple[str, str], costs: pl.DataFrame, found: NextCells
) -> Suggestion:
    settings = {name: row[name] for name in names}
    there = costs.filter(pl.col(name).cast(pl.Float64) == value for name, value in settings.items())
    guess = f" ({found.missing})" if found.missing else ""
    return Suggestion(
        settings=settings,
        seeds=frozenset(there["seed"].drop_nulls().to_list()),
        sentence=f"{row['sentence']}{guess}",
    )
