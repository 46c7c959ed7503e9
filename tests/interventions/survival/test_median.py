"""The median cost and its interval without a model."""

import numpy as np
import pytest

from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.median import FEWEST, median_cost


def seen_at(*costs, grid=1.0, short=(), spent=1000.0):
    """Runs first seen with the target at ``costs``, one evaluation earlier without, some not there yet."""
    high = np.array([*costs, *[np.inf for _ in short]], dtype=float)
    return CensoredCosts(np.where(np.isinf(high), spent, high - grid), high)


@pytest.mark.parametrize(
    ("runs", "first"),
    [(6, 1), (7, 1), (8, 1), (9, 2), (10, 2), (11, 2), (12, 3), (15, 4), (20, 6), (25, 8), (50, 18)],
)
def test_without_ended_runs_the_ends_are_the_order_statistics_of_the_sign_test(runs, first):
    # Published table of the sign test's 95 % intervals: the first-th smallest and largest.
    costs = np.arange(1.0, runs + 1)
    median = median_cost(CensoredCosts(costs, costs))
    assert (median.low, median.high) == (first, runs + 1 - first)


def test_a_coarse_grid_widens_the_interval_to_the_evaluation_before():
    median = median_cost(seen_at(100, 200, 200, 300, 300, 400, grid=100))
    assert (median.value, median.low, median.high) == (200.0, 0.0, 400.0)
    assert median.missing is None


@pytest.mark.parametrize("runs", range(1, FEWEST))
def test_below_six_runs_there_is_no_interval_and_it_is_said(runs):
    median = median_cost(seen_at(*range(1, runs + 1)))
    assert median.value == (runs + 1) // 2
    assert (median.low, median.high) == (None, None)
    assert median.missing == f"no interval of a median without a model below 6 runs; there are {runs}"


def test_there_is_no_median_while_fewer_than_half_are_there():
    median = median_cost(seen_at(10, 20, 30, short=range(5)))
    assert median.value is None
    assert "3 of 8 runs have reached the target" in median.missing
    assert (median.low, median.high) == (9.0, None)
    assert median_cost(seen_at(10, 20, 30, short=range(3))).value == 30.0


def test_a_level_that_so_few_runs_cannot_give_leaves_both_ends_open():
    median = median_cost(seen_at(1, 2, 3, 4, 5, 6), level=0.99)
    assert (median.value, median.low, median.high) == (3.0, None, None)
    assert "too few runs for this level" in median.missing


def test_all_runs_at_one_evaluation_have_their_median_between_it_and_the_one_before():
    median = median_cost(seen_at(*[200] * 8, grid=50))
    assert (median.value, median.low, median.high) == (200.0, 150.0, 200.0)


def test_no_runs_have_no_median():
    median = median_cost(CensoredCosts(np.array([]), np.array([])))
    assert median.value is None
