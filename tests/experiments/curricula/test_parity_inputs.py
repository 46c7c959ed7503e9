"""Inputs whose parity is asked for."""

import pytest
import torch

from grokscope.experiments.curricula.parity_inputs import parity_examples


def drawn(count: int, density: float, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    return parity_examples(count, bits=8, parity_bits=3, density=density, generator=generator)


def test_the_class_counts_the_ones_among_the_first_bits_modulo_two():
    inputs, parities = drawn(200, 0.5)
    assert set(inputs.unique().tolist()) == {-1.0, 1.0}
    assert parities.tolist() == [(row[:3] < 0).sum().item() % 2 for row in inputs]


@pytest.mark.parametrize("density", [0.0, 0.1, 0.5, 1.0])
def test_so_many_of_the_bits_are_one_as_the_density_says(density):
    inputs, _ = drawn(20_000, density)
    share = (inputs < 0).float().mean(0)
    assert torch.allclose(share, torch.full((8,), density), atol=0.015)
