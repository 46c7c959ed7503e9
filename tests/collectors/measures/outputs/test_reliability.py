"""Confidence against outcomes: scikit-learn's Brier score, loops over bins and over coverages."""

import math

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.metrics import brier_score_loss

from grokscope.collectors.measures.outputs.reliability import brier_score, calibration_error, risk_coverage

SIZES = [(1, 2), (7, 2), (40, 5), (300, 3)]


def drawn(samples, classes, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(samples, classes, generator=generator, dtype=torch.float64)
    return logits.to(dtype), torch.randint(0, classes, (samples,), generator=generator)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("size", SIZES)
def test_the_brier_score_is_the_distance_to_the_one_hot_targets(size, dtype):
    logits, targets = drawn(*size, dtype=dtype)
    shares = softmax(logits.double().numpy(), axis=1)
    expected = ((shares - np.eye(size[1])[targets.numpy()]) ** 2).sum(axis=1).mean()
    assert brier_score(logits, targets).item() == pytest.approx(expected, rel=1e-5)


def test_of_two_classes_it_is_twice_scikit_learns():
    logits, targets = drawn(200, 2)
    positive = softmax(logits.numpy(), axis=1)[:, 1]
    expected = 2 * brier_score_loss(targets.numpy(), positive)
    assert brier_score(logits, targets).item() == pytest.approx(expected)


def test_a_small_brier_score_keeps_its_digits():
    # p = 1 / (1 + e⁻²⁰) of two classes: 2 (1 - p)².
    expected = 2 * (math.exp(-20) / (1 + math.exp(-20))) ** 2
    assert brier_score(torch.tensor([[20.0, 0.0]]), torch.tensor([0])).item() == pytest.approx(expected)


@pytest.mark.parametrize("bins", [1, 4, 15])
@pytest.mark.parametrize("size", SIZES)
def test_the_calibration_error_is_that_of_a_loop_over_bins(size, bins):
    logits, targets = drawn(*size)
    shares = softmax(logits.numpy(), axis=1)
    confidence, is_right = shares.max(axis=1), shares.argmax(axis=1) == targets.numpy()
    expected = 0.0
    for low in range(bins):
        inside = (confidence > low / bins) & (confidence <= (low + 1) / bins)
        if inside.any():
            expected += inside.mean() * abs(is_right[inside].mean() - confidence[inside].mean())
    assert calibration_error(logits, targets, bins=bins).item() == pytest.approx(expected)


def test_targets_drawn_as_the_model_says_are_calibrated():
    logits, _ = drawn(40_000, 3)
    targets = torch.multinomial(logits.softmax(dim=1), 1, generator=torch.Generator().manual_seed(1))
    assert calibration_error(logits, targets.flatten()) < 0.02
    assert calibration_error(3 * logits, targets.flatten()) > 0.1


@pytest.mark.parametrize("size", SIZES)
def test_the_risk_is_averaged_over_how_many_are_answered(size):
    logits, targets = drawn(*size)
    shares = softmax(logits.numpy(), axis=1)
    order = np.argsort(-shares.max(axis=1))
    wrong = (shares.argmax(axis=1) != targets.numpy())[order]
    expected = np.mean([wrong[:k].mean() for k in range(1, size[0] + 1)])
    assert risk_coverage(logits, targets).item() == pytest.approx(expected)


@pytest.mark.parametrize("measure", [brier_score, calibration_error, risk_coverage])
def test_one_nan_makes_it_nan_and_certainty_that_is_right_makes_it_0(measure):
    logits, targets = drawn(9, 3)
    assert measure(1e4 * torch.nn.functional.one_hot(targets, 3).double(), targets) == 0
    logits[4, 1] = math.nan
    assert measure(logits, targets).isnan()


def test_no_bins_are_refused():
    with pytest.raises(ValueError, match="bins must be at least 1, got 0"):
        calibration_error(*drawn(2, 2), bins=0)
