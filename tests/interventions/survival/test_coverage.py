"""Intervals hold the truth as often as they say: few samples; benchmarks/survival_coverage.py takes many."""

import numpy as np
import pytest

from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival import beta_product
from grokscope.interventions.survival.accelerated import deviance_limit
from grokscope.interventions.survival.kaplan_meier import kaplan_meier
from grokscope.interventions.survival.likelihood import Bounds, Family, held, maximized
from grokscope.interventions.survival.log_rank import log_rank
from grokscope.interventions.survival.median import median_cost
from grokscope.interventions.survival.restricted_mean import restricted_mean

SAMPLES = 150
ENOUGH = 0.9
"""Three standard errors below 95 % in so many samples."""


def drawn(rng, runs, *, random, grid):
    """Log-normal costs of median 1, three in ten of them beyond the budget."""
    cost = rng.lognormal(0, 0.7, runs)
    budget = rng.uniform(0, 3.6, runs) if random else np.full(runs, 1.443)
    if grid:
        high, budget = np.ceil(cost / grid) * grid, np.floor(budget / grid) * grid
        reached = high <= budget
        return CensoredCosts(np.where(reached, high - grid, budget), np.where(reached, high, np.inf))
    reached = cost <= budget
    return CensoredCosts(np.where(reached, cost, budget), np.where(reached, cost, np.inf))


def holds(low, high, truth):
    return (low is None or low <= truth) and (high is None or truth <= high)


@pytest.mark.parametrize("runs", [6, 10, 50])
@pytest.mark.parametrize("random", [False, True])
@pytest.mark.parametrize("grid", [0.0, 0.25])
def test_the_interval_of_the_median_holds_it(runs, random, grid):
    rng = np.random.default_rng(runs)
    medians = [median_cost(drawn(rng, runs, random=random, grid=grid)) for _ in range(SAMPLES)]
    assert np.mean([holds(each.low, each.high, 1.0) for each in medians]) >= ENOUGH
    assert np.mean([each.low is not None for each in medians]) > ENOUGH


@pytest.mark.parametrize("runs", [3, 10])
def test_the_band_holds_the_share(runs):
    rng = np.random.default_rng(runs)
    curves = [kaplan_meier(drawn(rng, runs, random=True, grid=0)) for _ in range(SAMPLES)]
    bands = [curve.filter(curve["cost"] <= 1.0).row(-1, named=True) for curve in curves]
    assert np.mean([holds(band["low"], band["high"], 0.5) for band in bands]) >= ENOUGH


@pytest.mark.parametrize("runs", [3, 10])
def test_the_interval_of_the_restricted_mean_holds_it(runs, monkeypatch):
    monkeypatch.setattr(beta_product, "DRAWS", 1000)  # for time
    rng = np.random.default_rng(runs)
    truth = np.minimum(rng.lognormal(0, 0.7, 300_000), 1.25).mean()
    means = [restricted_mean(drawn(rng, runs, random=False, grid=0), until=1.25) for _ in range(SAMPLES)]
    assert np.mean([holds(each.low, each.high, truth) for each in means]) >= ENOUGH


@pytest.mark.parametrize("family", list(Family))
def test_a_models_interval_holds_its_median_and_is_no_wider_than_it_says(family):
    rng = np.random.default_rng(5)
    found = []
    for _ in range(SAMPLES // 2):
        cost = (
            rng.lognormal(0, 0.7, 5)
            if family is Family.LOG_NORMAL
            else rng.weibull(1.5, 5) / np.log(2) ** (1 / 1.5)
        )
        budget = rng.uniform(0, 3.6, 5)
        costs = CensoredCosts(np.minimum(cost, budget), np.where(cost <= budget, cost, np.inf))
        bounds = Bounds.of(costs, np.ones((5, 1)))
        best = maximized(bounds, family) if costs.reached.any() and bounds.has_maximum() else None
        if best is not None:
            deviance = 2 * (best.log_likelihood - held(bounds, family, 0, 0.0))
            found.append(deviance <= deviance_limit(bounds, 0.95))
    assert ENOUGH - 0.02 <= np.mean(found) < 1
    assert len(found) > 0.9 * SAMPLES / 2


@pytest.mark.parametrize("runs", [3, 5])
def test_the_log_rank_test_is_not_wrong_more_often_than_it_says(runs):
    rng = np.random.default_rng(runs)
    p = [log_rank(*(drawn(rng, runs, random=True, grid=0) for _ in range(2))).p for _ in range(SAMPLES)]
    assert np.mean(np.array(p) <= 0.05) <= 0.1
    assert np.mean(np.array(p) <= 0.5) >= 0.35
