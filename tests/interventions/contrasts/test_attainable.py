"""What so few runs can show at all, said before the test."""

import itertools

import pytest

from grokscope.interventions.contrasts.attainable import advice, attainable_p, attainable_paired_p
from grokscope.interventions.contrasts.samples import SampleError


def test_the_smallest_p_is_two_of_all_ways_to_deal_the_runs():
    for a, b in itertools.product(range(1, 6), repeat=2):
        ways = sum(1 for _ in itertools.combinations(range(a + b), a))
        assert attainable_p(a, b) == min(1.0, 2 / ways)


def test_that_of_pairs_is_two_of_all_patterns_of_signs():
    assert [attainable_paired_p(n) for n in (1, 2, 5, 6)] == [1.0, 0.5, 2 / 32, 2 / 64]


def test_advice_is_given_only_where_it_is_needed_and_names_what_would_do():
    assert advice(3, 3) == "no result of 3 v 3 runs can have a p below 0.1; 4 v 4 can reach 0.029"
    assert advice(1, 30) == "no result of 1 v 30 runs can have a p below 0.065; 2 v 30 can reach 0.004"
    assert advice(4, 4) is None
    assert advice(3, 3, alpha=1 - 0.9) is None
    assert (
        advice(5, 5, paired=True) == "no result of 5 pairs can have a p below 0.062; 6 pairs can reach 0.031"
    )
    assert advice(6, 6, paired=True) is None


def test_empty_groups_and_rates_that_are_none_are_refused():
    with pytest.raises(SampleError, match="runs in both groups, got 0 and 3"):
        attainable_p(0, 3)
    with pytest.raises(SampleError, match="alpha is a rate between 0 and 1, got 1"):
        advice(3, 3, alpha=1)
