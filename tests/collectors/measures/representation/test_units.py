"""Silent units against closed forms, and the Gini coefficient against its mean-difference definition."""

import math

import numpy as np
import pytest
import torch

from grokscope.collectors.measures.representation.units import dead_share, sparsity, unit_gini


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("dead", range(5))
def test_units_that_are_never_active_are_dead(dead, dtype):
    activations = torch.eye(4, dtype=dtype)
    activations[:, :dead] = 0
    assert dead_share(activations).item() == dead / 4
    assert sparsity(activations).item() == pytest.approx(1 - (4 - dead) / 16)


def test_a_threshold_silences_what_is_small_of_either_sign():
    activations = torch.tensor([[-0.1, 0.2], [0.05, -1.0]])
    assert dead_share(activations, threshold=0.1).item() == 0.5
    assert sparsity(activations, threshold=0.1).item() == 0.5


@pytest.mark.parametrize("seed", range(5))
def test_the_gini_coefficient_is_half_the_mean_difference_over_the_mean(seed):
    activations = torch.randn(7, 11, generator=torch.Generator().manual_seed(seed)).double()
    norms = np.linalg.norm(activations.numpy(), axis=0)
    expected = np.abs(norms[:, None] - norms[None]).mean() / (2 * norms.mean())
    assert unit_gini(activations).item() == pytest.approx(expected)


def test_positions_count_as_samples():
    activations = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    assert unit_gini(activations).item() == pytest.approx(unit_gini(activations.flatten(0, 1)).item())


def test_a_nan_is_no_silence_and_silence_has_no_inequality():
    assert dead_share(torch.tensor([[math.nan, 0.0]])).item() == 0.5
    assert unit_gini(torch.zeros(2, 3)).isnan()


@pytest.mark.parametrize("measure", [dead_share, sparsity, unit_gini])
def test_nothing_to_read_is_refused(measure):
    with pytest.raises(ValueError, match=r"must be \[N, d\] and not empty"):
        measure(torch.zeros(0, 3))
