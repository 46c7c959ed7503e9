"""Fourier measures of residues against dense projections and networks whose mechanism is known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grokscope.collectors.measures.tasks.fourier import (
    frequency_power,
    gini,
    inverse_participation,
    key_frequencies,
    parallelogram_share,
    top_share,
)
from grokscope.collectors.measures.tasks.sums import (
    restricted_and_excluded,
    sum_frequencies,
    sum_parts,
    sum_share,
    table_loss,
)


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def waves(p, k):
    """Orthonormal cos and sin of frequency k, [2, p]; one row where the sine vanishes."""
    angle = 2 * np.pi * k * np.arange(p) / p
    basis = np.stack([np.cos(angle), np.sin(angle)])
    norms = np.linalg.norm(basis, axis=1)
    return torch.tensor(basis[norms > 1e-6] / norms[norms > 1e-6, None])


@pytest.mark.parametrize("p", [2, 3, 8, 11])
def test_power_is_that_of_the_projection_on_each_wave(p):
    table = drawn(p, 5)
    by_hand = torch.stack([(waves(p, k) @ table).square().sum() for k in range(1, p // 2 + 1)])
    torch.testing.assert_close(frequency_power(table), by_hand)
    torch.testing.assert_close(by_hand.sum(), (table - table.mean(dim=0)).square().sum())


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30).filter(lambda x: sum(x) > 1e-3))
def test_gini_is_the_mean_absolute_difference_over_twice_the_mean(shares):
    x = np.array(shares)
    by_hand = np.abs(x[:, None] - x).mean() / (2 * x.mean())
    assert gini(torch.tensor(x)).item() == pytest.approx(by_hand, abs=1e-9)


def test_one_wave_has_everything_and_noise_an_equal_share():
    one = torch.cat([waves(11, 3), 2 * waves(11, 3)]).T
    power = frequency_power(one)
    assert gini(power).item() == pytest.approx(0.8)
    assert key_frequencies(power) == 1
    assert top_share(power, count=1).item() == pytest.approx(1)
    noise = frequency_power(drawn(11, 2000))
    assert gini(noise) < 0.05
    assert key_frequencies(noise) == 0
    assert top_share(noise, count=2).item() == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_units_of_so_many_equal_waves_participate_in_so_many(count):
    unit = sum(waves(11, k)[0] for k in range(1, count + 1))
    table = torch.stack([unit + 3, unit, torch.ones(11).double()], dim=1)  # a constant unit does not count
    assert inverse_participation(table).item() == pytest.approx(1 / count)
    assert inverse_participation(torch.ones(11, 2)).isnan()


def test_a_line_closes_its_parallelograms_and_a_circle_or_noise_does_not():
    generator = torch.Generator().manual_seed(0)
    line = torch.arange(20.0).unsqueeze(1) @ drawn(1, 4).float()
    assert parallelogram_share(line, generator=generator, is_cyclic=False) == 1
    assert parallelogram_share(line, generator=generator) < 0.75
    assert parallelogram_share(waves(20, 1).T, generator=generator) < 0.3
    assert parallelogram_share(drawn(20, 30), generator=generator) < 0.01


@pytest.mark.parametrize("measure", [frequency_power, inverse_participation])
def test_a_table_of_one_residue_or_dimension_is_refused(measure):
    for table in (torch.zeros(1, 3), torch.zeros(5)):
        with pytest.raises(ValueError, match=r"table must be \[p, d\] with p at least 2"):
            measure(table)
    with pytest.raises(ValueError, match="at least 4 numbers"):
        parallelogram_share(torch.zeros(3, 2), generator=torch.Generator())


def sums(p):
    return (torch.arange(p).unsqueeze(1) + torch.arange(p)) % p


@pytest.mark.parametrize("p", [4, 7])
def test_the_sum_share_is_the_variance_between_sums_over_all_variance(p):
    table = drawn(p, p, 5)
    centred = table - table.mean(dim=2, keepdim=True)
    total = between = 0.0
    mean = centred.mean(dim=(0, 1))
    for a in range(p):
        for b in range(p):
            group = torch.stack([centred[i, (a + b - i) % p] for i in range(p)]).mean(dim=0)
            total += (centred[a, b] - mean).square().sum()
            between += (group - mean).square().sum()
    assert sum_share(sum_parts(table)).item() == pytest.approx((between / total).item())


def test_what_depends_on_the_sum_alone_has_share_1_and_on_one_number_alone_0():
    by_sum = drawn(7, 7)
    assert sum_share(sum_parts(by_sum[sums(7)])).item() == pytest.approx(1)
    of_one = drawn(7, 1, 7).expand(7, 7, 7)
    assert sum_share(sum_parts(of_one)).item() == pytest.approx(0, abs=1e-12)
    assert sum_share(sum_parts(drawn(23, 23, 10))).item() == pytest.approx(22 / (23**2 - 1), rel=0.2)


@pytest.mark.parametrize("p", [6, 7])
def test_restricted_keeps_the_waves_of_the_sum_and_excluded_the_rest(p):
    table = drawn(p, p, 4)
    parts = sum_parts(table)
    restricted, excluded = restricted_and_excluded(parts, torch.tensor([1, 3]))
    # Project each class's p² values on cos and sin of w_k (a + b), one dense vector each.
    basis = torch.cat([waves(p, k) for k in (1, 3)])[:, sums(p)].flatten(1)
    basis = basis / basis.norm(dim=1, keepdim=True)
    centred = (table - table.mean(dim=2, keepdim=True)).flatten(0, 1)
    kept = basis.T @ (basis @ centred)
    torch.testing.assert_close(restricted.flatten(0, 1), kept + centred.mean(dim=0))
    torch.testing.assert_close(excluded.flatten(0, 1), centred - kept)


def clock(p, frequencies):
    """Logits of the known solution: Σ_k cos(w_k (a + b - c))."""
    angle = 2 * torch.pi * (sums(p).unsqueeze(2) - torch.arange(p)) / p
    return 5 * sum(torch.cos(k * angle) for k in frequencies)


def test_the_known_solution_is_found_by_its_frequencies_and_needs_nothing_else():
    parts = sum_parts(clock(11, (2, 5)))
    frequencies = sum_frequencies(parts, count=2)
    assert sorted(frequencies.tolist()) == [2, 5]
    restricted, excluded = restricted_and_excluded(parts, frequencies)
    right = table_loss(clock(11, (2, 5)), sums(11))
    assert table_loss(restricted, sums(11)).item() == pytest.approx(right.item(), rel=1e-3)
    assert table_loss(excluded, sums(11)).item() == pytest.approx(np.log(11), rel=1e-4)


def test_a_table_learned_by_heart_is_hurt_by_restriction_and_not_by_exclusion():
    trained = torch.rand(11, 11, generator=torch.Generator().manual_seed(0)) < 0.3
    by_heart = 20 * torch.eye(11)[torch.where(trained, sums(11), 0)] * trained.unsqueeze(2)
    parts = sum_parts(by_heart)
    restricted, excluded = restricted_and_excluded(parts, sum_frequencies(parts, count=2))
    assert table_loss(by_heart, sums(11), chosen=trained) < 1e-3
    assert table_loss(restricted, sums(11), chosen=trained) > 0.5
    assert table_loss(excluded, sums(11), chosen=trained) < 0.05


def test_the_loss_over_chosen_pairs_is_their_mean():
    logits, chosen = drawn(5, 5, 5), torch.rand(5, 5) < 0.5
    chosen[0, 0] = True
    direct = torch.nn.functional.cross_entropy(logits[chosen], sums(5)[chosen])
    torch.testing.assert_close(table_loss(logits, sums(5), chosen=chosen), direct)


def test_a_table_that_is_not_square_is_refused():
    with pytest.raises(ValueError, match=r"logits must be \[p, p, C\]"):
        sum_parts(torch.zeros(3, 4, 5))
