"""Norms against NumPy over one concatenated vector, for every order and precision."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from grokscope.collectors.measures.weights.movement import distance_from_init, update_ratio
from grokscope.collectors.measures.weights.norms import by_layer, gradient_norm, weight_norm, weight_norms

ORDERS = [1.0, 1.5, 2.0, 3.0, 7.5, math.inf]
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
SHAPES = [(3, 4), (5,), (), (0,), (2, 3, 2)]


def tensors(seed, *, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype) for shape in SHAPES]


def by_hand(parts, order):
    entries = np.concatenate([np.abs(part.double().numpy()).ravel() for part in parts])
    return entries.max() if math.isinf(order) else (entries**order).sum() ** (1 / order)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_weight_norm_is_that_of_one_long_vector(dtype, order):
    parts = tensors(0, dtype=dtype)
    assert weight_norm(parts, order=order).item() == pytest.approx(by_hand(parts, order), rel=1e-6)


@pytest.mark.parametrize("order", ORDERS)
def test_distance_and_gradient_norm_take_every_order(order):
    now, init = tensors(0), tensors(1)
    expected = by_hand([a - b for a, b in zip(now, init, strict=True)], order)
    assert distance_from_init(now, init, order=order).item() == pytest.approx(expected)
    for parameter, gradient in zip(now, init, strict=True):
        parameter.requires_grad_().grad = gradient
    assert gradient_norm(now, order=order).item() == pytest.approx(by_hand(init, order))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_complex_parameters_have_the_norm_of_their_magnitudes_beside_real_ones(dtype, order):
    waves = [torch.complex(*pair).to(dtype) for pair in zip(tensors(0), tensors(1), strict=True)]
    init, real = [torch.ones_like(wave) for wave in waves], tensors(2)
    assert weight_norm([*waves, *real], order=order).item() == pytest.approx(
        by_hand([*(wave.abs() for wave in waves), *real], order), rel=1e-5
    )
    assert distance_from_init(waves, init, order=order).item() == pytest.approx(
        by_hand([(a - b).abs() for a, b in zip(waves, init, strict=True)], order), rel=1e-5
    )


def test_half_precision_is_summed_in_single():
    # In bfloat16 itself 256 ones and one more are still 16 long.
    parts = [torch.ones(256, dtype=torch.bfloat16), torch.ones(33, dtype=torch.bfloat16)]
    assert weight_norm(parts).item() == 17.0


def test_parameters_of_mixed_precision_make_one_norm():
    parts = [torch.ones(9, dtype=torch.bfloat16), torch.ones(16), torch.ones(11, dtype=torch.float64)]
    assert weight_norm(parts).item() == 6.0


@pytest.mark.parametrize("nothing", [[], [torch.zeros(0)]])
def test_no_parameters_have_norm_zero(nothing):
    assert weight_norm(nothing).item() == 0.0
    assert gradient_norm(nothing).item() == 0.0
    assert distance_from_init(nothing, nothing).item() == 0.0


def test_one_nan_makes_the_norm_nan():
    assert weight_norm([torch.ones(3), torch.tensor([math.nan])]).isnan()


@pytest.mark.parametrize("order", [0.5, 0.0, -1.0, math.nan])
def test_an_order_that_makes_no_norm_is_refused(order):
    with pytest.raises(ValueError, match=r"order must be at least 1 to be a norm, got .*; use 1, 2 or"):
        weight_norm([torch.ones(2)], order=order)


def test_groups_are_normed_apart_and_an_empty_one_is_zero():
    a, b, *_ = tensors(3)
    norms = weight_norms({"both": [a, b], "a": [a], "none": [], "b": [b]})
    assert {name: norm.item() for name, norm in norms.items()} == pytest.approx(
        {"both": by_hand([a, b], 2), "a": by_hand([a], 2), "none": 0.0, "b": by_hand([b], 2)}
    )


def test_layers_own_their_parameters_and_shared_ones_count_once():
    model = nn.Module()
    model.scale = nn.Parameter(torch.ones(1))
    model.body = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    model.head = nn.Linear(2, 3)
    model.head.weight = model.body[0].weight
    layers = {name: [tuple(p.shape) for p in layer] for name, layer in by_layer(model).items()}
    assert layers == {"scale": [(1,)], "body.0": [(3, 2), (3,)], "body.1": [(3,), (3,)], "head": [(3,)]}


def test_a_parameter_without_gradient_counts_as_zero():
    with_gradient, without = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    with_gradient.grad = torch.tensor([3.0, 4.0])
    assert gradient_norm([with_gradient, without]).item() == 5.0


def test_repeated_indices_of_a_sparse_gradient_add_up():
    embedding = nn.Embedding(5, 1, sparse=True)
    embedding(torch.tensor([2, 2, 4])).sum().backward()
    assert embedding.weight.grad.is_sparse
    assert gradient_norm(embedding.parameters()).item() == pytest.approx(math.sqrt(5))


@pytest.mark.parametrize("dtype", DTYPES)
def test_update_ratio_is_the_change_over_what_was_there(dtype):
    before, after = tensors(0, dtype=dtype), tensors(1, dtype=dtype)
    wide = [[part.double() for part in parts] for parts in (before, after)]
    expected = by_hand([b - a for a, b in zip(*wide, strict=True)], 2) / by_hand(before, 2)
    assert update_ratio(after, before).item() == pytest.approx(expected, rel=1e-6)


def test_update_ratio_of_nothing_is_nan_and_from_zero_infinite():
    zero, one = [torch.zeros(2)], [torch.ones(2)]
    assert update_ratio(zero, zero).isnan()
    assert update_ratio([], []).isnan()
    assert update_ratio(one, zero).item() == math.inf


def test_parameters_of_two_models_do_not_pair_up():
    with pytest.raises(ValueError, match=r"got \[\[2\]\] and \[\[3\]\]; take both from the same model"):
        distance_from_init([torch.zeros(2)], [torch.zeros(3)])


def test_norms_build_no_graph_and_change_no_parameter():
    parameters = list(nn.Linear(3, 2).parameters())
    before = [p.detach().clone() for p in parameters]
    assert not weight_norm(parameters).requires_grad
    assert not update_ratio(parameters, before).requires_grad
    assert all(map(torch.equal, parameters, before))


vectors = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=20)


@settings(deadline=None)
@given(vectors, st.sampled_from(ORDERS), st.integers(-10, 10), st.integers(0, 20))
def test_a_norm_scales_with_its_vector_and_ignores_how_it_is_cut(entries, order, exponent, cut):
    vector = torch.tensor(entries, dtype=torch.float64)
    norm = weight_norm([vector], order=order).item()
    parts = [vector[cut:] * 2.0**exponent, vector[:cut] * 2.0**exponent]
    assert weight_norm(parts, order=order).item() == pytest.approx(norm * 2.0**exponent, rel=1e-9)
