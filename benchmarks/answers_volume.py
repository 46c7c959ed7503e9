"""10,000 runs: what the groups, the first contrast, the curves and the phase diagram of a page take; 3 s.

Of 20 groups of 500 runs, some end before they get there. Costs are made directly, without curves: reading,
judging, dimensions, Pareto front and noise floor are not in it.
"""

from collections.abc import Callable
from time import perf_counter

import numpy as np
import polars as pl

from grokscope.dashboard.tables.costs import COSTS, group_costs, lead_of
from grokscope.interventions.designs.phase_diagram import phase_diagram
from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.kaplan_meier import kaplan_meier

GROUPS, SEEDS, BUDGET = 20, 500, 2500.0


def costs_of_runs() -> pl.DataFrame:
    """Return ``low, high`` and what the views ask of them, of every run."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(GROUPS), SEEDS)
    at = rng.lognormal(7, 0.5, group.size) * (1 + 0.02 * group)
    reached = at <= BUDGET
    cost = np.where(reached, at, BUDGET)
    return pl.DataFrame(
        {
            "run_id": [str(run) for run in range(group.size)],
            "group": [f"group {one}" for one in group],
            "x": (group % 5).astype(np.float64),
            "y": (group // 5).astype(np.float64),
            "seed": np.tile(np.arange(SEEDS), GROUPS),
            "reached": reached,
            "cost": cost,
            "low": np.where(reached, cost * 0.98, cost),
            "high": np.where(reached, cost * 1.02, cost),
            "spent": np.full(group.size, BUDGET),
        }
    )


def main() -> None:
    """Print what each part takes the first time, in milliseconds."""
    runs = costs_of_runs()
    shown = runs.with_columns(run=pl.col("run_id")).select(COSTS.names())
    censored = runs.with_columns(high=pl.when("reached").then("high"))
    samples = [CensoredCosts.of(part) for part in censored.partition_by("group")]
    parts: dict[str, Callable[[], object]] = {
        "groups with intervals": lambda: group_costs(shown),
        "the first against the next": lambda: lead_of(shown, group_costs(shown)),
        "Kaplan-Meier curves": lambda: [kaplan_meier(sample) for sample in samples],
        "phase diagram": lambda: phase_diagram(censored, x="x", y="y", budget=BUDGET),
    }
    for name, part in parts.items():
        began = perf_counter()
        part()
        print(f"{name:<30}{1000 * (perf_counter() - began):8.0f} ms")


if __name__ == "__main__":
    main()
