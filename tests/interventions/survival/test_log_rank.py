"""The log-rank test by permutation."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import chi2

from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.log_rank import (
    RANDOM_ASSIGNMENTS,
    TooFewGroupsError,
    attainable_log_rank_p,
    log_rank,
    log_rank_statistic,
)


def group(*costs, short=()):
    high = np.array([*costs, *[np.inf for _ in short]], dtype=float)
    return CensoredCosts(np.array([*[cost - 1 for cost in costs], *short], dtype=float), high)


def by_hand(a, b):
    """The share of ways to choose the first group whose passages are as far from the expected number."""
    at, reached = np.concatenate([a.at, b.at]), np.concatenate([a.reached, b.reached])

    def excess(chosen):
        times = [cost for cost, done in zip(at, reached, strict=True) if done]
        total = sum(reached[i] for i in chosen)
        return abs(total - sum(sum(at[i] >= cost for i in chosen) / sum(at >= cost) for cost in times))

    found = [excess(chosen) for chosen in combinations(range(at.size), a.at.size)]
    return np.mean(np.array(found) >= found[0] - 1e-9)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (group(1, 2, 3), group(4, 5, 6)),
        (group(1, 2, short=[9]), group(4, short=[9, 9])),
        (group(2, 2, 4), group(2, 4, 4, short=[4])),
        (group(3, 1), group(2, 5, 7, 7, short=[4])),
        (group(5), group(1, 2, 3)),
    ],
)
def test_the_exact_p_counts_all_ways_to_share_out_the_runs(a, b):
    test = log_rank(a, b)
    assert test.is_exact
    assert test.p == pytest.approx(by_hand(a, b))
    assert test.p >= test.attainable_p


@pytest.mark.parametrize(("size", "least"), [(3, 0.1), (4, 2 / 70), (5, 2 / 252)])
def test_separated_groups_have_the_least_p_that_can_be_attained(size, least):
    test = log_rank(group(*range(1, size + 1)), group(*range(10, 10 + size)))
    assert (
        test.p
        == test.attainable_p
        == pytest.approx(least)
        == pytest.approx(attainable_log_rank_p(size, size))
    )


def test_few_that_reached_the_target_raise_the_attainable_p():
    test = log_rank(group(1, short=[9, 9]), group(short=[9, 9, 9]))
    assert test.p == test.attainable_p == 1.0


@pytest.mark.parametrize("sizes", [(3, 3), (12, 12), (2, 3, 4)])
def test_equal_costs_tell_no_groups_apart(sizes):
    test = log_rank(*(group(*[5] * size) for size in sizes))
    assert (test.p, test.statistic) == (1.0, pytest.approx(0.0, abs=1e-12))


def test_runs_none_of_which_is_there_tell_no_groups_apart():
    test = log_rank(group(short=[5, 6, 7]), group(short=[9, 9, 9]))
    assert (test.p, test.statistic) == (1.0, 0.0)


def test_three_groups_have_one_p():
    test = log_rank(group(1, 2), group(3, 4), group(5, 6))
    assert (test.degrees, test.is_exact) == (2, True)
    assert (
        test.p == test.attainable_p == pytest.approx(attainable_log_rank_p(2, 2, 2)) == pytest.approx(6 / 90)
    )


def test_many_runs_are_shared_out_at_random_and_agree_with_chi_square():
    rng = np.random.default_rng(3)
    a, b = (group(*rng.exponential(scale, 40) + 1) for scale in (1.0, 1.5))
    test = log_rank(a, b)
    assert not test.is_exact
    assert test.attainable_p == 1 / (RANDOM_ASSIGNMENTS + 1)
    assert test.p == pytest.approx(chi2.sf(test.statistic, 1), abs=0.01)
    assert test == log_rank(a, b)
    assert test.p * (RANDOM_ASSIGNMENTS + 1) == pytest.approx(round(test.p * (RANDOM_ASSIGNMENTS + 1)))


@pytest.mark.parametrize("size", [3, 4])
def test_the_exact_test_is_never_wrong_more_often_than_it_says(size):
    # Of all ways to share out the same runs, each as likely if the groups do not differ.
    costs, short = np.array([3.0, 1, 2, 2, 7, 5, 9, 9]), np.array([0, 0, 0, 0, 1, 0, 1, 1], dtype=bool)
    costs, short = costs[-2 * size :], short[-2 * size :]
    p = []
    for chosen in combinations(range(2 * size), size):
        first = np.isin(np.arange(2 * size), chosen)
        a, b = (CensoredCosts(costs[part], np.where(short, np.inf, costs)[part]) for part in (first, ~first))
        p.append(log_rank(a, b).p)
    assert all(np.mean(np.array(p) <= level) <= level + 1e-12 for level in p)


def test_one_group_is_refused():
    with pytest.raises(TooFewGroupsError, match=r"two or more groups of at least one run, got sizes \[2\]"):
        log_rank(group(1, 2))
    with pytest.raises(TooFewGroupsError, match=r"got sizes \[1, 0\]"):
        log_rank(group(1), group())


def test_the_statistic_by_hand():
    # One passage at a time: A of (A, B, B), then B of (B, B), then B of one: observed 1, expected 1/3.
    assert log_rank_statistic(group(1), group(2, 3)) == pytest.approx((1 - 1 / 3) ** 2 / (1 / 3 * 2 / 3))
