"""How often tests of contrasts and of the noise floor err, and their intervals cover, in simulation.

``python benchmarks/contrasts_coverage.py [TRIES]`` prints three tables; 2 000 tries a row take minutes on
one core. Costs are log-normal with a sd of .5 on the log axis; 40 % of runs are stopped by a budget where it
says so, and a coarse grid evaluates every 16 % of the median cost. The standard error of a row at 2 000 tries
is half a per cent point.
"""

import sys
from itertools import product

import numpy as np
from scipy import stats

from grokscope.interventions.contrasts.improvement import improvement
from grokscope.interventions.contrasts.interquartile_mean import interquartile_mean
from grokscope.interventions.contrasts.paired_speed_up import paired_speed_up, paired_speed_up_p
from grokscope.interventions.contrasts.speed_up import speed_up, speed_up_p
from grokscope.interventions.contrasts.tuning import best_of
from grokscope.interventions.noise.decision import decide
from grokscope.interventions.noise.e_process import difference_e_process, mean_e_process
from grokscope.interventions.noise.floor import noise_floor
from grokscope.interventions.outcomes.costs import CensoredCosts

TRIES = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
RATIO, SPREAD = 1.5, 0.5
STOPPED = float(np.exp(SPREAD * stats.norm.ppf(0.6)))
RUNNING = "each run stopped at a place of its own"
LOOKS = 100
RNG = np.random.default_rng(2026)


def watched(costs, budget, grid):
    """Costs of runs evaluated every ``grid`` up to a budget."""
    high = np.ceil(costs / grid) * grid if grid else costs
    seen = high <= budget
    last = np.floor(budget / grid) * grid if grid else budget
    low = high - grid
    return CensoredCosts(np.where(seen, low, last), np.where(seen, high, np.inf))


def two_groups(n, budget, grid, *, shared=0.0):
    """Costs of a, and of b, that takes ``RATIO`` times as long, each with its own budget."""
    common = RNG.normal(size=n) * np.sqrt(shared)
    a, b = np.exp(SPREAD * (common + RNG.normal(size=(2, n)) * np.sqrt(1 - shared)))
    at, later = (RNG.uniform(0.2, 2.2, n) for _ in "ab") if budget is RUNNING else (budget, budget)
    return watched(a, at, grid), watched(RATIO * b, RATIO * later, grid)


def covers(estimate, truth):
    return (estimate.low is None or estimate.low <= truth) and (
        estimate.high is None or truth <= estimate.high
    )


def row(name, hits):
    print(f"| {name} | {np.mean(hits):.3f} |", flush=True)


def errors():
    print("\n| test, where its null is true | rejected at 5 % |\n|---|---|")
    kinds = {"": (np.inf, 0), ", 40 % stopped": (STOPPED, 0), ", coarse grid": (np.inf, 0.16)}
    kinds[", 40 % stopped anywhere"] = (RUNNING, 0)
    kinds[", 40 % stopped, coarse grid"] = (STOPPED, 0.16)
    for n, (kind, how) in product((3, 5, 10), kinds.items()):
        p = [speed_up_p(*two_groups(n, *how), ratio=RATIO) for _ in range(TRIES)]
        row(f"speed-up, {n} v {n}{kind}", np.array(p) <= 0.05)
    for n, (kind, how) in product((3, 5, 10), kinds.items()):
        p = [paired_speed_up_p(*two_groups(n, *how, shared=0.5), ratio=RATIO) for _ in range(TRIES)]
        row(f"paired speed-up, {n} pairs{kind}", np.array(p) <= 0.05)
    sds = {"sd unknown": {}, "sd known": {"sd": 1.0}, "sd known with 8 df": {"sd": 1.0, "df": 8.0}}
    for said, known in sds.items():
        wealth = [mean_e_process(RNG.normal(size=LOOKS), 0.0, **_drawn(known)) for _ in range(TRIES)]
        row(f"e-process of a mean, any of {LOOKS} looks, {said}", [w.max() >= 20 for w in wealth])
    for first in (3, 10, LOOKS):
        wealth = [difference_e_process(*_grown(first)) for _ in range(TRIES)]
        row(f"e-process of a difference, {LOOKS} looks, {first} seeds of b", [w.max() >= 20 for w in wealth])


def _drawn(known):
    """The known sd, estimated with its own degrees of freedom."""
    if "df" not in known:
        return known
    return known | {"sd": float(np.sqrt(RNG.chisquare(known["df"]) / known["df"]))}


