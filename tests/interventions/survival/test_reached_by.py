"""The probability of reaching the target within a budget."""

import numpy as np
import pytest
from scipy.stats import beta

from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.reached_by import reached_by


def test_it_is_the_share_with_the_interval_of_clopper_and_pearson_where_all_were_watched_long_enough():
    costs = CensoredCosts(
        np.array([0.0, 10.0, 20.0, 50.0, 50.0]), np.array([10.0, 20.0, 30.0, np.inf, np.inf])
    )
    by = reached_by(costs, 40)
    assert by.missing is None
    assert by.value == pytest.approx(3 / 5)
    assert by.low == pytest.approx(beta.ppf(0.025, 3, 3))
    assert by.high == pytest.approx(beta.ppf(0.975, 4, 2))


def test_a_run_still_on_its_way_below_the_budget_counts_for_both():
    costs = CensoredCosts(np.array([0.0, 15.0, 50.0, 50.0]), np.array([10.0, np.inf, np.inf, np.inf]))
    by = reached_by(costs, 40)
    assert by.low == pytest.approx(beta.ppf(0.025, 1, 4))
    assert by.high == pytest.approx(beta.ppf(0.975, 3, 2))
    assert by.value == pytest.approx(1 / 4)
    assert by.missing == (
        "1 of 4 runs are open at 40: the low end takes them for failures, the high end for successes"
    )


def test_a_run_that_passed_between_evaluations_about_the_budget_is_open():
    by = reached_by(CensoredCosts(np.array([30.0, 10.0]), np.array([50.0, 20.0])), 40)
    assert by.missing.startswith("1 of 2 runs are open at 40")
    assert by.low == pytest.approx(beta.ppf(0.025, 1, 2))
    assert by.high == 1.0


def test_there_is_no_value_where_nobody_was_watched_up_to_the_budget():
    by = reached_by(CensoredCosts(np.array([0.0, 15.0]), np.array([10.0, np.inf])), 40)
    assert by.value is None
    assert "the last run ended without the target at 15" in by.missing
    assert by.low > 0


def test_no_runs_tell_nothing():
    by = reached_by(CensoredCosts(np.array([]), np.array([])), 1)
    assert (by.value, by.low, by.missing) == (None, None, "there are no runs")
