"""The representation's spectrum, dimension and likeness against NumPy, scikit-learn and closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from sklearn.linear_model import Ridge

from grokscope.collectors.measures.representation.dimension import two_nn
from grokscope.collectors.measures.representation.probe import ridge_probe
from grokscope.collectors.measures.representation.similarity import cka
from grokscope.collectors.measures.representation.spectrum import (
    alpha_req,
    covariance_spectrum,
    rankme,
    spectral_entropy,
    variance_participation,
)

SHAPES = [(30, 5), (5, 30), (8, 8)]


def cloud(seed, samples=30, width=5, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(samples, width, generator=generator, dtype=torch.float64) + 3).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_covariance_spectrum_is_numpys(shape, dtype):
    features = cloud(0, *shape, dtype=dtype)
    expected = np.linalg.eigvalsh(np.cov(features.double().numpy().T, bias=True))[::-1][: min(shape)]
    found = covariance_spectrum(features)
    assert found.dtype == dtype
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-6 * expected[0])


@pytest.mark.parametrize("seed", range(3))
def test_entropy_and_participation_are_those_of_the_shares(seed):
    variances = covariance_spectrum(cloud(seed))
    shares = variances.numpy() / variances.numpy().sum()
    assert spectral_entropy(variances).item() == pytest.approx(entropy(shares) / math.log(5))
    assert variance_participation(variances).item() == pytest.approx(1 / (shares**2).sum())


@pytest.mark.parametrize("shape", SHAPES)
def test_rankme_is_the_entropy_of_the_singular_values_of_the_features_as_they_are(shape):
    features = cloud(1, *shape)
    singular = np.linalg.svd(features.numpy(), compute_uv=False)
    assert rankme(features).item() == pytest.approx(math.exp(entropy(singular)), rel=1e-5)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.5])
def test_a_power_law_gives_its_exponent_back(exponent):
    variances = torch.arange(1, 100, dtype=torch.float64) ** -exponent
    assert alpha_req(variances).item() == pytest.approx(exponent, abs=1e-9)


def test_directions_without_variance_do_not_steepen_the_decay():
    variances = torch.cat([torch.arange(1, 20, dtype=torch.float64) ** -1.0, torch.zeros(30)])
    assert alpha_req(variances).item() == pytest.approx(1.0)
    assert alpha_req(torch.tensor([1.0, 0.0])).isnan()
    assert alpha_req(torch.tensor([1.0, math.nan])).isnan()


@pytest.mark.parametrize("dimension", [1, 2, 4])
def test_points_uniform_in_a_cube_have_its_dimension_wherever_it_is_embedded(dimension):
    generator = torch.Generator().manual_seed(dimension)
    cube = torch.rand(1500, dimension, generator=generator, dtype=torch.float64)
    turned = cube @ torch.randn(dimension, 9, generator=generator, dtype=torch.float64)
    assert two_nn(turned).item() == pytest.approx(dimension, rel=0.1)


def test_two_nn_is_the_likelihood_estimate_of_the_ratios_of_two_distances():
    points = cloud(2, 40, 3)
    distances = np.sort(np.linalg.norm(points.numpy()[:, None] - points.numpy()[None], axis=2), axis=1)
    expected = 39 / np.log(distances[:, 2] / distances[:, 1]).sum()
    assert two_nn(points).item() == pytest.approx(expected)


def test_a_duplicate_is_left_out_and_a_far_cloud_has_the_same_dimension():
    points = cloud(2, 40, 3)
    doubled = torch.cat([points, points[:1]])
    assert two_nn(doubled + 1e4).item() == pytest.approx(two_nn(doubled).item(), rel=1e-6)
    assert two_nn(doubled).isfinite()


def test_duplicates_and_too_few_points_have_no_dimension():
    assert two_nn(torch.ones(5, 2)).isnan()
    with pytest.raises(ValueError, match="at least 3"):
        two_nn(torch.ones(2, 2))


def hsic(k, m):
    """The unbiased estimate, term by term, of Song et al. 2012, equation 5."""
    n, one = len(k), np.ones(len(k))
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    return (
        np.trace(k @ m)
        + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
        - 2 / (n - 2) * (one @ k @ m @ one)
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(20, 4), (6, 30)])
def test_cka_is_the_ratio_of_unbiased_estimates(shape, dtype):
    x, y = cloud(3, *shape), cloud(4, shape[0], 7)
    y[:, :2] += x[:, :2]
    k, m = (a.numpy() @ a.numpy().T for a in (x, y))
    expected = hsic(k, m) / math.sqrt(hsic(k, k) * hsic(m, m))
    assert cka(x.to(dtype), y.to(dtype)).item() == pytest.approx(expected, abs=1e-5)


def test_unrelated_representations_of_few_samples_are_alike_by_nothing_on_average():
    scores = [cka(cloud(s, 12, 200), cloud(1000 + s, 12, 200)).item() for s in range(60)]
    assert abs(np.mean(scores)) < 0.05


def test_cka_does_not_see_rotation_scale_and_shift():
    x, y = cloud(5, 20, 6), cloud(6, 20, 6)
    turn = torch.linalg.qr(cloud(7, 6, 6)).Q
    assert cka(3 * x @ turn + 100, y).item() == pytest.approx(cka(x, y).item(), abs=1e-9)
    assert cka(torch.ones(9, 2), cloud(8, 9, 2)).isnan()


@pytest.mark.parametrize("shape", [(40, 6), (10, 25)])
@pytest.mark.parametrize("ridge", [1e-3, 1.0])
def test_the_probe_decides_as_scikit_learns_ridge_on_one_hot_labels(shape, ridge):
    generator = torch.Generator().manual_seed(0)
    labels, others = (torch.randint(0, 4, (n,), generator=generator) for n in (shape[0], 50))
    features, held_out = cloud(9, *shape), cloud(10, 50, shape[1])
    features[range(shape[0]), labels] += 1
    held_out[range(50), others] += 1
    centred = features - features.mean(0)
    reference = Ridge(alpha=ridge * centred.square().sum().item() / shape[1])
    reference.fit(features.numpy(), np.eye(4)[labels.numpy()])
    expected = (reference.predict(held_out.numpy()).argmax(1) == others.numpy()).mean()
    found = ridge_probe(features, labels, held_out, others, classes=4, ridge=ridge)
    assert found.item() == pytest.approx(expected)


def test_a_probe_of_nothing_is_no_better_than_the_commonest_class_and_nan_tells_nothing():
    labels, nothing = torch.tensor([0, 1, 1]), torch.zeros(3, 2)
    assert ridge_probe(nothing, labels, nothing, labels, classes=2).item() == pytest.approx(2 / 3)
    assert ridge_probe(nothing + math.nan, labels, nothing, labels, classes=2).item() == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: covariance_spectrum(torch.zeros(0, 2)), r"features must be \[N, d\]"),
        (lambda: cka(torch.ones(3, 2), torch.ones(3, 2)), "at least 4"),
        (lambda: cka(torch.ones(5, 2), torch.ones(6, 2)), "one probe set"),
        (
            lambda: ridge_probe(
                torch.ones(2, 1), torch.zeros(2).long(), torch.ones(2, 3), torch.zeros(2).long(), classes=2
            ),
            "flatten",
        ),
        (
            lambda: ridge_probe(*[torch.ones(2, 1), torch.zeros(2).long()] * 2, classes=2, ridge=0.0),
            "ridge must be positive",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
