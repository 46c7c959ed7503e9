"""The phase diagram of two params in words and numbers, with its boundary: ``phase.py STORE EXPERIMENT``."""

import argparse

import polars as pl
from reading import Study, study

from grokscope.cli.terminal import say, say_table
from grokscope.dashboard.tables.interventions.goals import Goal
from grokscope.dashboard.tables.interventions.phases import Grid, phase_grid
from grokscope.dashboard.tables.interventions.reaching import reaching
from grokscope.dashboard.tables.interventions.variables import settings_of_runs
from grokscope.dashboard.tables.x_units import STEPS
from grokscope.interventions.designs.axis import VariableError
from grokscope.interventions.designs.boundary import boundary, threshold

X, Y = "fraction", "weight_decay"


def costs_until(found: Study, *, most: float | None = None) -> pl.DataFrame:
    """Return what each run spent until it generalized, with its params; of those up to a weight decay."""
    rows = reaching(found.snapshot, Goal(), STEPS)
    costs = rows.join(settings_of_runs(found.snapshot).frame, on="run_id", maintain_order="left")
    return costs if most is None else costs.filter(pl.col(Y) <= most)


def grid_of(costs: pl.DataFrame) -> Grid:
    """Return the phase diagram as the page Interventions draws it."""
    budget = float(str(costs["spent"].max()))
    return phase_grid(costs.drop(X, Y), costs.select("run_id", X, Y), x=X, y=Y, budget=budget)


def main() -> None:
    """Print the diagram and its boundary."""
    parser = argparse.ArgumentParser(description="The phase diagram of share of the data by weight decay.")
    parser.add_argument("store")
    parser.add_argument("experiment")
    parser.add_argument("--most", type=float, help="the largest weight decay")
    asked = parser.parse_args()
    costs = costs_until(study(asked.store, asked.experiment), most=asked.most)
    grid = grid_of(costs)
    say(grid.sentence)
    titles = (Y, *(f"{X} {name}" for name in grid.columns))
    cells = {(row["x"], row["y"]): row for row in grid.cells.iter_rows(named=True)}
    rows = [(row, *(_cell(cells[x, row]) for x in grid.columns)) for row in reversed(grid.rows)]
    say_table(titles, rows, numbers=titles[1:])
    say("")
    _say_boundary(costs)


def _cell(cell: dict[str, object]) -> str:
    median = cell["median"]
    return f"{cell['said']}" + (f" · {median:,.0f}" if isinstance(median, float) else "")


def _say_boundary(costs: pl.DataFrame) -> None:
    """Print at which share half of the runs generalize: by one line over both params, and for each decay."""
    edge = boundary(costs, x=X, y=Y)
    if edge.missing:
        say(f"No boundary over both: {edge.missing}.")
    else:
        along, at = (edge.along, edge.across)
        chosen = edge.line.gather_every(max(1, (edge.line.height - 1) // 4))
        said = [f"{row['at']:.2f}{_ends(row['low'], row['high'])} at {row['along']:.2g}"
                for row in chosen.iter_rows(named=True)]  # fmt: skip
        say(f"half-way over both, {at} at {along}: {', '.join(said)}")
    for value, part in costs.sort(Y).group_by(Y, maintain_order=True):
        say(f"half-way at {Y} {value[0]:g} alone: {_half_way(part)}")


def _half_way(costs: pl.DataFrame) -> str:
    try:
        found = threshold(costs, x=X)
    except VariableError as refused:
        return f"none: {refused}"
    return (
        f"none: {found.missing}"
        if found.value is None
        else f"{found.value:.2f}{_ends(found.low, found.high)}"
    )


def _ends(low: float | None, high: float | None) -> str:
    ends = ("…" if end is None else f"{end:.2f}" for end in (low, high))
    return f" [{', '.join(ends)}]"


if __name__ == "__main__":
    main()
