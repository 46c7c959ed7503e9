"""Profiles, ranks, scores and speed-ups over many workloads."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.interventions.profiles.performance import (
    performance_profiles,
    profile_area,
    profile_of,
    ratios_to_fastest,
)
from grokscope.interventions.profiles.ranks import order_probabilities, rank_probabilities
from grokscope.interventions.profiles.scoreboard import scoreboard_of
from grokscope.interventions.profiles.speed_ups import workload_speed_up
from grokscope.interventions.profiles.study_times import StudyTimes, TimesError

TAUS = np.linspace(1.0, 4.0, 100)


def times_of(costs, groups="abcdef", workloads="uvwxyz"):
    array = np.array(costs, dtype=float)
    return StudyTimes(
        groups=tuple(groups[: array.shape[0]]), workloads=tuple(workloads[: array.shape[1]]), costs=array
    )


def fast_and_often(medians):
    return profile_area(ratios_to_fastest(medians), TAUS)


def test_a_profile_counts_workloads_within_each_factor_of_the_fastest():
    # a is fastest on u (b needs 3 times as much); on v only b is there; w is reached by nobody.
    times = times_of([[[2.0], [math.inf], [math.inf]], [[6.0], [5.0], [math.inf]]])
    frame = performance_profiles(times, np.array([1.0, 2.9, 3.0]))
    assert frame["share"].to_list() == [1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 2 / 3]
    assert frame["group"].to_list() == ["a", "a", "a", "b", "b", "b"]


RATIOS = st.sampled_from([1.0, 1 + 1 / 33, 2.0, 3.99, 4.0, 4.01, math.inf])


def test_a_cost_of_nothing_is_the_fastest_and_no_other_is_within_a_factor_of_it():
    ratios = ratios_to_fastest(np.array([[0.0, 2.0], [0.0, math.inf], [5.0, 4.0]]))
    assert ratios.tolist() == [[1.0, 1.0], [1.0, math.inf], [math.inf, 2.0]]
    found = workload_speed_up(times_of([[[0.0], [1.0]], [[3.0], [2.0]]]), "a", "b")
    assert (found.speed_up.value, found.both) == (pytest.approx(2.0), 2)


@given(st.lists(st.tuples(RATIOS, RATIOS, RATIOS), min_size=2, max_size=4))
def test_the_area_is_the_trapezoidal_integral_of_the_profile(rows):
    ratios = ratios_to_fastest(np.array(rows))
    expected = np.trapezoid(profile_of(ratios, TAUS), TAUS, axis=-1) / 3
    assert profile_area(ratios, TAUS) == pytest.approx(expected, abs=1e-12)


def test_areas_of_many_draws_are_those_of_each():
    draws = np.random.default_rng(0).lognormal(size=(7, 3, 4))
    each = [fast_and_often(draw) for draw in draws]
    assert fast_and_often(draws) == pytest.approx(np.array(each))


def test_equal_scores_share_their_ranks_and_all_ranks_are_given_out():
    scores = np.array([[1.0, 1.0, 1.0], [3.0, 1.0, 1.0], [1.0, 2.0, 3.0]])
    third, half = 1 / 3, 1 / 2
    expected = np.array(
        [
            [third + 1, third, third + 1],
            [third, third + half + 1, third + half],
            [third + 1, third + half, third + half],
        ]
    )
    found = rank_probabilities(scores)
    assert found == pytest.approx(expected / 3)
    assert found.sum(axis=0) == pytest.approx(np.ones(3))
    assert found.sum(axis=1) == pytest.approx(np.ones(3))


def test_the_probability_of_an_order_and_of_its_reverse_add_up_to_one():
    scores = np.random.default_rng(1).integers(0, 4, size=(50, 5)).astype(float)
    found = order_probabilities(scores)
    assert found + found.T == pytest.approx(np.ones((5, 5)))
    assert found[0, 1] == np.mean((scores[:, 0] > scores[:, 1]) + (scores[:, 0] == scores[:, 1]) / 2)


def test_the_board_is_in_the_order_of_the_scores_and_names_neighbours_that_may_change_places():
    # c is best; a and b differ by less than their studies do; d never gets there.
    costs = [[[4.0, 5.0, 6.0]], [[4.1, 5.1, 6.1]], [[2.0, 2.1, 2.2]], [[math.inf] * 3]]
    board = scoreboard_of(times_of(costs), fast_and_often)
    assert list(board.scores) == ["c", "a", "b", "d"]
    assert board.scores["c"].value == pytest.approx(1.0)
    assert board.scores["d"].high == 0.0
    assert [(a, b) for a, b, _ in board.unsettled] == [("a", "b")]
    assert 0.5 < board.unsettled[0][2] < 0.7
    assert board.ranks.filter(group="c", rank=1)["probability"].item() == 1.0


def test_an_interval_holds_its_score():
    costs = np.random.default_rng(5).lognormal(sigma=0.5, size=(4, 3, 5))
    for estimate in scoreboard_of(times_of(costs), fast_and_often, draws=200).scores.values():
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.low < estimate.high


def test_one_study_a_workload_has_scores_without_intervals():
    [estimate, _] = scoreboard_of(times_of([[[1.0]], [[2.0]]]), fast_and_often).scores.values()
    assert (estimate.value, estimate.low, estimate.high) == (pytest.approx(1.0), None, None)
    assert estimate.missing == "one study a workload: nothing tells how much another would differ"


def test_a_speed_up_is_the_geometric_mean_over_what_both_reach_and_says_what_they_do_not():
    inf = math.inf
    a, b = [[2.0], [2.0], [3.0], [inf], [inf]], [[4.0], [16.0], [inf], [1.0], [inf]]
    found = workload_speed_up(times_of([a, b]), "a", "b")
    assert found.speed_up.value == pytest.approx(4.0)  # √(2 · 8)
    assert (found.both, found.only_a, found.only_b, found.neither) == (2, 1, 1, 1)
    assert workload_speed_up(times_of([a, b]), "b", "a").speed_up.value == pytest.approx(1 / 4)


def test_a_speed_up_has_the_interval_of_its_draws():
    a, b = [[1.0, 2.0, 3.0]], [[8.0, 8.0, 8.0]]
    found = workload_speed_up(times_of([a, b]), "a", "b", draws=4000).speed_up
    assert (found.value, found.low, found.high) == (pytest.approx(4), pytest.approx(8 / 3), pytest.approx(8))


def test_a_speed_up_without_a_shared_workload_has_no_value():
    found = workload_speed_up(times_of([[[math.inf]], [[1.0]]]), "a", "b")
    assert (found.speed_up.value, found.speed_up.missing) == (None, "no workload is reached by both")
    with pytest.raises(TimesError, match="no group 'z' in these times; there are a, b"):
        workload_speed_up(times_of([[[1.0]], [[1.0]]]), "a", "z")


def test_draws_in_which_a_group_fails_are_left_out_of_the_speed_up_and_counted():
    found = workload_speed_up(times_of([[[1.0, 1.0, math.inf]], [[2.0, 2.0, 2.0]]]), "a", "b").speed_up
    assert (found.value, found.low, found.high) == (pytest.approx(2),) * 3
    lost = int(found.missing.removesuffix(" of 4000 draws have no value, and are left out"))
    assert lost / 4000 == pytest.approx(7 / 27, abs=0.02)  # two or three of three draws are the failed study
