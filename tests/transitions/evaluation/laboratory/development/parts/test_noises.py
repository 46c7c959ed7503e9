"""Noise has the size, the persistence and the limits that it is said to have."""

import numpy as np
import pytest

from grokscope.transitions.evaluation.laboratory.development.parts.noises import Noise


def test_noise_has_its_size_and_its_persistence_half_way_between_the_ends():
    seen = Noise(size=0.02, persistence=0.8).on_shares(np.full(50_000, 0.5), np.random.default_rng(0)) - 0.5
    assert np.std(seen) == pytest.approx(0.02, rel=0.05)
    assert np.corrcoef(seen[1:], seen[:-1])[0, 1] == pytest.approx(0.8, abs=0.02)


def test_noise_stays_between_worst_and_best_and_is_small_there():
    ends = np.repeat([0.0, 1.0], 1000)
    seen = Noise(size=0.05).on_shares(ends, np.random.default_rng(0))
    assert (seen >= 0).all()
    assert (seen <= 1).all()
    assert np.max(np.abs(seen - ends)) < 0.02


def test_a_small_set_gives_counts_of_its_examples():
    seen = Noise(size=0.0, examples=20).on_shares(np.full(1000, 0.3), np.random.default_rng(0))
    assert seen * 20 == pytest.approx(np.round(seen * 20))
    assert np.std(seen) == pytest.approx((0.3 * 0.7 / 20) ** 0.5, rel=0.1)
