"""Power-law tails against a loop over scipy's tests, traps against planted ones and random matrices."""

import numpy as np
import pytest
import torch
from scipy import stats

from grokscope.collectors.measures.weights.heavy_tails import correlation_traps, power_law_tail


def by_hand(values):
    """Clauset, Shalizi and Newman's recipe, one starting point after the other."""
    ordered = np.sort(values[values > 0])
    best = (np.inf, np.nan, np.nan, 0)
    for start in ordered[:-1]:
        tail = ordered[ordered >= start]
        spread = np.log(tail / start).sum()
        if spread == 0:
            continue
        slope = len(tail) / spread
        distance = stats.kstest(tail, stats.pareto(slope, scale=start).cdf).statistic
        best = min(best, (distance, 1 + slope, start, len(tail)))
    return best


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [3, 20, 200])
def test_the_fit_is_that_of_the_recipe(size, seed):
    values = np.random.default_rng(seed).lognormal(size=size)
    distance, alpha, start, count = by_hand(values)
    found = power_law_tail(torch.tensor(values))
    assert (found.alpha.item(), found.start.item()) == pytest.approx((alpha, start))
    assert (found.distance.item(), found.count.item()) == pytest.approx((distance, count))


@pytest.mark.parametrize("alpha", [1.5, 2.0, 4.0])
def test_the_exponent_of_a_power_law_is_found_above_a_body_that_is_none(alpha):
    generator = np.random.default_rng(0)
    tail = stats.pareto(alpha - 1, scale=1.0).rvs(3000, random_state=generator)
    values = np.concatenate([tail, generator.uniform(0.3, 1, 2000)])
    found = power_law_tail(torch.tensor(values))
    assert found.alpha.item() == pytest.approx(alpha, abs=4 * (alpha - 1) / found.count.sqrt().item())
    assert found.count > 1000


def test_the_exponent_does_not_see_the_scale():
    values = torch.rand(100, generator=torch.Generator().manual_seed(0)).double() ** -1
    assert power_law_tail(1e-9 * values).alpha.item() == pytest.approx(power_law_tail(values).alpha.item())


def test_zeros_are_no_part_of_a_tail_and_equal_values_are_none():
    values = torch.tensor([0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 9.0], dtype=torch.float64)
    assert power_law_tail(values).alpha == power_law_tail(values[3:]).alpha
    assert power_law_tail(torch.ones(5)).alpha.isnan()
    assert power_law_tail(torch.zeros(5)).alpha.isnan()


def test_too_few_values_are_refused():
    with pytest.raises(ValueError, match="a tail needs at least 3 values"):
        power_law_tail(torch.ones(2))


def gaussian(seed, shape=(40, 100)):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def traps(matrix, seed=0):
    return correlation_traps(matrix, generator=torch.Generator().manual_seed(seed)).item()


def test_a_random_matrix_has_a_trap_once_in_a_thousand_times():
    found = sum(traps(gaussian(seed), seed) > 0 for seed in range(2000))
    assert 0 <= found <= 8  # binomial with mean 2: more than 8 once in 4,000


@pytest.mark.parametrize("shape", [(20, 20), (100, 40), (8, 5, 3, 3)])
def test_the_shape_does_not_matter(shape):
    assert [traps(gaussian(seed, shape), seed) for seed in range(20)] == [0] * 20


def test_a_direction_is_destroyed_by_shuffling_and_a_huge_entry_is_not():
    left, right = gaussian(1, (40, 1)), gaussian(2, (1, 100))
    assert traps(gaussian(0) + 3 * left @ right) == 0
    planted = gaussian(0)
    planted[0, 0], planted[1, 1] = 100.0, 80.0
    assert traps(planted) == 2
    assert traps(gaussian(0) + 1) == 1  # a mean far from 0


def test_the_edge_is_the_quantile_of_the_largest_eigenvalue():
    sizes = [torch.linalg.matrix_norm(gaussian(seed, (30, 60)).double(), 2) ** 2 for seed in range(3000)]
    root = 59**0.5 + 30**0.5
    edge = root**2 + 3.2724 * root * (59**-0.5 + 30**-0.5) ** (1 / 3)
    assert np.mean([s > edge for s in sizes]) < 0.004


def test_a_vector_has_no_traps_to_look_for():
    with pytest.raises(ValueError, match=r"matrix must be \[m, n\]"):
        correlation_traps(torch.ones(3), generator=torch.Generator())
