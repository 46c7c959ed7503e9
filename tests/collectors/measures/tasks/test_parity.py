"""Hidden progress on parities against closed forms over the whole cube."""

import itertools
import math

import pytest
import torch

from grokscope.collectors.measures.tasks.parity import parity_correlation, relevant_mass
from grokscope.collectors.tensors.signs import random_signs

CUBE = torch.tensor(list(itertools.product([1.0, -1.0], repeat=5)))


@pytest.mark.parametrize("relevant", [(0,), (1, 3), (0, 2, 4)])
def test_squared_correlations_with_all_parities_sum_to_1(relevant):
    outputs = torch.randn(32, generator=torch.Generator().manual_seed(0))
    subsets = [s for size in range(1, 6) for s in itertools.combinations(range(5), size)]
    squares = sum(parity_correlation(outputs, CUBE, s).square() for s in subsets)
    constant = outputs.mean().square() / outputs.square().mean()  # the empty subset's
    assert (squares + constant).item() == pytest.approx(1, rel=1e-5)
    own = CUBE[:, list(relevant)].prod(dim=1)
    assert [parity_correlation(-3 * own, CUBE, s).item() for s in subsets if s != relevant] == [0] * 30
    assert parity_correlation(-3 * own, CUBE, relevant).item() == pytest.approx(-1)


def test_a_mixture_has_the_share_of_its_parity():
    outputs = 3 * CUBE[:, 0] * CUBE[:, 1] + 4 * CUBE[:, 2]
    assert parity_correlation(outputs, CUBE, [1, 0]).item() == pytest.approx(0.6)
    assert parity_correlation(torch.zeros(32), CUBE, [0]).isnan()


def test_the_mass_is_a_share_that_no_favour_leaves_at_its_size():
    weight = torch.randn(400, 20, generator=torch.Generator().manual_seed(0))
    assert relevant_mass(weight, [3, 7, 11]).item() == pytest.approx(3 / 20, rel=0.05)
    weight[:, [3, 7, 11]] *= 10
    assert relevant_mass(weight, [3, 7, 11]).item() == pytest.approx(300 / 317, rel=0.01)


def test_drawn_bits_are_uniform_and_repeatable():
    bits = random_signs(20_000, 3, generator=torch.Generator().manual_seed(5))
    assert set(bits.unique().tolist()) == {-1.0, 1.0}
    assert bits.mean(dim=0).abs().max() < 5 / math.sqrt(20_000)
    assert torch.equal(bits, random_signs(20_000, 3, generator=torch.Generator().manual_seed(5)))


@pytest.mark.parametrize("relevant", [[], [5], [-1], [1, 1]])
def test_bits_that_are_none_of_the_inputs_are_refused(relevant):
    with pytest.raises(ValueError, match=r"relevant must name different bits of 0\.\.4"):
        relevant_mass(torch.ones(2, 5), relevant)
    with pytest.raises(ValueError, match="relevant must name different bits"):
        parity_correlation(torch.ones(32), CUBE, relevant)


def test_shapes_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match=r"outputs must be \[N\] and bits \[N, n\]"):
        parity_correlation(torch.ones(32, 2), CUBE, [0])
    with pytest.raises(ValueError, match=r"weight must be \[h, n\]"):
        relevant_mass(torch.ones(5), [0])
