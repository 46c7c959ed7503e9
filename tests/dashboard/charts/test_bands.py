"""Means, medians, bands and smoothing, against independent calculations."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from grokscope.dashboard.charts import averaged
from grokscope.dashboard.charts.elements.smoothing import Smoothing, smoothed


def points(*values):
    """One step of as many runs as there are values."""
    return pl.DataFrame(
        {"run_id": [str(i) for i in range(len(values))], "group": "g", "step": 1, "value": list(values)}
    )


def band(values, **asked):
    return averaged(points(*values), **asked).select("mean", "low", "high").row(0)


def test_the_interval_of_a_mean_is_students():
    values = np.array([0.2, 0.5, 0.9, 0.4])
    low, high = stats.t.interval(0.95, 3, loc=values.mean(), scale=stats.sem(values))
    assert band(values, band="interval") == pytest.approx((values.mean(), low, high))


def test_the_standard_error_is_that_of_the_mean():
    values = np.array([0.2, 0.5, 0.9])
    error = stats.sem(values)
    assert band(values, band="error") == pytest.approx(
        (values.mean(), values.mean() - error, values.mean() + error)
    )


def test_the_interval_of_a_median_is_made_of_ordered_values_and_takes_six_runs():
    values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.9]
    assert band(values, centre="median", band="interval") == (0.35, 0.1, 0.9)
    assert band(values[:5], centre="median", band="interval") == (0.3, None, None)


@pytest.mark.parametrize("count", [6, 9, 20])
def test_that_interval_covers_a_median_at_least_as_often_as_it_says(count):
    values = [i / count for i in range(count)]
    _, low, _ = band(values, centre="median", band="interval")
    k = values.index(low)
    assert 1 - 2 * stats.binom.cdf(k, count, 0.5) >= 0.95


def test_one_run_has_a_mean_and_no_interval():
    assert band([0.5], band="interval") == (0.5, None, None)
    assert band([0.5], band="none") == (0.5, None, None)
    assert band([0.5]) == (0.5, 0.5, 0.5)


def line(values):
    return pl.DataFrame(
        {"run_id": "a", "metric": "m", "step": range(len(values)), "value": values}, strict=False
    )


def test_an_exponential_mean_is_that_of_all_values_so_far():
    values = np.array([1.0, 3.0, 2.0, 5.0])
    found = smoothed(line(values), Smoothing(kind="ema", strength=0.5))["value"].to_numpy()
    weights = [0.5 ** np.arange(i, -1, -1) for i in range(4)]
    assert found == pytest.approx([np.average(values[: i + 1], weights=w) for i, w in enumerate(weights)])


def test_a_centred_mean_keeps_a_straight_line_straight_up_to_its_ends():
    values = [float(i) for i in range(20)]
    assert smoothed(line(values), Smoothing(kind="centred", strength=7))["value"].to_list() == pytest.approx(
        values
    )


def test_gaps_stay_gaps():
    found = smoothed(line([1.0, float("nan"), 3.0]), Smoothing(kind="ema", strength=0.0))["value"].to_list()
    assert found == [1.0, None, 3.0]
