"""Medians over studies, and medians of studies drawn anew."""

import math
from itertools import product

import numpy as np
import polars as pl
import pytest

from grokscope.interventions.profiles.study_times import StudyTimes, TimesError


def times_of(**costs):
    """Return times of groups on one workload."""
    rows = [(group, "w", cost) for group, values in costs.items() for cost in values]
    return StudyTimes.of(pl.DataFrame(rows, schema=["group", "workload", "cost"], orient="row"))


def test_the_median_is_the_middle_study_and_infinite_where_most_failed():
    times = times_of(a=[3.0, math.inf, 1.0], b=[math.inf, math.inf, 1.0], c=[5.0])
    assert times.medians().ravel().tolist() == [3.0, math.inf, 5.0]


def test_an_even_number_of_studies_has_the_mean_of_two_and_is_infinite_where_half_failed():
    assert times_of(a=[1.0, 4.0]).medians().item() == 2.5
    assert times_of(a=[1.0, math.inf]).medians().item() == math.inf
    assert times_of(a=[1.0, math.inf, 2.0, 3.0]).medians().item() == 2.5


def test_a_group_without_studies_of_a_workload_has_not_reached_it():
    rows = [("a", "u", 1.0), ("a", "v", 1.0), ("b", "v", 2.0)]
    times = StudyTimes.of(pl.DataFrame(rows, schema=["group", "workload", "cost"], orient="row"))
    assert times.studies.tolist() == [[1, 1], [0, 1]]
    assert times.medians().tolist() == [[1.0, 1.0], [math.inf, 2.0]]
    assert np.isinf(times.resampled_medians(draws=5)[:, 1, 0]).all()


@pytest.mark.parametrize("costs", [[1.0, 2.0, 4.0], [1.0, 2.0, math.inf], [1.0, 8.0], [7.0]])
def test_draws_have_the_distribution_of_all_samples_with_replacement(costs):
    # Beside a group with four studies, so that the array has places without a study.
    drawn = times_of(a=costs, b=[1.0, 2.0, 3.0, 4.0]).resampled_medians(draws=20_000, seed=3)[:, 0, 0]
    every = [float(np.median(sample)) for sample in product(costs, repeat=len(costs))]
    for value in set(every):
        assert np.mean(drawn == value) == pytest.approx(every.count(value) / len(every), abs=0.015)
    assert set(drawn) <= set(every)


def test_draws_of_groups_and_workloads_are_independent_and_seeded():
    times = times_of(a=[1.0, 2.0], b=[1.0, 2.0])
    a, b = times.resampled_medians(draws=4000, seed=1)[:, :, 0].T
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.06
    assert np.array_equal(times.resampled_medians(seed=1), times.resampled_medians(seed=1))
    assert not np.array_equal(times.resampled_medians(seed=1), times.resampled_medians(seed=2))


def test_nothing_and_nan_count_as_not_reached():
    frame = pl.DataFrame({"group": ["a", "a", "a"], "workload": "w", "cost": [None, math.nan, 2.0]})
    assert StudyTimes.of(frame).costs.ravel().tolist() == [2.0, math.inf, math.inf]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"group": ["a"]}, "times need the columns group, workload, cost; missing: workload, cost"),
        ({"group": [], "workload": [], "cost": []}, "times of no study"),
        ({"group": ["a"], "workload": ["w"], "cost": [-1.0]}, "a cost is 0 or more, got -1 for 'a' on 'w'"),
    ],
)
def test_times_that_cannot_be_compared_are_refused(frame, message):
    with pytest.raises(TimesError, match=message):
        StudyTimes.of(pl.DataFrame(frame))
