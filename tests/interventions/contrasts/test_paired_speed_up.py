"""How many times cheaper, over pairs that share a seed."""

import numpy as np
import pytest
from scipy import stats

from grokscope.interventions.contrasts.paired_speed_up import paired_speed_up, paired_speed_up_p
from grokscope.interventions.contrasts.samples import SampleError
from grokscope.interventions.outcomes.costs import CensoredCosts

A = np.array([10.0, 12, 9, 14, 11, 10, 13])
B = np.array([21.0, 23, 20, 26, 25, 18, 27])


def test_plain_costs_give_the_signed_rank_test_of_log_ratios():
    for ratio in (1.0, 1.9, 2.05, 2.2):
        expected = stats.wilcoxon(np.log(B / A / ratio), method="exact").pvalue
        assert paired_speed_up_p(A, B, ratio=ratio) == pytest.approx(expected)


def test_the_value_is_the_median_of_averages_and_the_interval_inverts_the_test():
    found = paired_speed_up(A, B)
    d = np.log(B / A)
    averages = [(d[i] + d[j]) / 2 for i in range(7) for j in range(i, 7)]
    assert found.value == pytest.approx(np.exp(np.median(averages)))
    for inside in (found.low * 1.001, found.high * 0.999):
        assert paired_speed_up_p(A, B, ratio=inside) > 0.05
    for outside in (found.low * 0.999, found.high * 1.001):
        assert paired_speed_up_p(A, B, ratio=outside) <= 0.05


def test_a_pair_whose_second_run_never_gets_there_widens_the_interval_upwards_only():
    never = CensoredCosts(B, np.append(B[:-1], np.inf))
    found, plain = paired_speed_up(A, never), paired_speed_up(A, B)
    assert found.low == pytest.approx(plain.low)
    assert found.high is None
    assert found.missing == "the interval is unbounded above: too many pairs are undecided"


def test_what_lies_between_two_evaluations_is_taken_as_far_as_it_may_lie():
    grid = CensoredCosts(B - 2, B + 2)
    found = paired_speed_up(A, grid)
    assert found.low == pytest.approx(paired_speed_up(A, B - 2).low)
    assert found.high == pytest.approx(paired_speed_up(A, B + 2).high)
    assert paired_speed_up_p(A, grid, ratio=1.95) >= paired_speed_up_p(A, B, ratio=1.95)


def test_five_pairs_attain_no_level_of_95_per_cent_and_it_is_said():
    found = paired_speed_up(A[:5], B[:5])
    assert (found.low, found.high) == (None, None)
    assert found.missing == "no result of 5 pairs can have a p below 0.062; 6 pairs can reach 0.031"


def test_pairs_of_which_nobody_gets_there_tell_nothing():
    never = CensoredCosts(np.full(6, 9.0), np.full(6, np.inf))
    found = paired_speed_up(never, never)
    assert (found.value, found.low, found.high) == (None, None, None)
    assert paired_speed_up_p(never, never) == 1.0


def test_many_pairs_are_taken_as_gaussian():
    rng = np.random.default_rng(6)
    d = rng.normal(0.2, 1, 60)
    expected = stats.wilcoxon(d, method="asymptotic", correction=True).pvalue
    assert paired_speed_up_p(np.ones(60), np.exp(d)) == pytest.approx(expected, rel=1e-6)


def test_pairs_that_do_not_match_are_refused():
    with pytest.raises(SampleError, match="as many costs of a as of b, got 7 and 6; leave out seeds"):
        paired_speed_up(A, B[:-1])
    with pytest.raises(SampleError, match="a ratio of costs must be positive"):
        paired_speed_up_p(A, B, ratio=-1)
