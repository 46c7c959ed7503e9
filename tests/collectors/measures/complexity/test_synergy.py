"""O-information against entropies of a Gaussian, and its known signs."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm, rankdata

from grokscope.collectors.measures.complexity.synergy import o_information


def drawn(samples, units, seed=0):
    return torch.randn(samples, units, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_hand(values):
    """Ω from its definition, each entropy that of the Gaussian with the scores' correlation."""
    samples, units = values.shape
    scores = norm.ppf((rankdata(values, axis=0) - 0.5) / samples)
    correlation = np.corrcoef(scores.T)

    def entropy(kept):
        return multivariate_normal(cov=correlation[np.ix_(kept, kept)]).entropy()

    everything = list(range(units))
    return (units - 2) * entropy(everything) + sum(
        entropy([j]) - entropy([k for k in everything if k != j]) for j in everything
    )


@pytest.mark.parametrize("units", [3, 5, 8])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_its_definition_in_gaussian_entropies(units, seed):
    values = drawn(200, units, seed) @ drawn(units, units, seed + 100)
    assert o_information(values).item() == pytest.approx(by_hand(values.numpy()), rel=1e-3, abs=1e-4)


def test_copies_of_one_source_are_redundant_and_a_sum_with_its_parts_synergistic():
    source = drawn(2000, 1)
    noise = drawn(2000, 3, seed=1)
    assert o_information(source + 0.5 * noise) > 0.3
    parts = drawn(2000, 2, seed=2)
    assert o_information(torch.cat([parts, parts.sum(dim=1, keepdim=True) + 0.5 * source], dim=1)) < -0.3


def test_independent_units_and_any_two_have_none():
    assert abs(o_information(drawn(20_000, 6)).item()) < 0.01
    pair = drawn(500, 1) + 0.3 * drawn(500, 2, seed=1)
    assert o_information(pair).item() == pytest.approx(0, abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.floats(0.1, 10), st.floats(-5, 5))
def test_it_sees_neither_monotone_changes_of_a_unit_nor_the_order_of_units(seed, scale, shift):
    values = drawn(100, 4, seed) @ drawn(4, 4, seed + 1)
    changed = values.clone()
    changed[:, 0] = (scale * values[:, 0] + shift).exp().clamp_max(1e300)
    before = o_information(values).item()
    assert o_information(changed[:, [2, 0, 3, 1]]).item() == pytest.approx(before, abs=1e-6)


def test_repeated_and_constant_units_stay_finite():
    values = drawn(300, 4)
    repeated = torch.cat([values, values[:, :1], values[:, :1]], dim=1)
    assert 5 < o_information(repeated).item() < 50
    constant = torch.cat([values, torch.ones(300, 1).double()], dim=1)
    assert o_information(constant).item() == pytest.approx(o_information(values).item(), abs=1e-5)


def test_single_precision_gives_a_single_precision_answer():
    assert o_information(drawn(50, 3).float()).dtype == torch.float32
    assert not math.isnan(o_information(drawn(50, 3).half()).item())


@pytest.mark.parametrize("shape", [(5,), (5, 1), (4, 4)])
def test_too_few_samples_or_units_are_refused(shape):
    with pytest.raises(ValueError, match=r"units must be \[N, n\] with N > n"):
        o_information(torch.zeros(shape))
