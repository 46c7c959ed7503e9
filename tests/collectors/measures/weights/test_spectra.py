"""Spectra against NumPy's decomposition, closed forms and the invariances of singular values."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grokscope.collectors.measures.weights.spectra import spectral_measures, top_energy
from grokscope.collectors.tensors.singular_values import singular_values

SHAPES = [(6, 9), (9, 6), (6, 6), (2, 2), (1, 5), (5, 1), (4, 3, 2, 2)]


def matrix(shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def rotation(size, seed):
    return torch.linalg.qr(matrix((size, size), seed)).Q


def measured(tensor):
    (spectrum,) = singular_values([tensor])
    return {name: value.item() for name, value in spectral_measures(spectrum).items()}


def by_hand(tensor):
    flat = tensor.double().reshape(tensor.shape[0], -1).numpy()
    sigma = np.linalg.svd(flat, compute_uv=False)
    shares = [s / sigma.sum() for s in sigma]
    return {
        "spectral_norm": np.linalg.norm(flat, 2),
        "effective_rank": math.exp(-sum(p * math.log(p) for p in shares if p > 0)),
        "participation_ratio": sum(s**2 for s in sigma) ** 2 / sum(s**4 for s in sigma),
        "stable_rank": np.linalg.norm(flat) ** 2 / np.linalg.norm(flat, 2) ** 2,
        "top_energy": sum(s**2 for s in sigma[:10]) / sum(s**2 for s in sigma),
    }


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("shape", SHAPES)
def test_spectral_measures_agree_with_numpy(shape, dtype):
    tensor = matrix(shape, dtype=dtype)
    assert measured(tensor) == pytest.approx(by_hand(tensor), rel=1e-5)


def test_singular_values_of_many_matrices_come_in_order_whatever_shares_a_batch():
    matrices = [matrix(shape, seed) for seed, shape in enumerate([*SHAPES, *SHAPES])]
    for tensor, spectrum in zip(matrices, singular_values(matrices), strict=True):
        expected = np.linalg.svd(tensor.flatten(1).numpy(), compute_uv=False)
        np.testing.assert_allclose(spectrum.numpy(), expected, atol=1e-7 * expected[0])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_complex_matrices_have_their_own_singular_values(shape, dtype):
    tensor = torch.complex(matrix(shape), matrix(shape, seed=1)).to(dtype)
    expected = np.linalg.svd(tensor.flatten(1).numpy(), compute_uv=False)
    (spectrum,) = singular_values([tensor])
    assert spectrum.dtype == tensor.real.dtype
    np.testing.assert_allclose(spectrum.numpy(), expected, atol=1e-6 * expected[0])


@pytest.mark.parametrize("exponent", [-140, -30, 0, 30, 120])
def test_matrices_near_the_ends_of_single_precision_keep_their_spectrum(exponent):
    tensor = torch.diag(torch.tensor([3.0, 2.0, 1.0])) * 2.0**exponent
    (spectrum,) = singular_values([tensor])
    torch.testing.assert_close(spectrum, torch.tensor([3.0, 2.0, 1.0]) * 2.0**exponent, rtol=1e-6, atol=0)


@pytest.mark.parametrize("rank", [1, 2, 5])
def test_equal_singular_values_count_their_number_exactly(rank):
    tensor = rotation(8, 0)[:, :rank] @ rotation(8, 1)[:rank]
    assert measured(tensor) == pytest.approx(
        {
            "spectral_norm": 1.0,
            "stable_rank": rank,
            "effective_rank": rank,
            "participation_ratio": rank,
            "top_energy": 1.0,
        },
        rel=1e-6,
    )


@pytest.mark.parametrize("k", [2, 10, 100])
def test_a_dominant_direction_has_the_ranks_of_the_closed_form(k):
    # σ = (k, 1): shares k/(k+1) and 1/(k+1); λ = (k², 1).
    p = k / (k + 1)
    entropy = -p * math.log(p) - (1 - p) * math.log(1 - p)
    expected = {
        "spectral_norm": k,
        "effective_rank": math.exp(entropy),
        "participation_ratio": (k**2 + 1) ** 2 / (k**4 + 1),
        "stable_rank": (k**2 + 1) / k**2,
        "top_energy": 1.0,
    }
    assert measured(torch.diag(torch.tensor([1.0, k]))) == pytest.approx(expected, rel=1e-6)


def test_a_matrix_of_zeros_has_a_norm_but_no_rank():
    found = measured(torch.zeros(3, 4))
    assert found.pop("spectral_norm") == 0.0
    assert all(math.isnan(value) for value in found.values())


@pytest.mark.parametrize("k", [1, 2, 3, 9])
def test_the_top_energy_is_the_share_of_the_k_strongest_directions(k):
    energy = [9.0, 4.0, 1.0]
    spectrum = torch.tensor(energy).sqrt()
    assert top_energy(spectrum, k=k).item() == pytest.approx(sum(energy[:k]) / 14)
    with pytest.raises(ValueError, match="k must be at least 1"):
        top_energy(spectrum, k=0)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_entry_that_is_not_finite_spoils_its_own_matrix_only(value):
    spoilt = torch.eye(8)
    spoilt[0, 1] = value
    first, second = singular_values([spoilt, torch.eye(8)])
    assert first.isnan().all()
    assert second.tolist() == [1.0] * 8


@pytest.mark.parametrize("shape", [(3,), (), (0, 4), (4, 0)])
def test_what_is_no_matrix_is_refused(shape):
    with pytest.raises(ValueError, match=r"a spectrum needs a matrix .* got shape .*; leave out biases"):
        singular_values([torch.zeros(shape)])


def test_no_matrices_have_no_spectra():
    assert singular_values([]) == []


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 10**6), st.floats(1e-3, 1e3))
def test_ranks_do_not_see_scale_rotation_or_transposition(rows, columns, seed, scale):
    tensor = matrix((rows, columns), seed)
    turned = scale * rotation(columns, seed + 1) @ tensor.mT @ rotation(rows, seed + 2)
    before, after = measured(tensor), measured(turned)
    assert after.pop("spectral_norm") == pytest.approx(scale * before.pop("spectral_norm"), rel=1e-6)
    assert after == pytest.approx(before, rel=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 10**6))
def test_ranks_lie_between_one_and_the_shorter_side(rows, columns, seed):
    values = measured(matrix((rows, columns), seed))
    rising = [1, values["stable_rank"], values["participation_ratio"] * values["stable_rank"], math.inf]
    assert all(low <= high * (1 + 1e-6) for low, high in itertools.pairwise(rising))
    rising = [1, values["participation_ratio"], values["effective_rank"], min(rows, columns)]
    assert all(low <= high * (1 + 1e-6) for low, high in itertools.pairwise(rising))
