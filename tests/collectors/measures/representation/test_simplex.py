"""NC2 to NC4 against loops over classes and against the simplex itself."""

import itertools
import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestCentroid

from grokscope.collectors.measures.representation.simplex import class_means, nc2_angles, nc2_norms, nc3, nc4

CLASSES = 5


def clusters(seed, *, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(60) % (CLASSES - 1)  # the last class stays empty
    means = 2 * torch.randn(CLASSES, 7, generator=generator, dtype=torch.float64) + 5
    return (means[labels] + torch.randn(60, 7, generator=generator, dtype=torch.float64)).to(dtype), labels


def simplex(count):
    return torch.eye(count, dtype=torch.float64) - 1 / count


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_class_means_are_means_and_nan_where_there_is_no_sample(dtype):
    features, labels = clusters(0, dtype=dtype)
    means = class_means(features, labels, classes=CLASSES)
    for label in range(CLASSES - 1):
        assert means[label].tolist() == pytest.approx(
            features[labels == label].double().mean(0).tolist(), rel=1e-5
        )
    assert means[-1].isnan().all()


@pytest.mark.parametrize("count", [2, 3, 10])
def test_a_simplex_is_fully_collapsed_however_scaled_shifted_and_turned(count):
    turn = torch.linalg.qr(torch.randn(count, count, generator=torch.Generator().manual_seed(0)).double()).Q
    means = 7 * simplex(count) @ turn + 3
    assert nc2_norms(means).item() == pytest.approx(0, abs=1e-9)
    assert nc2_angles(means).item() == pytest.approx(0, abs=1e-9)
    assert nc3(means, 0.1 * (means - means.mean(0))).item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_nc2_agrees_with_a_loop_over_the_classes_that_occur(seed):
    means = class_means(*clusters(seed), classes=CLASSES)
    present = means[:-1].numpy() - means[:-1].numpy().mean(0)
    norms = np.linalg.norm(present, axis=1)
    cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in itertools.combinations(present, 2)]
    assert nc2_norms(means).item() == pytest.approx(norms.std() / norms.mean())
    assert nc2_angles(means).item() == pytest.approx(
        np.mean(np.abs(np.array(cosines) + 1 / (len(present) - 1)))
    )


def test_a_classifier_across_the_means_is_at_a_right_angle_to_them():
    means = torch.cat([simplex(3), torch.zeros(3, 3)], dim=1)
    weight = torch.cat([torch.zeros(3, 3), simplex(3)], dim=1)
    assert nc3(means, weight).item() == pytest.approx(math.sqrt(2))
    assert nc3(means, -means).item() == pytest.approx(2)


@pytest.mark.parametrize("seed", range(4))
def test_nc4_counts_where_scikit_learns_nearest_centroid_decides_otherwise(seed):
    features, labels = clusters(seed)
    logits = torch.randn(60, CLASSES, generator=torch.Generator().manual_seed(seed))
    nearest = NearestCentroid().fit(features.numpy(), labels.numpy()).predict(features.numpy())
    expected = (nearest != logits.argmax(1).numpy()).mean()
    found = nc4(features, logits, class_means(features, labels, classes=CLASSES))
    assert found.item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: class_means(torch.zeros(3, 2), torch.zeros(2).long(), classes=2), "flatten"),
        (lambda: nc3(torch.zeros(3, 2), torch.zeros(2, 3)), r"both be \[C, d\]"),
        (lambda: nc4(torch.zeros(3, 2), torch.zeros(3, 4), torch.zeros(3, 2)), "must fit"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
