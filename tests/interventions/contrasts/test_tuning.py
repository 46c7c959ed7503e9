"""What the best of k trials costs, counted over all ways to draw them."""

import itertools

import numpy as np
import pytest
from scipy import stats

from grokscope.interventions.contrasts.samples import SampleError
from grokscope.interventions.contrasts.tuning import best_of
from grokscope.interventions.outcomes.costs import CensoredCosts

COSTS = CensoredCosts(
    np.array([2.0, 9, 4, 9, 6, 9, 9]), np.array([3.0, np.inf, 5, np.inf, 7, np.inf, np.inf])
)


def test_both_numbers_are_those_of_all_ways_to_draw_k_trials():
    for best in best_of(COSTS):
        drawn = [min(way) for way in itertools.combinations(COSTS.high, best.trials)]
        assert best.reached.value == pytest.approx(np.mean(np.isfinite(drawn)))
        median = np.quantile(drawn, 0.5, method="inverted_cdf")
        assert best.median.value == (median if np.isfinite(median) else None)


def test_a_best_trial_that_mostly_never_gets_there_has_no_median():
    first = best_of(COSTS, most=1)[0]
    assert first.median.value is None
    assert "the best of 1 reaches the target in less than half of draws" in first.median.missing


def test_the_chance_of_one_trial_has_the_exact_interval_and_that_of_k_follows():
    exact = stats.binomtest(3, 7).proportion_ci(method="exact")
    one, two = best_of(COSTS, most=2)
    assert (one.reached.low, one.reached.high) == pytest.approx(tuple(exact))
    assert two.reached.low == pytest.approx(1 - (1 - exact.low) ** 2)


def test_no_trial_and_all_trials_there_have_one_sided_intervals():
    never = CensoredCosts(np.full(4, 9.0), np.full(4, np.inf))
    assert (best_of(never)[0].reached.low, best_of(np.arange(1.0, 5))[0].reached.high) == (0.0, 1.0)


def test_the_interval_of_the_median_of_one_is_that_of_the_sign_test():
    found = best_of(np.arange(1.0, 11), most=1)[0].median
    expected = stats.quantile_test(np.arange(1.0, 11), p=0.5).confidence_interval()
    assert (found.low, found.high) == tuple(expected)


def test_the_interval_covers_the_quantile_that_the_best_of_k_has_in_the_long_run():
    rng, k, n = np.random.default_rng(8), 3, 20
    truth = stats.norm.ppf(1 - 2 ** (-1 / k))
    held = 0
    for _ in range(300):
        found = best_of(np.exp(rng.normal(size=n)), most=k)[-1].median
        held += (found.low or 0) <= np.exp(truth) <= (found.high or np.inf)
    assert stats.binomtest(held, 300, 0.95, alternative="less").pvalue > 0.01


def test_the_best_of_more_trials_than_there_are_is_refused():
    with pytest.raises(SampleError, match="the best of 4 trials cannot be told from 3; ask for 1 to 3"):
        best_of([1.0, 2, 3], most=4)
