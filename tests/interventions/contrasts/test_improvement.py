"""Probability of improvement, with pairs that nobody can order."""

import numpy as np
import pytest
from scipy import stats

from grokscope.interventions.contrasts.improvement import improvement
from grokscope.interventions.contrasts.samples import SampleError
from grokscope.interventions.outcomes.costs import CensoredCosts


def test_it_is_the_rank_sum_statistic_per_pair_with_ties_counted_half():
    a, b = [1.0, 2, 3, 3], [3.0, 3, 4, 5, 6]
    assert improvement(a, b).value == pytest.approx(stats.mannwhitneyu(b, a).statistic / 20)


def test_its_interval_is_where_the_share_is_within_z_standard_errors():
    a, b = [1.0, 2, 3, 6, 7], [4.0, 5, 8, 9, 10, 11]
    found = improvement(a, b)
    share, spread = 26 / 30, (5 + 6) / 2 - 1
    assert found.value == share
    for p in (found.low, found.high):
        variance = p * (1 - p) / 30 * (1 + spread * ((1 - p) / (2 - p) + p / (1 + p)))
        assert abs(share - p) == pytest.approx(1.959964 * np.sqrt(variance), rel=1e-5)


def test_pairs_that_cannot_be_ordered_count_against_it_below_and_for_it_above():
    never = CensoredCosts(np.full(4, 9.0), np.full(4, np.inf))
    some = CensoredCosts(np.array([1.0, 2, 9, 9]), np.array([2.0, 3, np.inf, np.inf]))
    found = improvement(some, never)
    assert (found.value, found.missing) == (0.75, "8 of 16 pairs are undecided")
    assert found.low == improvement([1.0, 1, 3, 3], [2.0] * 4).low
    assert found.high == 1.0


def test_who_comes_first_mirrors_it():
    a, b = [1.0, 2, 3, 6, 7], [4.0, 5, 8, 9]
    found, turned = improvement(a, b), improvement(b, a)
    assert (turned.value, turned.low, turned.high) == pytest.approx(
        (1 - found.value, 1 - found.high, 1 - found.low)
    )


def test_it_has_no_interval_where_winning_every_pair_would_be_no_evidence():
    found = improvement([1.0, 2, 3], [4.0, 5, 6])
    assert (found.value, found.low, found.high) == (1.0, None, None)
    assert found.missing.startswith("no result of 3 v 3 runs can have a p below 0.1")


def test_a_level_that_is_none_is_refused():
    with pytest.raises(SampleError, match="a level is a share between 0 and 1, got 95"):
        improvement([1.0] * 4, [2.0] * 4, level=95)
