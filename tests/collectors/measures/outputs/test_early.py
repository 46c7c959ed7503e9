"""The signature of a curve against sines, white noise and SciPy's periodogram."""

import math

import numpy as np
import pytest
import torch
from scipy.signal import periodogram

from grokscope.collectors.measures.outputs.early import hjorth, low_frequency_share

NOISE = torch.randn(4000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("frequency", [0.05, 0.5])
@pytest.mark.parametrize("size", [1.0, 3.0])
def test_a_sine_has_its_power_its_frequency_and_no_complexity(frequency, size, dtype):
    curve = (size * torch.sin(frequency * torch.arange(5000, dtype=torch.float64))).to(dtype)
    activity, mobility, complexity = hjorth(curve)
    assert activity.item() == pytest.approx(size**2 / 2, rel=1e-2)
    assert mobility.item() == pytest.approx(2 * math.sin(frequency / 2), rel=1e-2)  # of a difference
    assert complexity.item() == pytest.approx(1, rel=1e-2)


def test_white_noise_has_the_complexity_of_its_differences():
    # Variances of noise and its first two differences: 1, 2, 6.
    assert [v.item() for v in hjorth(NOISE)] == pytest.approx([1, math.sqrt(2), math.sqrt(3 / 2)], rel=0.05)


@pytest.mark.parametrize("length", [100, 101])
@pytest.mark.parametrize("cut", [0.1, 0.5, 1.0])
def test_the_low_share_is_the_periodograms(length, cut):
    curve = NOISE[:length].cumsum(0)
    _, power = periodogram(curve.numpy(), detrend="constant", scaling="spectrum")
    power = power[1:]
    expected = power[: int(cut * len(power))].sum() / power.sum()
    assert low_frequency_share(curve, cut=cut).item() == pytest.approx(expected)


def test_a_constant_curve_has_activity_0_and_no_frequency():
    activity, mobility, _ = hjorth(torch.ones(9))
    assert activity.item() == 0
    assert mobility.isnan()
    assert low_frequency_share(torch.ones(9)).isnan()


def test_a_curve_too_short_and_a_cut_outside_are_refused():
    with pytest.raises(ValueError, match="collect more steps"):
        hjorth(torch.ones(3))
    with pytest.raises(ValueError, match=r"cut must lie in \(0, 1\]"):
        low_frequency_share(torch.ones(9), cut=0.0)
    assert np.isnan(hjorth(torch.tensor([1.0, math.nan, 1.0, 2.0]))[0].item())
