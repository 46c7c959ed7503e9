"""The files of a bundle about two params at once: cells, cells to train next, compute and quality."""

from collections.abc import Iterator
from contextlib import suppress

import polars as pl

from grokscope.dashboard.exporting.files import to_csv
from grokscope.dashboard.tables.interventions.variables import settings_of
from grokscope.interventions.comparing.records import Comparison
from grokscope.interventions.designs.axis import VariableError
from grokscope.interventions.designs.next_cells import next_cells
from grokscope.interventions.designs.pareto import pareto_front
from grokscope.interventions.designs.phase_diagram import phase_diagram
from grokscope.interventions.outcomes.estimand import PLANNED, Estimand
from grokscope.interventions.outcomes.observed import ObservedRuns
from grokscope.interventions.outcomes.target import Target

_NO_PARAMS = ("run_id", "name", "status", PLANNED)


def design_files(found: Comparison, observed: ObservedRuns, target: Target) -> Iterator[tuple[str, str]]:
    """Yield ``phase_diagram.csv``, ``next_cells.csv`` and ``pareto.csv`` where two params of numbers vary.

    The two that vary most, independently of each other, are taken. A ladder has none: its costs are planned
    budgets and no single run's.

    Args:
        found: The comparison.
        observed: Its runs.
        target: What was to be reached.
    """
    settings = settings_of(_params(found, observed))
    pair = settings.pair_of_numbers()
    if pair is None or found.estimand is Estimand.LADDER:
        return
    x, y = pair
    costs = found.costs.join(settings.frame.select("run_id", x, y), on="run_id", maintain_order="left")
    diagram = phase_diagram(costs, x=x, y=y, budget=found.budget or None)
    yield "phase_diagram.csv", _csv(diagram.cells)
    # A param that one run lacks may be the same in all others.
    with suppress(VariableError):
        yield "next_cells.csv", _csv(next_cells(costs, x=x, y=y, budget=found.budget or None).suggestions)
    front = pareto_front(costs, by="group", is_upward=target.is_upward)
    yield "pareto.csv", _csv(front.groups)


def _params(found: Comparison, observed: ObservedRuns) -> dict[str, dict[str, str]]:
    compared = observed.runs.filter(pl.col("run_id").is_in(found.costs["run_id"].implode()))
    return {
        str(row["run_id"]): {
            name: str(value) for name, value in row.items() if name not in _NO_PARAMS and value is not None
        }
        for row in compared.iter_rows(named=True)
    }


def _csv(frame: pl.DataFrame) -> str:
    """Return a frame as CSV, its lists in one cell each."""
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    return to_csv(frame.with_columns(pl.col(name).list.join("; ") for name in lists)).decode()
