"""How often the intervals of time to target hold the truth, and the log-rank test is wrong: markdown tables.

python benchmarks/survival_coverage.py [--runs 1000] [--only NAME ...]

Costs are log-normal, with a spread σ of .7; budgets are common to all runs or random; the share of runs that
end without the target is 0, 30 or 60 %. NAME is a table: intervals, models, log_rank, dropped. Ten minutes on
one idle core. Intervals of means are drawn from 1 000 paths instead of 10 000, for time.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import lognorm, weibull_min

from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival import beta_product
from grokscope.interventions.survival.accelerated import deviance_limit
from grokscope.interventions.survival.competing import cumulative_incidence
from grokscope.interventions.survival.kaplan_meier import kaplan_meier
from grokscope.interventions.survival.likelihood import Bounds, Family, held, maximized
from grokscope.interventions.survival.log_rank import log_rank
from grokscope.interventions.survival.median import median_cost
from grokscope.interventions.survival.reached_by import reached_by
from grokscope.interventions.survival.restricted_mean import restricted_mean, restricted_mean_difference

SIZES = (3, 5, 6, 10, 30)
COSTS = {Family.LOG_NORMAL: lognorm(0.7), Family.WEIBULL: weibull_min(1.5)}
DIVERGED = lognorm(0.7, scale=1.5)
GRID = 0.25
"""Evaluations, in medians of the log-normal costs."""


@dataclass(frozen=True)
class Budgets:
    """How many runs end without the target, and whether all end at one budget."""

    share: float
    common: bool = True
    grid: float = 0.0
    family: Family = Family.LOG_NORMAL

    def __str__(self):
        kind = "" if not self.share else ", one budget" if self.common else ", random budgets"
        return f"{self.share:.0%} censored{kind}" + (", coarse grid" if self.grid else "")

    def drawn(self, rng, runs, *, faster=1.0):
        cost = COSTS[self.family].rvs(runs, random_state=rng) / faster
        budget = self.budget(rng, runs)
        if not self.grid:
            reached = cost <= budget
            return CensoredCosts(np.where(reached, cost, budget), np.where(reached, cost, np.inf))
        high = np.ceil(cost / self.grid) * self.grid
        budget = np.floor(budget / self.grid) * self.grid
        reached = high <= budget
        return CensoredCosts(np.where(reached, high - self.grid, budget), np.where(reached, high, np.inf))

    def budget(self, rng, runs):
        if not self.share:
            return np.full(runs, 1e9)
        if self.common:
            return np.full(runs, COSTS[self.family].ppf(1 - self.share))
        return rng.uniform(0, widest(self.family, self.share), runs)


@cache
def widest(family, share):
    """The largest of uniform budgets that so many runs do not get to."""
    survival = COSTS[family].sf
    return brentq(lambda end: quad(survival, 0, end)[0] / end - share, 0.01, 1000)


KINDS = [Budgets(0.0), *(Budgets(share, common=common) for share in (0.3, 0.6) for common in (True, False))]
COARSE = [Budgets(share, grid=GRID) for share in (0.0, 0.3)]


@cache
def mean_until(until, faster=1.0):
    return quad(lambda cost: COSTS[Family.LOG_NORMAL].sf(cost * faster), 0, until)[0]


def read(frame, at):
    """The band of a curve at a cost."""
    rows = frame.filter(frame["cost"] <= at)
    return (
        Estimate(value=None)
        if rows.is_empty()
        else Estimate(value=rows["share"][-1], low=rows["low"][-1], high=rows["high"][-1])
    )


@cache
def incidence_at(cost):
    return quad(lambda c: COSTS[Family.LOG_NORMAL].pdf(c) * DIVERGED.sf(c), 0, cost)[0]


def intervals(rng, budgets, runs):
    """Name, interval and truth, of one sample or of a pair."""
    costs, others = budgets.drawn(rng, runs), budgets.drawn(rng, runs, faster=2.0)
    law, at = COSTS[Family.LOG_NORMAL], 0.75
    until = 0.75 if budgets.share == 0.6 else 1.25
    curve = kaplan_meier(costs)
    yield "Kaplan–Meier band", read(curve, at), law.sf(at)
    yield "log-log band, for comparison", read(kaplan_meier(costs, band="log-log"), at), law.sf(at)
    yield "median", median_cost(costs), law.median()
    yield "restricted mean", restricted_mean(costs, until=until), mean_until(until)
    difference = restricted_mean_difference(costs, others, until=until)
    yield "difference of restricted means", difference, mean_until(until) - mean_until(until, 2.0)
    yield "reached by a budget", reached_by(costs, at), law.cdf(at)
    if not budgets.grid:
        yield "share reached, some diverged", competing(rng, costs, at), incidence_at(at)


def competing(rng, costs, at):
    diverged = DIVERGED.rvs(costs.at.size, random_state=rng)
    first = diverged < costs.at
    mixed = CensoredCosts(np.where(first, diverged, costs.low), np.where(first, np.inf, costs.high))
    ends = ["diverged" if each else None for each in first]
    return read(cumulative_incidence(mixed, ends).filter(end="reached"), at)


def covered(estimate, truth):
    """Whether the interval holds the truth; None where none is given."""
    if estimate.low is None and estimate.high is None:
        return None
    slack = 1e-9
    return (estimate.low is None or estimate.low <= truth + slack) and (
        estimate.high is None or truth <= estimate.high + slack
    )


def model_covered(rng, budgets, runs, *, groups):
    """Whether the interval of a model's median (one group) or coefficient (two) holds the truth."""
    samples = [budgets.drawn(rng, runs) for _ in range(groups)]
    low, high = (np.concatenate([getattr(each, end) for each in samples]) for end in ("low", "high"))
    costs, family = CensoredCosts(low, high), budgets.family
    x = np.column_stack([np.ones(groups * runs), np.repeat(np.arange(groups), runs)])[:, :groups]
    truth, column = (np.log(COSTS[family].median()), 0) if groups == 1 else (0.0, 1)
    bounds = Bounds.of(costs, x)
    best = maximized(bounds, family) if costs.reached.any() and bounds.has_maximum() else None
    if best is None:
        return None
    limit = deviance_limit(bounds, 0.95)
    return limit is None or 2 * (best.log_likelihood - held(bounds, family, column, truth)) <= limit


