"""The largest eigenvalue against dense decompositions, and Adam's preconditioner against its update."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grokscope.collectors.measures.curvature.hessian import hessian_trace, relative_flatness
from grokscope.collectors.measures.curvature.sharpness import (
    largest_eigenpair,
    preconditioner,
    stability_edge,
)


def symmetric(size, seed, dtype=torch.float64):
    drawn = torch.randn(size, size, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return (drawn + drawn.T) / 2


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 40), st.integers(0, 10**6), st.floats(1e-6, 1e6))
def test_the_largest_eigenvalue_is_that_of_the_dense_matrix(size, seed, scale):
    matrix = scale * symmetric(size, seed)
    start = torch.randn(size, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64)
    found = largest_eigenpair(lambda v: matrix @ v, start, tolerance=1e-6, iterations=300)
    values, vectors = torch.linalg.eigh(matrix)
    assert found.value.item() == pytest.approx(values[-1].item(), rel=1e-6, abs=1e-6 * scale)
    assert found.residual <= 1e-6
    if size == 1 or values[-1] - values[-2] > 0.05 * scale:
        assert abs(found.vector @ vectors[:, -1]).item() == pytest.approx(1, abs=1e-3)


def test_a_larger_negative_eigenvalue_does_not_distract():
    diagonal = torch.tensor([2.0, 1.0, -50.0])
    assert largest_eigenpair(lambda v: diagonal * v, torch.ones(3)).value.item() == pytest.approx(2, abs=1e-3)


def test_a_negative_definite_matrix_has_its_least_negative_eigenvalue():
    diagonal = torch.tensor([-2.0, -1.0, -50.0])
    found = largest_eigenpair(lambda v: diagonal * v, torch.ones(3))
    assert found.value.item() == pytest.approx(-1, abs=1e-3)


def test_a_start_from_the_eigenvector_needs_one_product():
    matrix = symmetric(20, 0)
    vector = torch.linalg.eigh(matrix)[1][:, -1]
    assert largest_eigenpair(lambda v: matrix @ v, 3 * vector).iterations == 1


def test_it_needs_far_fewer_products_than_power_iteration():
    diagonal = torch.linspace(0, 1, 200, dtype=torch.float64)
    start = torch.ones(200, dtype=torch.float64)
    found = largest_eigenpair(lambda v: diagonal * v, start, tolerance=1e-2, iterations=500)
    vector, products = start / start.norm(), 1
    while (diagonal * vector - (vector @ (diagonal * vector)) * vector).norm() > 1e-2:
        vector = diagonal * vector / (diagonal * vector).norm()
        products += 1
    assert found.iterations < products / 2


def test_the_residual_bounds_the_distance_to_an_eigenvalue():
    matrix = symmetric(30, 3)
    for tolerance in (0.5, 0.1, 0.01):
        found = largest_eigenpair(lambda v: matrix @ v, torch.ones(30).double(), tolerance=tolerance)
        distance = (torch.linalg.eigvalsh(matrix) - found.value).abs().min()
        assert distance <= found.residual * found.value.abs() * (1 + 1e-9)


def test_a_flat_loss_has_sharpness_0_and_a_nan_one_stays_nan():
    assert largest_eigenpair(torch.zeros_like, torch.ones(3)).value == 0
    assert largest_eigenpair(lambda v: v * math.nan, torch.ones(3)).value.isnan()


@pytest.mark.parametrize(("tolerance", "iterations"), [(0.0, 5), (-1.0, 5), (0.1, 0), (math.nan, 5)])
def test_unusable_limits_are_refused(tolerance, iterations):
    with pytest.raises(ValueError, match="tolerance must be above 0 and iterations at least 1"):
        largest_eigenpair(lambda v: v, torch.ones(1), tolerance=tolerance, iterations=iterations)


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_the_preconditioner_is_what_turns_the_first_moment_into_the_update(kind, amsgrad):
    weight = torch.nn.Parameter(torch.randn(7, generator=torch.Generator().manual_seed(0)))
    optimizer = kind([weight], lr=0.1, betas=(0.5, 0.8), eps=1e-3, weight_decay=0.0, amsgrad=amsgrad)
    for step in range(1, 4):
        before = weight.detach().clone()
        weight.grad = torch.sin(weight.detach() * step)
        optimizer.step()
        first = optimizer.state[weight]["exp_avg"] / (1 - 0.5**step)
        scale = preconditioner(optimizer, [weight])
        torch.testing.assert_close(weight.detach() - before, -0.1 * scale.square() * first)


def test_without_a_second_moment_there_is_no_preconditioner():
    weight = torch.nn.Parameter(torch.ones(1))
    assert preconditioner(torch.optim.Adam([weight]), [weight]) is None
    assert preconditioner(torch.optim.SGD([weight], lr=0.1), [weight]) is None


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(("ratio", "is_stable"), [(0.99, True), (1.01, False)])
def test_gradient_descent_diverges_beyond_the_edge_and_not_before(momentum, ratio, is_stable):
    weight = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=momentum)
    curvature = ratio * stability_edge(optimizer)
    for _ in range(2000):
        weight.grad = curvature * weight.detach()
        optimizer.step()
    assert (abs(weight.item()) < 1) == is_stable


@pytest.mark.parametrize(("ratio", "is_stable"), [(0.99, True), (1.01, False)])
def test_momentum_as_adam_keeps_it_diverges_beyond_its_edge_and_not_before(ratio, is_stable):
    # With its second moment frozen Adam is gradient descent with an averaged gradient.
    weight = torch.ones(1, dtype=torch.float64)
    optimizer = torch.optim.Adam([weight], lr=0.1, betas=(0.9, 0.999))
    curvature, moment, at = ratio * stability_edge(optimizer), 0.0, 1.0
    for _ in range(2000):
        moment = 0.9 * moment + 0.1 * curvature * at
        at -= 0.1 * moment
    assert (abs(at) < 1) == is_stable


def test_optimizers_without_a_known_edge_have_none():
    weight = [torch.zeros(1)]
    two = [{"params": [torch.zeros(1)], "lr": 0.1}, {"params": [torch.zeros(1)], "lr": 0.2}]
    for optimizer in (
        torch.optim.SGD(weight, lr=0.1, momentum=0.9, nesterov=True),
        torch.optim.SGD(weight, lr=0.0),
        torch.optim.SGD(two),
        torch.optim.Adagrad(weight),
        torch.optim.RMSprop(weight),
        torch.optim.NAdam(weight),
    ):
        assert stability_edge(optimizer) is None


@pytest.mark.parametrize("size", [3, 12])
def test_the_trace_is_met_within_its_error_and_exactly_for_a_diagonal(size):
    matrix = symmetric(size, 5)
    generator = torch.Generator().manual_seed(0)
    trace, error = hessian_trace(lambda v: matrix @ v, matrix[0], generator=generator, draws=4000)
    off = 2 * (matrix.square().sum() - matrix.diagonal().square().sum())
    assert abs(trace - matrix.trace()) < 4 * error
    assert error.item() == pytest.approx(math.sqrt(off / 4000), rel=0.1)
    diagonal = matrix.diagonal()
    assert hessian_trace(lambda v: diagonal * v, diagonal, generator=generator)[1] < 1e-12


def test_one_draw_has_no_error_and_is_refused():
    with pytest.raises(ValueError, match="draws must be at least 2"):
        hessian_trace(lambda v: v, torch.ones(2), generator=torch.Generator(), draws=1)


@pytest.mark.parametrize("bias", [0.0, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_relative_flatness_is_the_sum_over_the_blocks_of_the_hessian(seed, bias):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(9, 3, generator=generator, dtype=torch.float64)
    weight = torch.randn(4, 3, generator=generator, dtype=torch.float64) + bias
    targets = torch.arange(9) % 4

    def loss(w):
        return torch.nn.functional.cross_entropy(features @ w.T, targets)

    blocks = torch.func.jacrev(torch.func.jacrev(loss))(weight)  # [s, i, s', j]
    by_hand = torch.einsum("sk,tk,siti->", weight, weight, blocks)
    kappa = relative_flatness(features, features @ weight.T, weight)
    assert kappa.item() == pytest.approx(by_hand.item(), rel=1e-9)


def test_relative_flatness_does_not_see_scale_moved_between_layers():
    features, weight = torch.randn(9, 3), torch.randn(4, 3)
    logits = features @ weight.T
    torch.testing.assert_close(
        relative_flatness(7 * features, logits, weight / 7), relative_flatness(features, logits, weight)
    )


def test_shapes_that_are_no_last_layer_are_refused():
    with pytest.raises(ValueError, match=r"features must be \[N, d\], logits \[N, C\] and weight \[C, d\]"):
        relative_flatness(torch.zeros(5, 3), torch.zeros(5, 2), torch.zeros(3, 2))
