"""The mean cost up to a budget, and its difference between two groups."""

import numpy as np
import pytest
from scipy.stats import binomtest

from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.restricted_mean import restricted_mean, restricted_mean_difference


def exactly(*costs, short=()):
    low = np.array([*costs, *short], dtype=float)
    return CensoredCosts(low, np.where(np.arange(low.size) < len(costs), low, np.inf))


def test_without_ended_runs_it_is_the_mean_of_costs_cut_at_the_budget():
    mean = restricted_mean(exactly(1, 2, 3, 10, short=[10]), until=5)
    assert mean.value == pytest.approx((1 + 2 + 3 + 5 + 5) / 5)


def test_it_is_the_area_under_kaplan_and_meier():
    # S is 1 up to 2, 3/4 up to 6, 3/8 up to 8: one of the four ended at 4.
    mean = restricted_mean(exactly(2, 6, 9, short=[4]), until=8)
    assert mean.value == pytest.approx(2 + 4 * 3 / 4 + 2 * 3 / 8)


def test_of_two_outcomes_only_the_interval_is_that_of_clopper_and_pearson():
    costs = exactly(0, 0, 0, short=[1] * 5)
    ends = binomtest(5, 8).proportion_ci(0.95, "exact")
    mean = restricted_mean(costs, until=1)
    assert (mean.low, mean.high) == (pytest.approx(ends.low, abs=0.015), pytest.approx(ends.high, abs=0.015))


def test_a_coarse_grid_lowers_the_low_end_only():
    high = np.arange(100.0, 1100.0, 100.0)
    fine = restricted_mean(CensoredCosts(high, high), until=1000)
    coarse = restricted_mean(CensoredCosts(high - 100, high), until=1000)
    assert (coarse.value, coarse.high) == (fine.value, fine.high)
    assert coarse.low < fine.low - 50


def test_the_interval_is_the_same_for_the_same_seed_and_near_for_another():
    costs = exactly(*range(1, 11))
    first, second = (restricted_mean(costs, until=8, seed=seed) for seed in (0, 1))
    assert first == restricted_mean(costs, until=8)
    assert (first.low, first.high) == (
        pytest.approx(second.low, abs=0.1),
        pytest.approx(second.high, abs=0.1),
    )


def test_a_mean_beyond_what_was_watched_is_not_known():
    mean = restricted_mean(exactly(1, 2, short=[3]), until=5)
    assert (mean.value, mean.low, mean.high) == (None, None, None)
    assert mean.missing == (
        "no run was watched up to 5, and the last one ended without the target at 3; ask up to that"
    )
    assert restricted_mean(exactly(1, 2, short=[3]), until=3).value is not None
    assert restricted_mean(exactly(1, 2, 3), until=5).value == pytest.approx(2)
    assert restricted_mean(exactly(), until=5).missing == "there are no runs"


def test_a_difference_is_one_of_means_and_changes_sign_with_the_groups():
    a, b = exactly(1, 2, 3), exactly(4, 6, short=[9])
    forth, back = (restricted_mean_difference(*pair, until=8) for pair in ((a, b), (b, a)))
    assert forth.value == pytest.approx(2 - 6)
    assert back.value == pytest.approx(6 - 2)
    assert (forth.low, forth.high) == (
        pytest.approx(-back.high, abs=0.15),
        pytest.approx(-back.low, abs=0.15),
    )


def test_three_runs_against_three_leave_no_difference_for_certain():
    difference = restricted_mean_difference(exactly(1, 1, 1), exactly(short=[100] * 3), until=100)
    assert difference.low < -97 < 0 < difference.high


def test_the_group_that_was_not_watched_for_long_enough_is_named():
    difference = restricted_mean_difference(exactly(1, 2), exactly(1, short=[3]), until=5)
    assert difference.value is None
    assert difference.missing.startswith("the second group: no run was watched up to 5")


def test_many_runs_have_nearly_the_interval_of_the_normal_distribution():
    rng = np.random.default_rng(0)
    costs = rng.exponential(size=200)
    mean = restricted_mean(exactly(*costs), until=3)
    cut = np.minimum(costs, 3)
    half = 1.96 * cut.std() / np.sqrt(200)
    assert (mean.low, mean.high) == (
        pytest.approx(cut.mean() - half, abs=0.025),
        pytest.approx(cut.mean() + half, abs=0.025),
    )