def _grown(first):
    return RNG.normal(size=LOOKS), RNG.normal(size=first)


def intervals():
    print("\n| 95 % interval of | covers |\n|---|---|")
    kinds = {"": (np.inf, 0), ", 40 % stopped": (STOPPED, 0), ", coarse grid": (np.inf, 0.16)}
    kinds[", 40 % stopped anywhere"] = (RUNNING, 0)
    for n, (kind, how) in product((4, 5, 10), kinds.items()):
        held = [covers(speed_up(*two_groups(n, *how)), RATIO) for _ in range(TRIES)]
        row(f"speed-up (discrete), {n} v {n}{kind}", held)
    for n, (kind, how) in product((6, 10), kinds.items()):
        held = [covers(paired_speed_up(*two_groups(n, *how, shared=0.5)), RATIO) for _ in range(TRIES)]
        row(f"paired speed-up (discrete), {n} pairs{kind}", held)
    for n, gap, wide in product((4, 5, 10, 20), (0.0, 1.0, 2.0), (1.0, 2.0)):
        truth = stats.norm.cdf(gap / np.hypot(1, wide))
        held = [covers(improvement(*_apart(n, gap, wide)), truth) for _ in range(TRIES)]
        row(f"probability of improvement {truth:.2f}, {n} v {n}, sd 1 v {wide:g}", held)
    _means()
    for k in (1, 3, 10):
        truth = np.exp(stats.norm.ppf(1 - 2 ** (-1 / k)))
        held = [covers(best_of(np.exp(RNG.normal(size=20)), most=k)[-1].median, truth) for _ in range(TRIES)]
        row(f"median best of {k} (discrete), from 20 trials", held)
    _floors()


def _apart(n, gap, wide):
    return np.exp(RNG.normal(size=n)), np.exp(gap + wide * RNG.normal(size=n))


def _means():
    draw = {
        "normal": RNG.normal,
        "log-normal": RNG.lognormal,
        "U-shaped": lambda size: RNG.beta(0.5, 0.5, size),
    }
    for n, (kind, values) in product((5, 6, 10, 20), draw.items()):
        many = np.sort(values(size=2_000_000))
        truth = many[many.size // 4 : -many.size // 4].mean()
        found = [interquartile_mean(values(size=n), seed=i) for i in range(TRIES // 2)]
        if found[0].low is not None:
            row(f"interquartile mean, {n} {kind} values", [covers(one, truth) for one in found])
    for (tasks, runs), apart in product(((3, 6), (6, 3), (10, 3), (10, 5)), (2, 8)):
        level = np.linspace(0, apart, tasks)[:, None]
        many = np.sort((level + RNG.normal(size=(tasks, 200_000))).ravel())
        truth = many[many.size // 4 : -many.size // 4].mean()
        strata = np.repeat(np.arange(tasks), runs).tolist()
        drawn = ((level + RNG.normal(size=(tasks, runs))).ravel() for _ in range(TRIES // 2))
        held = [covers(interquartile_mean(one, strata=strata), truth) for one in drawn]
        row(f"interquartile mean, {tasks} tasks of {runs} runs, tasks {apart} sd apart", held)


def _floors():
    names = np.repeat(np.arange(4), 3).tolist()
    floors = [noise_floor(RNG.normal(size=12), names) for _ in range(TRIES)]
    row("pooled sd, 4 configurations of 3 runs", [covers(floor.sd, 1.0) for floor in floors])
    gains = [decide(RNG.normal(1.0, np.sqrt(2 / 3)), floor, 3, 3) for floor in floors]
    row("gain, 3 v 3 with that floor", [gain.low <= 1 <= gain.high for gain in gains])


def power():
    print("\n| e-value of 20 reached, true gain | n ≤ 3 | 5 | 10 | 20 |\n|---|---|---|---|---|")
    for said, known in {"sd unknown": {}, "sd known": {"sd": 1.0}}.items():
        for gain in (0.5, 1.0, 2.0, 3.0):
            wealth = np.array([mean_e_process(RNG.normal(-gain, 1, 20), 0.0, **known) for _ in range(TRIES)])
            reached = (np.maximum.accumulate(wealth, axis=1) >= 20)[:, [2, 4, 9, 19]].mean(axis=0)
            print(f"| {said}, {gain} sd | {' | '.join(f'{share:.2f}' for share in reached)} |")


if __name__ == "__main__":
    errors()
    intervals()
    power()
