"""The distribution of costs between two evaluations, without a model."""

import numpy as np
import polars as pl
import pytest

from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.kaplan_meier import kaplan_meier
from grokscope.interventions.survival.turnbull import MASSES, turnbull, turnbull_median


def costs_of(*bounds):
    low, high = np.array(bounds, dtype=float).T
    return CensoredCosts(low, high)


def likelihood(costs, masses):
    """Log-likelihood of the costs under the masses."""
    low, high = masses["low"].to_numpy(), masses["high"].fill_null(np.inf).to_numpy()
    return sum(
        np.log(masses["mass"].to_numpy()[(low >= below) & (high <= above)].sum())
        for below, above in zip(costs.low, costs.high, strict=True)
    )


def test_exact_and_ended_runs_give_kaplan_and_meier():
    rng = np.random.default_rng(0)
    at, reached = rng.integers(1, 12, 30).astype(float), rng.uniform(size=30) < 0.6
    costs = CensoredCosts(at, np.where(reached, at, np.inf))
    curve = kaplan_meier(costs).filter(pl.col("reached") > 0)
    masses = turnbull(costs).drop_nulls()
    assert masses["high"].to_list() == curve["cost"].to_list()
    np.testing.assert_allclose(masses["share"], curve["share"], atol=1e-7)


def test_budgets_that_were_or_were_not_enough_give_the_isotonic_share():
    # At budgets 1, 2, 3: 1 of 2, 0 of 2, 2 of 2 were enough; 1 and 2 are pooled to 1 of 4.
    ladder = costs_of((0, 1), (1, np.inf), (2, np.inf), (2, np.inf), (0, 3), (0, 3))
    assert turnbull(ladder).select("low", "high", pl.col("mass").round(6)).rows() == [
        (0.0, 1.0, 0.25),
        (2.0, 3.0, 0.75),
    ]
    assert turnbull_median(ladder).value == 3.0


def test_no_other_masses_are_more_likely():
    rng = np.random.default_rng(1)
    cost, width = rng.weibull(1.5, 40), rng.uniform(0.1, 1, 40)
    low = np.maximum(cost - width * rng.uniform(size=40), 0)
    costs = CensoredCosts(low, np.where(cost > 1.2, np.inf, low + width))
    masses = turnbull(costs)
    best = likelihood(costs, masses)
    for _ in range(20):
        mass = masses["mass"].to_numpy() * np.exp(rng.normal(0, 0.01, masses.height))
        assert likelihood(costs, masses.with_columns(mass=mass / mass.sum())) <= best + 1e-9


def test_an_exact_cost_at_an_open_end_is_not_inside():
    assert turnbull(costs_of((0, 5), (5, 9), (5, 5))).select("low", "high").rows() == [(5.0, 5.0), (5.0, 9.0)]


def test_half_beyond_all_budgets_is_no_median_and_no_interval_is_given():
    median = turnbull_median(costs_of((0, 1), (2, np.inf), (2, np.inf)))
    assert median.value is None
    assert "half of the distribution lies beyond 2" in median.missing
    assert turnbull_median(costs_of((0, 1), (1, 2))).missing.startswith("no interval")


def test_no_runs_have_no_distribution():
    none = CensoredCosts(np.array([]), np.array([]))
    assert turnbull(none).equals(pl.DataFrame(schema=MASSES))
    assert turnbull_median(none).missing == "there are no runs"


@pytest.mark.parametrize("scale", [1e-3, 1e9])
def test_the_unit_does_not_change_the_masses(scale):
    bounds = np.array([(0, 3), (1, 4), (3, 6), (2, np.inf), (5, 8)])
    masses = turnbull(costs_of(*bounds))
    np.testing.assert_allclose(turnbull(costs_of(*bounds * scale))["mass"], masses["mass"], atol=1e-9)
