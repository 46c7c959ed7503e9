"""Gradient noise, second moments, the update's split and window against closed forms and simulation."""

import math

import numpy as np
import pytest
import torch

from grokscope.collectors.measures.updates.noise_scale import gradient_moments, noise_scale
from grokscope.collectors.measures.updates.second_moments import second_moment_measures
from grokscope.collectors.measures.updates.steps import alignment, decay_split, inner_product
from grokscope.collectors.measures.updates.trajectory import sketch, trajectory_measures
from grokscope.collectors.measures.weights.movement import angle_from_init


def vectors(seed, *, sizes=((3, 4), (5,), (2, 2, 2)), dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(size, generator=generator, dtype=torch.float64).to(dtype) for size in sizes]


def flat(tensors):
    return torch.cat([t.double().flatten() for t in tensors]).numpy()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_products_and_cosines_are_those_of_one_long_vector(dtype):
    a, b = vectors(0, dtype=dtype), vectors(1, dtype=dtype)
    x, y = flat(a), flat(b)
    assert inner_product(a, b).item() == pytest.approx(x @ y, rel=1e-4)
    cosine = -x @ y / np.linalg.norm(x) / np.linalg.norm(y)
    assert alignment(a, b).item() == pytest.approx(cosine, abs=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_split_of_an_update_is_that_of_its_two_parts(dtype):
    gradient, decay = vectors(2, dtype=dtype), vectors(3, dtype=dtype)
    share, cosine = decay_split([g + d for g, d in zip(gradient, decay, strict=True)], decay)
    u, d = flat(gradient), flat(decay)
    assert share.item() == pytest.approx(u @ u / (u @ u + d @ d), rel=1e-5)
    assert cosine.item() == pytest.approx(u @ d / np.linalg.norm(u) / np.linalg.norm(d), abs=1e-5)


@pytest.mark.parametrize("angle", [0.0, 1e-3, 0.5, math.pi / 2, 3.0, math.pi])
@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-3), (torch.float64, 1e-7)])
def test_the_angle_is_right_at_every_size_to_the_accuracy_said(angle, scale, dtype, tolerance):
    direction = torch.tensor([scale * math.cos(angle), scale * math.sin(angle)], dtype=torch.float64).to(
        dtype
    )
    found = angle_from_init([direction], [torch.tensor([1.0, 0.0], dtype=dtype)])
    assert found.item() == pytest.approx(angle, abs=tolerance)


def test_nothing_has_no_angle():
    assert angle_from_init([torch.zeros(2)], [torch.ones(2)]).isnan()


def test_the_moments_of_gradients_are_unbiased():
    # Gradients of single examples are G + noise of variance Σ; halves of 8 examples, many times over.
    generator, half, true = np.random.default_rng(0), 8, np.array([1.0, -2.0, 0.5])
    deviation = np.array([1.0, 2.0, 0.5])
    draws = true + deviation * generator.standard_normal((4000, 2, half, 3))
    estimates = [
        [m.item() for m in gradient_moments([torch.tensor(a)], [torch.tensor(b)], half=half)]
        for a, b in draws.mean(axis=2)
    ]
    signal, noise = np.mean(estimates, axis=0)
    assert signal == pytest.approx(true @ true, rel=0.05)
    assert noise == pytest.approx(deviation @ deviation, rel=0.05)
    assert noise_scale(torch.tensor(signal), torch.tensor(noise)).item() == pytest.approx(noise / signal)
    assert noise_scale(torch.tensor(-1.0), torch.tensor(1.0)).item() == math.inf


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_second_moments_are_the_quantiles_of_their_roots(dtype):
    moments = [torch.rand(11, 7, generator=torch.Generator().manual_seed(s)).to(dtype) for s in range(3)]
    measured = second_moment_measures(moments, epsilon=0.3)
    roots = np.sqrt(flat(moments))
    for q in (10, 50, 90):
        expected = np.quantile(roots, q / 100, method="nearest")
        assert measured[f"second_moment_q{q}"].item() == pytest.approx(expected, rel=1e-6)
    assert measured["below_epsilon_share"].item() == pytest.approx((roots < 0.3).mean())


def test_a_large_tensor_is_read_evenly():
    moments = [torch.linspace(0, 1, 10**6).square()]
    measured = second_moment_measures(moments, epsilon=1e-8)
    assert measured["second_moment_q90"].item() == pytest.approx(0.9, abs=2e-3)


def test_a_sketch_is_exact_while_it_fits_and_true_on_average_beyond():
    a, b = vectors(4), vectors(5)
    exact = [sketch(v, width=40).double() for v in (a, b)]
    assert exact[0].dot(exact[1]).item() == pytest.approx(flat(a) @ flat(b), rel=1e-6)
    long = [torch.randn(300, 70, generator=torch.Generator().manual_seed(s)) for s in (0, 1)]
    mixed = [long[0], 0.5 * long[0] + long[1]]
    products = [
        sketch([mixed[0]], width=256, seed=s).dot(sketch([mixed[1]], width=256, seed=s)).item()
        for s in range(40)
    ]
    expected = mixed[0].flatten().dot(mixed[1].flatten()).item()
    spread = math.sqrt(2 / 256) * mixed[0].norm().item() * mixed[1].norm().item()
    assert np.std(products) < 1.3 * spread
    assert np.mean(products) == pytest.approx(expected, abs=4 * spread / math.sqrt(40))


def test_a_sketch_is_linear_and_draws_from_nobody_elses_generator():
    a, b, before = vectors(6), vectors(7), torch.get_rng_state()
    difference = sketch([x - y for x, y in zip(a, b, strict=True)], width=5)
    assert difference.tolist() == pytest.approx((sketch(a, width=5) - sketch(b, width=5)).tolist())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("shape", [(4, 50), (10, 5)])
def test_a_window_is_measured_as_its_singular_values_say(shape):
    updates = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    s = np.linalg.svd(updates.numpy(), compute_uv=False)
    expected = {"first_share": s[0] ** 2 / (s**2).sum(), "first_gap": s[0] / s[1], "second_gap": s[1] / s[2]}
    assert {k: v.item() for k, v in trajectory_measures(updates).items()} == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gradient_moments([], [], half=0), "at least one example"),
        (lambda: second_moment_measures([], epsilon=1.0), "take an optimizer step first"),
        (lambda: sketch([], width=0), "width must be at least 1"),
        (lambda: trajectory_measures(torch.zeros(2, 9)), "at least 3"),
        (lambda: angle_from_init([torch.ones(2)], [torch.ones(3)]), "same shapes"),
    ],
)
def test_what_cannot_be_read_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
