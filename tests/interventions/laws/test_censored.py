"""A log-normal model of costs in intervals: against least squares, and against a plain search."""

import numpy as np
import pytest
from scipy import optimize, stats

from grokscope.interventions.laws.censored import LogCosts, censored_fit, profile_interval


def sample(seed, *, n=30, spread=0.4, grid=0.3, limit=np.inf):
    rng = np.random.default_rng(seed)
    x = np.tile(np.linspace(-1, 1, 5), n // 5)
    t = 6 - 0.7 * x + spread * rng.normal(size=n)
    low = np.floor(t / grid) * grid
    reached = low + grid <= limit
    design = np.column_stack([np.ones(n), x])
    ends = (np.where(reached, low, limit), np.where(reached, low + grid, np.inf))
    return design, LogCosts(low=ends[0], high=ends[1], times=np.ones(n))


def likelihood(place, design, costs):
    middle = design @ place[:-1]
    low, high = ((end - middle) / place[-1] for end in (costs.low, costs.high))
    return np.sum(costs.times * np.log(stats.norm.cdf(high) - stats.norm.cdf(low)))


@pytest.mark.parametrize("limit", [np.inf, 6.3, 5.7])
def test_the_fit_is_what_a_plain_search_of_the_likelihood_finds(limit):
    design, costs = sample(0, limit=limit)
    fit = censored_fit(design, costs)
    found = optimize.minimize(
        lambda p: -likelihood(np.append(p[:2], np.exp(p[2])), design, costs),
        [6, 0, 0],
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 5000},
    )
    assert fit.coefficients == pytest.approx(found.x[:2], abs=1e-4)
    assert fit.spread == pytest.approx(np.exp(found.x[2]), rel=1e-4)
    assert fit.likelihood == pytest.approx(-found.fun)


def test_costs_that_are_numbers_give_least_squares_and_students_interval():
    design, _ = sample(1)
    t = np.random.default_rng(1).normal(size=30) + design[:, 1]
    costs = LogCosts(low=t, high=t, times=np.ones(30))
    found = profile_interval(design, costs, censored_fit(design, costs), column=1, level=0.95)
    line = stats.linregress(design[:, 1], t)
    reach = stats.t.ppf(0.975, 28) * line.stderr
    assert (found.value, found.low, found.high) == pytest.approx(
        (line.slope, line.slope - reach, line.slope + reach), abs=1e-3
    )


def test_the_interval_ends_where_the_likelihood_ratio_reaches_its_bound():
    design, costs = sample(2, limit=6.3)
    fit = censored_fit(design, costs)
    found = profile_interval(design, costs, fit, column=1, level=0.95)
    reached = costs.runs_reached
    bound = reached * np.log1p(stats.t.ppf(0.975, reached - 2) ** 2 / (reached - 2))
    for end in (found.low, found.high):
        held = optimize.minimize(
            lambda p: -likelihood(np.array([p[0], end, np.exp(p[1])]), design, costs),  # noqa: B023
            [6, -1],
            method="Nelder-Mead",
        )
        assert 2 * (fit.likelihood + held.fun) == pytest.approx(bound, abs=0.01)


def test_a_run_that_counts_three_times_is_three_runs():
    design, costs = sample(3, limit=6.3)
    thrice = LogCosts(low=costs.low, high=costs.high, times=np.full(30, 3.0))
    repeated = LogCosts(low=np.tile(costs.low, 3), high=np.tile(costs.high, 3), times=np.ones(90))
    here, there = censored_fit(design, thrice), censored_fit(np.tile(design, (3, 1)), repeated)
    assert here.coefficients == pytest.approx(there.coefficients)
    assert here.covariance == pytest.approx(there.covariance)


def test_the_information_gives_the_curvature_of_the_profile():
    design, costs = sample(4, n=300, limit=6.3)
    fit = censored_fit(design, costs)
    found = profile_interval(design, costs, fit, column=1, level=0.95)
    assert (found.high - found.low) / 3.92 == pytest.approx(fit.covariance[1, 1] ** 0.5, rel=0.03)


def test_of_many_runs_the_information_gives_the_interval(monkeypatch):
    design, costs = sample(4, n=300, limit=6.3)
    fit = censored_fit(design, costs)
    profile = profile_interval(design, costs, fit, column=1, level=0.95)
    monkeypatch.setattr("grokscope.interventions.laws.censored.MANY_RUNS", 100)
    found = profile_interval(design, costs, fit, column=1, level=0.95)
    assert (found.low, found.high) == pytest.approx((profile.low, profile.high), abs=0.004)
    assert found.method == "observed information"


def test_an_end_is_unbounded_where_nothing_bounds_it():
    design = np.column_stack([np.ones(8), np.repeat([0.0, 1.0], 4)])
    low = np.array([1.0, 1.2, 1.4, 1.1, 2.0, 2.0, 2.0, 2.0])
    costs = LogCosts(low=low, high=np.append(low[:4] + 0.1, [np.inf] * 4), times=np.ones(8))
    found = profile_interval(design, costs, censored_fit(design, costs), column=1, level=0.95)
    assert found.low > 0.3
    assert found.high is None
    assert "unbounded" in found.missing


def test_too_few_runs_have_no_interval():
    costs = LogCosts(low=np.array([1.0, 2.0]), high=np.array([1.5, np.inf]), times=np.ones(2))
    fit = censored_fit(np.ones((2, 1)), costs)
    assert "too few runs" in profile_interval(np.ones((2, 1)), costs, fit, column=0, level=0.95).missing
