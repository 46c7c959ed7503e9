"""The noise of a curve: its size and persistence, against noise made on purpose."""

import numpy as np
import pytest

from grokscope.transitions.curves.noise import (
    MOST,
    Noise,
    _climbing,
    _persistence_drawn,
    _resting,
    autoregressive,
    error_of_median,
    jitter,
    noise_of,
    persistence_of,
    worth_of,
)


def made(persistence: float, count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return autoregressive(rng.standard_normal((200, count)), persistence=persistence)


@pytest.mark.parametrize("persistence", [0.0, 0.5, 0.9])
def test_made_noise_is_stationary_with_the_persistence_asked_for(persistence: float):
    noise = made(persistence, 500)
    assert np.std(noise[:, 0]) == pytest.approx(1.0, abs=0.15)
    assert np.std(noise[:, -1]) == pytest.approx(1.0, abs=0.15)
    assert np.mean(noise[:, 1:] * noise[:, :-1]) == pytest.approx(persistence, abs=0.03)


@pytest.mark.parametrize("persistence", [0.3, 0.6, 0.9])
def test_persistence_is_read_back_without_bias(persistence: float):
    line = np.linspace(-1, 1, 80)
    read = []
    for row in made(persistence, 80):
        centred = row - np.mean(row)
        read.append(persistence_of(centred - line * (centred @ line) / (line @ line)))
    assert np.mean(read) == pytest.approx(min(persistence, MOST), abs=0.05)


def test_size_is_read_off_the_plateau_and_dips_do_not_count():
    rng = np.random.default_rng(1)
    base = np.concatenate((np.full(300, 0.3), np.linspace(0.3, 1.0, 60)))
    values = base + rng.normal(0, 0.05, len(base))
    values[[50, 150]] = 0.0
    found = noise_of(values, base, onset=306, later=np.empty(0))
    assert found.size == pytest.approx(0.05, rel=0.4)
    assert found.of_plateau < 0.01


def test_a_curve_without_noise_has_none():
    base = np.concatenate((np.zeros(50), np.linspace(0, 1, 30)))
    found = noise_of(base, base, onset=53, later=np.empty(0))
    assert (found.size, found.of_plateau) == (0.0, 0.0)


@pytest.mark.parametrize("sigma", [0.02, 1.0])
def test_jitter_is_the_standard_deviation_of_independent_noise_on_any_slope(sigma: float):
    noise = np.random.default_rng(0).normal(0, sigma, 20_001)
    assert jitter(noise + np.linspace(0, 50 * sigma, len(noise))) == pytest.approx(sigma, rel=0.03)


def test_one_evaluation_shows_no_jitter():
    assert jitter(np.array([0.5])) == 0.0


def test_persistence_shows_where_half_of_the_noise_is_cut_off_at_0():
    noise = [np.maximum(0.05 * row, 0.0) for row in made(0.9, 300)[:20]]
    read = [noise_of(row, np.zeros(300), onset=300, later=np.empty(0)).persistence for row in noise]
    assert np.mean(read) == pytest.approx(0.88, abs=0.05)


def test_what_persists_long_may_be_larger_than_it_looks():
    values = 0.05 * made(0.95, 120)[0]
    found = noise_of(values, np.zeros(120), onset=120, later=np.empty(0))
    sizes = found.replicates(400, np.random.default_rng(0)).size
    assert np.quantile(sizes, 0.025) < 0.05 < np.quantile(sizes, 0.975)
    independent = noise_of(0.05 * made(0.0, 120)[0], np.zeros(120), onset=120, later=np.empty(0))
    sizes = independent.replicates(400, np.random.default_rng(0)).size
    assert np.quantile(sizes, 0.975) < 1.5 * np.quantile(sizes, 0.025)


def test_evaluations_after_the_rise_tell_of_noise_that_a_short_plateau_does_not():
    plateaus, tops = made(0.9, 18)[:20], made(0.9, 300, 1)[:20]
    found = [noise_of(p, np.zeros(18), onset=18, later=t) for p, t in zip(plateaus, tops, strict=True)]
    assert np.mean([noise.persistence for noise in found]) == pytest.approx(0.88, abs=0.04)
    assert {noise.seen for noise in found} == {200}


def test_noise_at_a_top_that_cuts_it_off_is_read_below_it_and_the_hidden_half_counts_as_much():
    ground = 0.05 * made(0.0, 120)[0]
    later = np.tile([0.0, -0.02], 50)
    found = noise_of(ground, np.zeros(120), onset=120, later=later)
    size = 1.4826 * 0.02
    assert size < found.size
    assert found.of_top == pytest.approx(error_of_median(size, 2 * 50 * worth_of(found.persistence)))


@pytest.mark.parametrize(("independent", "worth"), [(0.3, 1.0), (1.0, 1.0), (1.5, 1.5), (50.0, 50.0)])
def test_the_error_of_a_median_is_that_of_at_least_one_evaluation(independent: float, worth: float):
    assert error_of_median(2.0, independent) == pytest.approx(2.0 * np.sqrt(np.pi / (2 * worth)))


def test_noise_on_ground_that_cuts_it_off_is_read_above_it_and_elsewhere_on_both_sides():
    noise = 0.05 * made(0.0, 2_000)[0]
    for ground in (np.maximum(noise, 0.0), noise):
        assert _resting(ground, np.empty(0), persistence=0.0) == pytest.approx(0.05, rel=0.1)
    skewed = np.where(noise > 0, 3 * noise, noise)
    assert _resting(skewed, np.empty(0), persistence=0.0) < 0.12  # and not 0.15, as above the median


@pytest.mark.parametrize("persistence", [0.0, 0.6])
def test_noise_on_a_rise_is_read_off_the_differences_whatever_persists(persistence: float):
    residuals = 0.05 * made(persistence, 2_000)[0]
    assert _climbing(residuals, persistence=persistence) == pytest.approx(0.05, rel=0.1)


def test_what_persistence_may_be_is_drawn_about_a_little_more_than_it_looks():
    drawn = _persistence_drawn(0.6, 100, 20_000, np.random.default_rng(0))
    assert (np.mean(drawn), np.std(drawn)) == pytest.approx((0.6 + 0.08 * 0.3 * 0.6, 0.08 * 1.3), rel=0.02)
    assert not _persistence_drawn(0.1, 100, 10, np.random.default_rng(0)).any()


def test_levels_may_lie_off_to_both_sides_by_their_standard_errors():
    noise = Noise(size=0.05, persistence=0.5, of_plateau=0.01, of_top=0.02, seen=0)
    drawn = noise.replicates(20_000, np.random.default_rng(0))
    for values, error in ((drawn.plateau, 0.01), (drawn.top, 0.02)):
        assert np.std(values) == pytest.approx(error, rel=0.02)
        assert np.mean(values) == pytest.approx(0.0, abs=0.03 * error)