def cell(found):
    given = [each for each in found if each is not None]
    if not given:
        return "none given"
    share = len(given) / len(found)
    return f"{np.mean(given):.1%}" + ("" if share > 0.995 else f" of {share:.0%}")


def table(title, rows, sizes=SIZES):
    print(f"\n| {title} | " + " | ".join(f"n = {size}" for size in sizes) + " |")
    print("|---" * (len(sizes) + 1) + "|")
    for name, cells in rows.items():
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def intervals_table(rng, runs):
    for budgets in (*KINDS, *COARSE):
        rows = defaultdict(list)
        for size in SIZES:
            found = defaultdict(list)
            for _ in range(runs):
                for name, estimate, truth in intervals(rng, budgets, size):
                    found[name].append(covered(estimate, truth))
            for name, each in found.items():
                rows[name].append(cell(each))
        table(str(budgets), rows)


def models_table(rng, runs):
    for family in Family:
        for groups, what in ((1, "median"), (2, "speed-up")):
            rows = {}
            for kind in (*KINDS, *COARSE):
                budgets = Budgets(kind.share, common=kind.common, grid=kind.grid, family=family)
                found = [[model_covered(rng, budgets, n, groups=groups) for _ in range(runs)] for n in SIZES]
                rows[str(budgets)] = [cell(each) for each in found]
            table(f"{family.value} model: {what}", rows)


def log_rank_table(rng, runs):
    rows, sizes = {}, (3, 5, 10)
    for budgets in (*KINDS, *COARSE):
        p = [[log_rank(*(budgets.drawn(rng, n) for _ in "ab")).p for _ in range(runs)] for n in sizes]
        rows[str(budgets)] = [f"{np.mean(np.array(each) <= 0.05):.1%}" for each in p]
    table("log-rank: p ≤ .05 though the groups do not differ", rows, sizes)


def dropped_table(rng, runs):
    """Two groups, the second half as fast, after a common budget: what is said of their medians and means."""
    rows = {}
    for share in (0.1, 0.3, 0.6):
        budget = COSTS[Family.LOG_NORMAL].ppf(1 - share)
        cost = COSTS[Family.LOG_NORMAL].rvs((runs, 100), random_state=rng)
        kept, slower = np.where(cost <= budget, cost, np.nan), np.where(2 * cost <= budget, 2 * cost, np.nan)
        medians, means = np.nanmedian(kept, axis=1), np.nanmean(kept, axis=1)
        ratio = np.nanmedian(slower, axis=1) / medians
        mean = COSTS[Family.LOG_NORMAL].mean()
        rows[f"{share:.0%} unreached"] = [
            f"{np.nanmean(medians):.2f}", f"{np.nanmean(means) / mean:.2f}", f"{np.nanmean(ratio):.2f}"
        ]  # fmt: skip
    print("\n| unreached runs dropped, 100 runs | median (true 1) | mean / true mean | slow-down (true 2) |")
    print("|---|---|---|---|")
    for name, cells in rows.items():
        print(f"| {name} | " + " | ".join(cells) + " |")


TABLES = {
    "intervals": intervals_table,
    "models": models_table,
    "log_rank": log_rank_table,
    "dropped": dropped_table,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--only", nargs="*", default=list(TABLES), choices=list(TABLES))
    options = parser.parse_args()
    beta_product.DRAWS = 1000
    for name in options.only:
        TABLES[name](np.random.default_rng(0), options.runs)


if __name__ == "__main__":
    main()
