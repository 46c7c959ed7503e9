"""The noise floor: pooled over configurations, and where it does not hold."""

import numpy as np
import pytest
from scipy import stats

from grokscope.interventions.contrasts.samples import SampleError
from grokscope.interventions.noise.floor import noise_floor

RNG = np.random.default_rng(10)


def test_it_is_the_root_of_the_mean_square_within_configurations():
    values, groups = RNG.normal(size=12), [0] * 5 + [1] * 4 + [2] * 3
    floor = noise_floor(values, groups)
    within = stats.f_oneway(values[:5], values[5:9], values[9:])  # its mean square within, by another road
    assert floor.df == 9
    squares = 5 * values[:5].var() + 4 * values[5:9].var() + 3 * values[9:].var()
    assert floor.sd.value == pytest.approx(np.sqrt(squares / 9))
    between = sum(g.size * (g.mean() - values.mean()) ** 2 for g in np.split(values, [5, 9])) / 2
    assert between / floor.sd.value**2 == pytest.approx(within.statistic)


def test_its_interval_is_that_of_a_variance():
    values = RNG.normal(size=6)
    found = noise_floor(values, ["a"] * 6, level=0.9).sd
    low, high = np.sqrt(5 * values.var(ddof=1) / stats.chi2.ppf([0.95, 0.05], 5))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_configurations_with_one_run_say_nothing():
    floor = noise_floor([1.0, 2.0, 50.0], ["a", "a", "b"])
    assert (floor.df, floor.configurations, floor.alone) == (1, 1, 1)
    assert floor.sd.value == pytest.approx(np.sqrt(0.5))
    floor = noise_floor([1.0, 2.0], ["a", "b"])
    assert (floor.sd.value, floor.df) == (None, 0)
    assert floor.caveat == "no configuration has two runs; run one with another seed"


def test_a_configuration_that_spreads_more_is_named():
    quiet = RNG.normal(0, 0.001, size=(6, 5))
    loud = RNG.normal(0, 0.02, size=5)
    floor = noise_floor(np.append(quiet, loud), [f"c{i}" for i in range(7) for _ in range(5)])
    assert [name for name, _ in floor.apart] == ["c6"]
    assert floor.caveat.endswith(f"does not hold for c6 (sd {loud.std(ddof=1):.2g})")
    assert noise_floor(quiet.ravel(), [f"c{i}" for i in range(6) for _ in range(5)]).caveat is None


def test_spreads_are_compared_by_levenes_test():
    values = RNG.normal(size=15)
    groups = np.split(values, [5, 9])
    floor = noise_floor(values, [0] * 5 + [1] * 4 + [2] * 6)
    assert floor.unequal_p == pytest.approx(stats.levene(*groups).pvalue)
    assert noise_floor(values, [0] * 15).unequal_p is None


def test_equal_spreads_are_seldom_called_unequal():
    called = sum(
        noise_floor(RNG.normal(size=24), [i for i in range(8) for _ in range(3)]).caveat is not None
        for _ in range(100)
    )
    assert stats.binomtest(called, 100, 0.02, alternative="greater").pvalue > 0.01


def test_values_without_a_spread_make_a_floor_of_zero():
    floor = noise_floor([1.0, 1.0, 2.0, 2.0], ["a", "a", "b", "b"])
    assert (floor.sd.value, floor.apart, floor.unequal_p) == (0.0, (), None)


def test_values_without_configurations_are_refused():
    with pytest.raises(SampleError, match="each value needs its configuration, got 2 values and 1"):
        noise_floor([1.0, 2.0], ["a"])
