"""The mean of the middle half, and where a bootstrap of it can be trusted."""

import numpy as np
import pytest
from scipy import stats

from grokscope.interventions.contrasts.interquartile_mean import interquartile_mean
from grokscope.interventions.contrasts.samples import SampleError

RNG = np.random.default_rng(7)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 8, 21])
def test_it_is_the_mean_without_the_outer_quarters(n):
    values = RNG.normal(size=n)
    assert interquartile_mean(values).value == pytest.approx(stats.trim_mean(values, 0.25))


def test_of_many_values_the_interval_is_that_of_the_trimmed_mean():
    values = RNG.normal(size=400)
    found = interquartile_mean(values)
    winsorized = stats.mstats.winsorize(values, (0.25, 0.25))
    error = winsorized.std(ddof=1) / (0.5 * np.sqrt(400))
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.1)


def test_strata_take_out_what_lies_between_them():
    tasks = np.repeat(np.arange(10), 5)
    values = tasks + RNG.normal(0, 0.1, 50)
    apart = interquartile_mean(values, strata=tasks.tolist())
    pooled = interquartile_mean(values)
    assert apart.value == pooled.value
    assert apart.high - apart.low < (pooled.high - pooled.low) / 5
    assert apart.method == "bootstrap within strata, percentile"


def test_too_few_values_have_no_interval_and_it_is_said():
    assert interquartile_mean([1.0, 2, 3, 4, 5]).missing == (
        "no interval below 6 values, got 5: a bootstrap covers too rarely there"
    )
    assert interquartile_mean([1.0, 2, 3, 4, 5, 6]).low is not None
    assert "below 18 values, got 9" in interquartile_mean(np.arange(9.0), strata=[0, 1, 2] * 3).missing
    assert (
        interquartile_mean(np.arange(18.0), strata=list(range(9)) * 2).missing
        == "no interval below 3 values a stratum, got 2"
    )


def test_the_same_seed_gives_the_same_interval():
    values = RNG.normal(size=9)
    assert interquartile_mean(values) == interquartile_mean(values)
    assert interquartile_mean(values).high != interquartile_mean(values, seed=1).high


def test_strata_that_do_not_match_are_refused():
    with pytest.raises(SampleError, match="strata need one entry a value, got 2 for 3 values"):
        interquartile_mean([1.0, 2, 3], strata=[0, 1])
