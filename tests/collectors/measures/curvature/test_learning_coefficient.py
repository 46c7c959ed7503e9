"""The learning coefficient against closed forms, quadrature of the posterior, and a known bias."""

import math

import numpy as np
import pytest
import torch

from grokscope.collectors.measures.curvature.learning_coefficient import (
    Sampling,
    local_learning_coefficient,
    split_r_hat,
)

N_BETA = 100 / math.log(100)


def estimate(loss, size, how, seed=0):
    generator = torch.Generator().manual_seed(seed)
    start = [torch.zeros(size, dtype=torch.float64)]
    return local_learning_coefficient(loss, start, samples=100, generator=generator, how=how)


@pytest.mark.parametrize("localization", [0.0, 20.0])
def test_a_quadratic_has_half_its_dimension_less_what_localization_takes(localization):
    curvature = torch.linspace(0.5, 2.0, 24, dtype=torch.float64)
    how = Sampling(step_size=2e-3, draws=500, burn_in=200, localization=localization)
    found = estimate(lambda p: 0.5 * (curvature * p[0].square()).sum(), 24, how)
    stiffness = N_BETA * curvature
    # Stationary variance of the discretised walk: 1 / (k (1 - ε k / 4)) for total stiffness k.
    total = stiffness + localization
    exact = (0.5 * stiffness / (total * (1 - 2e-3 * total / 4))).sum().item()
    assert localization > 0 or exact == pytest.approx(12, rel=0.03)
    assert found.value.item() == pytest.approx(exact, abs=4 * found.error.item() + 0.1)
    assert found.error < 1.0
    assert found.acceptance > 0.9
    assert found.r_hat < 1.3


def test_the_error_is_the_spread_of_repeated_estimates():
    how = Sampling(step_size=0.02, draws=40, burn_in=20, localization=0.0)
    found = [estimate(lambda p: p[0].square().sum(), 6, how, seed=seed) for seed in range(12)]
    spread = torch.stack([one.value for one in found]).std()
    error = torch.stack([one.error for one in found]).mean()
    assert 0.5 < (spread / error).item() < 2


def quadrature(loss, localization):
    """nβ E[L] under the localized tempered posterior, on a grid."""
    axis = np.linspace(-1.5, 1.5, 2401)
    x, y = np.meshgrid(axis, axis)
    energy = N_BETA * loss(x, y)
    weight = np.exp(-energy - localization / 2 * (x**2 + y**2))
    return (energy * weight).sum() / weight.sum()


@pytest.mark.parametrize(
    ("loss", "regular"),
    [
        (lambda x, y: x**2 + y**2, True),
        (lambda x, y: x**2 * y**2, False),
        (lambda x, y: x**4 + y**4, False),
        (lambda x, y: x**2 + 0 * y, False),
    ],
)
def test_a_degenerate_minimum_has_less_as_quadrature_of_the_posterior_says(loss, regular):
    exact = quadrature(loss, 5.0)
    # So many independent copies side by side: their coefficients add up, their noise averages out.
    copies = 500
    how = Sampling(chains=2, step_size=2e-3, draws=300, burn_in=600, localization=5.0)
    found = estimate(lambda p: loss(p[0][:copies], p[0][copies:]).sum(), 2 * copies, how)
    assert found.value.item() / copies == pytest.approx(exact, abs=0.03)
    assert (exact > 0.8) == regular


def test_too_large_a_step_shows_in_the_acceptance_and_a_diverging_walk_is_nan():
    how = Sampling(step_size=0.08, localization=0.0)
    assert estimate(lambda p: p[0].square().sum(), 24, how).acceptance < 0.6
    wild = Sampling(step_size=10.0, draws=400, localization=0.0)
    assert not estimate(lambda p: p[0].square().sum(), 4, wild).value.isfinite()


def test_chains_that_have_not_mixed_show_in_r_hat():
    drift = torch.linspace(0, 10, 100) + torch.randn(3, 100, generator=torch.Generator().manual_seed(0))
    assert split_r_hat(drift) > 1.5
    calm = torch.randn(4, 2000, generator=torch.Generator().manual_seed(1))
    assert split_r_hat(calm).item() == pytest.approx(1, abs=0.01)
    apart = calm + torch.tensor([[0.0], [0.0], [0.0], [5.0]])
    assert split_r_hat(apart) > 1.5


def test_r_hat_is_that_of_its_formula():
    traces = np.random.default_rng(0).normal(size=(3, 8))
    halves = traces.reshape(6, 4)
    within, between = halves.var(axis=1, ddof=1).mean(), 4 * halves.mean(axis=1).var(ddof=1)
    by_hand = math.sqrt((3 / 4 * within + between / 4) / within)
    assert split_r_hat(torch.tensor(traces)).item() == pytest.approx(by_hand)


def test_the_global_random_state_is_left_alone_and_the_generator_decides():
    before = torch.get_rng_state()
    how = Sampling(step_size=0.01, draws=10, burn_in=2)
    first = estimate(lambda p: p[0].square().sum(), 3, how, seed=4)
    assert torch.equal(before, torch.get_rng_state())
    assert first == estimate(lambda p: p[0].square().sum(), 3, how, seed=4)


@pytest.mark.parametrize(
    ("samples", "how", "named"),
    [(2, Sampling(), "samples"), (9, Sampling(chains=1), "chains"), (9, Sampling(draws=3), "draws")],
)
def test_too_little_to_sample_is_refused(samples, how, named):
    with pytest.raises(ValueError, match=f"{named} must be at least"):
        local_learning_coefficient(
            lambda p: p[0].sum(), [torch.zeros(1)], samples=samples, generator=torch.Generator(), how=how
        )


def test_traces_that_cannot_be_halved_are_refused():
    with pytest.raises(ValueError, match=r"traces must be \[chains, draws\]"):
        split_r_hat(torch.zeros(3))
