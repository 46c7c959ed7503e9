"""NC1 against a loop over classes, closed forms, and its invariances."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grokscope.collectors.measures.representation.collapse import nc1

CLASSES = 4


def clusters(seed, *, samples=40, width=3, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, CLASSES - 1, (samples,), generator=generator)  # the last class stays empty
    means = 2 * torch.randn(CLASSES, width, generator=generator, dtype=torch.float64)
    noise = torch.randn(samples, width, generator=generator, dtype=torch.float64)
    return (means[labels] + noise).to(dtype), labels


def by_hand(features, labels):
    """Traces of the scatter matrices, summed class by class."""
    rows, classes = features.double().numpy(), labels.numpy()
    within, between = np.zeros((2, rows.shape[1], rows.shape[1]))
    for label in np.unique(classes):
        members = rows[classes == label]
        within += np.cov(members.T, bias=True) * len(members)
        offset = members.mean(0) - rows.mean(0)
        between += np.outer(offset, offset) * len(members)
    return np.trace(within) / np.trace(between)


@pytest.mark.parametrize(
    ("dtype", "rel"), [(torch.float32, 1e-5), (torch.float64, 1e-12), (torch.bfloat16, 1e-5)]
)
@pytest.mark.parametrize("seed", range(4))
def test_nc1_agrees_with_the_traces_of_the_scatter_matrices(seed, dtype, rel):
    features, labels = clusters(seed, dtype=dtype)
    assert nc1(features, labels, classes=CLASSES).item() == pytest.approx(by_hand(features, labels), rel=rel)


@pytest.mark.parametrize("spread", [0.0, 0.1, 1.0, 3.0])
def test_two_pairs_have_the_closed_form(spread):
    # Classes at ±1, members ±spread around them: within spread², between 1.
    features = torch.tensor([[-1 - spread], [-1 + spread], [1 - spread], [1 + spread]], dtype=torch.float64)
    assert nc1(features, torch.tensor([0, 0, 1, 1]), classes=2).item() == pytest.approx(spread**2)


def test_a_collapse_far_from_the_origin_is_not_lost_in_rounding():
    features = torch.tensor([[4096.0], [4096.25], [4097.0], [4097.25]])
    assert nc1(features, torch.tensor([0, 0, 1, 1]), classes=2).item() == 0.0625


def test_one_class_has_nothing_between_and_one_point_nothing_at_all():
    labels = torch.zeros(3, dtype=torch.int64)
    assert nc1(torch.tensor([[0.0], [1.0], [5.0]]), labels, classes=2).item() == math.inf
    assert nc1(torch.ones(3, 2), labels, classes=2).isnan()


def test_a_nan_feature_makes_nc1_nan():
    features, labels = clusters(0)
    features[3, 1] = math.nan
    assert nc1(features, labels, classes=CLASSES).isnan()


@pytest.mark.parametrize(
    ("features", "labels"),
    [
        (torch.zeros(0, 2), torch.zeros(0).long()),
        (torch.zeros(3, 2), torch.zeros(2).long()),
        (torch.zeros(3, 2, 2), torch.zeros(3).long()),
    ],
)
def test_unusable_features_are_refused(features, labels):
    with pytest.raises(ValueError, match=r"features must be \[N, d\] and labels \[N\].*flatten"):
        nc1(features, labels, classes=2)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.floats(-100, 100), st.floats(0.01, 100), st.integers(2, 50))
def test_nc1_does_not_see_translation_rotation_scale_order_or_labels(seed, shift, scale, samples):
    features, labels = clusters(seed, samples=samples)
    generator = torch.Generator().manual_seed(seed)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=generator, dtype=torch.float64)).Q
    order, names = (torch.randperm(n, generator=generator) for n in (samples, CLASSES))
    before = nc1(features, labels, classes=CLASSES).item()
    after = nc1((scale * features @ turn + shift)[order], names[labels[order]], classes=CLASSES).item()
    if before < 1e6:  # with a single class all there is between is rounding
        assert after == pytest.approx(before, rel=1e-6)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(2, 5))
def test_nc1_does_not_see_a_split_repeated(seed, times):
    features, labels = clusters(seed)
    repeated = nc1(features.repeat(times, 1), labels.repeat(times), classes=CLASSES)
    assert repeated.item() == pytest.approx(nc1(features, labels, classes=CLASSES).item(), rel=1e-9)
