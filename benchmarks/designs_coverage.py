"""How often the intervals of designs and laws cover what they should: a markdown table on stdout.

python benchmarks/designs_coverage.py [RUNS]         200 simulations a row by default, three to eight minutes

Each row simulates a sweep with known truth and counts how often the 95 % interval holds it. An end that is
unbounded counts as holding it. The last column is what a reader of the number would otherwise have to guess:
how far the exponent is off if runs that have not reached the target are dropped, or how often an end is
unbounded.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import polars as pl
from scipy import special, stats

from grokscope.interventions.designs.band import half_way
from grokscope.interventions.designs.boundary import model_of, outcomes, threshold
from grokscope.interventions.designs.exchange_rate import between_budgets
from grokscope.interventions.designs.phase_diagram import phase_diagram
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.laws.contraction import Window, contraction
from grokscope.interventions.laws.delay import delays
from grokscope.interventions.laws.fraction_law import fraction_law
from grokscope.interventions.laws.norm_laws import Rates, first_passage, norm_separation
from grokscope.interventions.laws.power_law import power_law

EXPONENT, GAMMA, KAPPA, CRITICAL = -0.757, 4.0, 0.8, 200.0
RATES = Rates(learning_rate="lr", weight_decay="wd")
Row = tuple[str, float, str]


def holds(found: Estimate, truth: float) -> bool:
    return (found.low is None or found.low <= truth) and (found.high is None or found.high >= truth)


def costs_of(high: np.ndarray, limit: float, grid: float, **columns) -> pl.DataFrame:
    high = np.ceil(high / grid) * grid
    reached = high <= limit
    told = {"run_id": [str(i) for i in range(len(high))], "reached": reached, **columns}
    return pl.DataFrame(told).with_columns(
        low=pl.Series(np.where(reached, high - grid, limit)),
        high=pl.when(pl.Series(reached)).then(pl.Series(high)),
        spent=pl.lit(float(limit)),
    )


def exponents(  # noqa: PLR0913 - a design by keyword
    rng, runs: int, *, seeds: int, limit: float, spread: float, grid: float = 20
) -> Row:
    x = np.repeat([0.1, 0.3, 1.0, 3.0], seeds)
    hits, bias, reached, told = 0, [], [], 0
    for _ in range(runs):
        high = np.exp(6.5 + EXPONENT * np.log(x) + spread * rng.normal(size=len(x)))
        law = power_law(costs_of(high, limit, grid, x=x), x="x")
        if law.exponent.value is None:
            continue
        told += 1
        hits += holds(law.exponent, EXPONENT)
        bias.append(law.bias or 0.0)
        reached.append(law.reached / law.runs)
    name = f"power law, 4 values × {seeds} seeds, σ {spread}, grid {grid:g}, {np.mean(reached):.0%} reach it"
    return name, hits / told, f"dropping the others moves the exponent by {np.mean(bias):+.2f}"


def boundaries(rng, runs: int, *, seeds: int, slope: float) -> Row:
    xs, ys = np.array([0.1, 0.3, 1, 3, 10]), np.linspace(0.2, 0.6, 5)
    x, y = (np.repeat(each.ravel(), seeds) for each in np.meshgrid(xs, ys, indexing="ij"))
    places = np.array([0.1, 1.0, 10.0])
    truth = 0.37 - np.log10(places) * 0.2 / 3
    hits = unbounded = total = 0
    for _ in range(runs):
        odds = slope * (np.log10(x) + 15 * (y - 0.37))
        reached = rng.random(len(x)) < special.expit(odds)
        costs = pl.DataFrame({"x": x, "y": y, "reached": reached, "high": 1.0, "spent": 1.0})
        model = model_of(outcomes(costs, ("x", "y"), budget=None), ("x", "y"))
        if isinstance(model, str):
            continue
        at = np.column_stack([np.ones(3), model.axes[0].scaled(places), np.zeros(3)])
        _, low, high = half_way(model.fit, model.data, at, np.array([0.0, 0.0, 1.0]), level=0.95)
        there = model.axes[1].scaled(truth)
        hits += int(np.sum((low <= there) & (there <= high)))
        unbounded += int(np.sum(np.isinf(low) | np.isinf(high)))
        total += 3
    name = f"boundary, 5 × 5 cells × {seeds} seeds, log odds {slope:g} a decade"
    return name, hits / total, f"an end is unbounded in {unbounded / total:.0%}"


def thresholds(rng, runs: int) -> Row:
    x, hits = np.repeat(np.geomspace(0.1, 10, 7), 5), 0
    for _ in range(runs):
        reached = rng.random(len(x)) < special.expit(1.5 * np.log(x / 1.7))
        costs = pl.DataFrame({"x": x, "reached": reached, "high": 1.0, "spent": 1.0})
        hits += holds(threshold(costs, x="x"), 1.7)
    return "threshold, 7 values × 5 seeds", hits / runs, ""


def fractions(rng, runs: int) -> Row:
    r, hits, unbounded = np.repeat([0.25, 0.3, 0.4, 0.5, 0.7], 6), 0, 0
    for _ in range(runs):
        high = (300 * (r / 0.4) ** -GAMMA + 200) * np.exp(0.2 * rng.normal(size=len(r)))
        found = fraction_law(costs_of(high, 3000, 25, r=r), x="r").gamma
        hits += holds(found, GAMMA)
        unbounded += found.low is None or found.high is None
    return (
        "γ of the fraction law, 5 shares × 6 seeds",
        hits / runs,
        f"an end is unbounded in {unbounded / runs:.0%}",
    )


def passages(rng, runs: int) -> list[Row]:
    hits = np.zeros(3)
    for _ in range(runs):
        n, grid, end = 24, 50, 3000
        rate = np.tile([3e-4, 6e-4, 1e-3, 2e-3], 6) * np.repeat([1, 3], 12)
        start = np.exp(rng.uniform(np.log(400), np.log(4000), n))
        delay = np.log(start / CRITICAL) / (2 * KAPPA * rate) * np.exp(0.2 * rng.normal(size=n))
        end_costs = costs_of(delay + 100, end, grid, lr=np.full(n, 1e-3), wd=rate / 1e-3)
        begin = end_costs.with_columns(reached=True, low=pl.lit(99.0), high=pl.lit(100.0))
        steps = np.arange(0, end + 1, grid)
        log_v = np.log(start)[:, None] - 2 * KAPPA * rate[:, None] * np.maximum(steps - 100, 0)
        curves = pl.DataFrame(
            {"run_id": np.repeat(end_costs["run_id"].to_numpy(), len(steps)), "step": np.tile(steps, n)}
        ).with_columns(metric=pl.lit("weights/norm"), value=pl.Series(np.exp(log_v / 2).ravel()))
        judged = contraction(curves, Window(memorized=begin, generalized=end_costs))
        law = first_passage(delays(end_costs, begin), judged, RATES)
        apart = norm_separation(delays(end_costs, begin), judged, RATES)
        hits += (holds(law.kappa, KAPPA), holds(law.critical, CRITICAL), holds(apart.exponent, 1.0))
    names = (
        "κ of first passage, 24 runs",
        "V* of first passage, 24 runs",
        "exponent of norm separation, 24 runs",
    )
    return [(name, float(hit / runs), "") for name, hit in zip(names, hits, strict=True)]


def budgets(rng, runs: int) -> Row:
    planned, method, hits = np.tile(np.repeat([1000.0, 1200.0], 5), 3), np.repeat([0, 1, 2], 10), 0
    for _ in range(runs):
        value = 3.3 + 0.1 * method - 4.5e-5 * planned + 0.001 * rng.standard_t(5, len(planned))
        told = pl.DataFrame({"run_id": method.astype(str), "m": method, "planned": planned, "value": value})
        hits += holds(between_budgets(told, by="m").rate, 0.0045)
    return "exchange rate between budgets, 3 methods × 2 × 5", hits / runs, ""


def cells(rng, runs: int, *, seeds: int) -> list[Row]:
    x = np.repeat(np.arange(10 * runs), seeds)
    cost, share = rng.lognormal(6, 1, len(x)), float(stats.norm.cdf(0.5))
    costs = costs_of(cost, np.exp(6.5), 10, x=x, y=np.zeros(len(x)))
    found = phase_diagram(costs, x="x", y="y", budget=float(np.exp(6.5))).cells
    median = (found["median_low"] <= np.exp(6)) & (found["median_high"].fill_null(np.inf) >= np.exp(6))
    exact = (found["share_low"] <= share) & (found["share_high"] >= share)
    return [
        (f"share of a cell, {seeds} runs (exact)", float(exact.mean()), ""),
        (f"median of a cell, {seeds} runs (exact)", float(median.mean()), ""),
    ]


def main() -> None:
    runs, rng, began = (
        int(sys.argv[1]) if len(sys.argv) > 1 else 200,
        np.random.default_rng(0),
        time.monotonic(),
    )
    rows: list[Callable[[], Row | list[Row]]] = [
        lambda: exponents(rng, runs, seeds=3, limit=np.inf, spread=0.3),
        lambda: exponents(rng, runs, seeds=3, limit=2500, spread=0.3),
        lambda: exponents(rng, runs, seeds=5, limit=1800, spread=0.3),
        lambda: exponents(rng, runs, seeds=5, limit=1800, spread=0.6),
        lambda: exponents(rng, runs, seeds=5, limit=1800, spread=0.3, grid=200),
        lambda: exponents(rng, runs, seeds=10, limit=1800, spread=0.6),
        lambda: fractions(rng, runs // 4),
        lambda: passages(rng, runs // 4),
        lambda: thresholds(rng, runs),
        lambda: boundaries(rng, runs, seeds=2, slope=0.7),
        lambda: boundaries(rng, runs, seeds=2, slope=2),
        lambda: boundaries(rng, runs, seeds=4, slope=2),
        lambda: boundaries(rng, runs, seeds=4, slope=6),
        lambda: budgets(rng, 5 * runs),
        lambda: cells(rng, runs, seeds=6),
        lambda: cells(rng, runs, seeds=12),
    ]
    print("| interval | covers | |\n|---|---|---|")
    for row in rows:
        told = row()
        for name, covers, note in told if isinstance(told, list) else [told]:
            print(f"| {name} | {covers:.1%} | {note} |", flush=True)
    print(f"\n{runs} simulations a row, {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main()
