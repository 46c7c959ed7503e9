"""10,000 runs and their verdicts: what the frames of all views of the interventions room take.

usage: python benchmarks/answers_volume.py

Twenty groups of 500 runs with ten evaluations each; some end before they get there. Curves and verdicts are
made directly: reading and judging are not in it. The first call of each part is timed, on the clock and in
processor time.
"""

from collections.abc import Callable
from time import perf_counter, process_time

import numpy as np
import polars as pl

from grokscope.dashboard.tables.costs import COSTS, group_costs
from grokscope.dashboard.tables.interventions.groups import groups_of
from grokscope.dashboard.tables.interventions.reaching import REACHING
from grokscope.interventions.comparing.comparison import compare
from grokscope.interventions.designs.pareto import pareto_front
from grokscope.interventions.designs.phase_diagram import phase_diagram
from grokscope.interventions.noise.floor import noise_floor
from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.outcomes.dimensions.of_runs import dimensions_of
from grokscope.interventions.outcomes.observed import ObservedRuns
from grokscope.interventions.outcomes.target import Target
from grokscope.interventions.survival.kaplan_meier import kaplan_meier
from grokscope.schemas import Date, Pattern, Verdict

GROUPS, SEEDS, BUDGET = 20, 500, 2500.0
STEPS = np.array([0, 5, 10, 25, 50, 100, 250, 500, 1000, 2500])
TARGET = Target.parse("test/accuracy>=0.9")


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
            "best": rng.normal(0.9, 0.02, group.size),
        }
    )


def observed_runs(runs: pl.DataFrame) -> ObservedRuns:
    """Return the runs with curves that step up at their cost."""
    steps = pl.DataFrame({"step": STEPS})
    value = pl.when(pl.col("step") >= pl.col("cost")).then(0.95).otherwise(0.1)
    curves = runs.join(steps, how="cross").select(
        "run_id", pl.lit(TARGET.metric).alias("metric"), "step", value.alias("value")
    )
    params = runs.select("run_id", pl.col("group").alias("setup"), "seed")
    return ObservedRuns(runs=params, curves=curves)


def verdicts_of(runs: pl.DataFrame) -> list[Verdict]:
    """Return a verdict a run: grokked at its cost, or fit only."""
    return [
        Verdict(
            run=run,
            pattern=Pattern.GROKKING if reached else Pattern.MEMORIZATION,
            onset=Date(step=int(cost), low=int(cost), high=int(cost) + 1) if reached else None,
        )
        for run, reached, cost in runs.select("run_id", "reached", "cost").iter_rows()
    ]


def rows_of_page(censored: pl.DataFrame) -> pl.DataFrame:
    """Return the runs as the page Interventions has them."""
    return censored.with_columns(
        run=pl.col("run_id"),
        is_setting=pl.lit(value=True),
        at=pl.col("cost"),
        last=pl.lit(0.0),
        evaluations=pl.lit(STEPS.size, pl.Int64()),
        end=pl.when("reached").then(pl.lit("reached")).otherwise(pl.lit("finished")),
        lost=pl.lit(value=False),
    ).match_to_schema(REACHING, extra_columns="ignore")


def main() -> None:
    """Print what each part takes the first time."""
    runs = costs_of_runs()
    observed, verdicts = observed_runs(runs), verdicts_of(runs)
    shown = runs.with_columns(run=pl.col("run_id")).select(COSTS.names())
    censored = runs.with_columns(high=pl.when("reached").then("high"))
    rows = rows_of_page(censored)
    samples = [CensoredCosts.of(part) for part in censored.partition_by("group")]
    parts: dict[str, Callable[[], object]] = {
        "groups with intervals": lambda: group_costs(shown),
        "each against the cheapest": lambda: groups_of(rows, baseline=None, budget=BUDGET),
        "Kaplan-Meier curves": lambda: [kaplan_meier(sample) for sample in samples],
        "phase diagram": lambda: phase_diagram(censored, x="x", y="y", budget=BUDGET),
        "Pareto front": lambda: pareto_front(runs, by="group", compute="cost", is_upward=True),
        "noise floor": lambda: noise_floor(runs["best"].to_numpy(), runs["group"].to_list()),
        "five dimensions": lambda: dimensions_of(observed.curves, TARGET, verdicts=verdicts),
        "comparison, all pairs of the first": lambda: compare(observed, target=TARGET, by=["setup"]),
    }
    whole = np.zeros(2)
    print(f"{'':<36}{'processor':>12}{'clock':>12}")
    for name, part in parts.items():
        began = np.array([process_time(), perf_counter()])
        part()
        took = 1000 * (np.array([process_time(), perf_counter()]) - began)
        whole += took
        print(f"{name:<36}{took[0]:>9.0f} ms{took[1]:>9.0f} ms")
    print(f"{'all':<36}{whole[0]:>9.0f} ms{whole[1]:>9.0f} ms")


if __name__ == "__main__":
    main()
