"""The search for the temperature against SciPy's bounded minimiser and against closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from grokscope.collectors.measures.outputs import calibration
from grokscope.collectors.measures.outputs.calibration import information, temperature

SHAPES = ("plain", "row_scales", "one_class", "cubed", "few_huge")


def predictions(seed, kind):
    generator = torch.Generator().manual_seed(seed)
    samples, classes = (int(torch.randint(2, most, (), generator=generator)) for most in (400, 60))
    targets = torch.randint(0, classes, (samples,), generator=generator)
    logits = torch.randn(samples, classes, generator=generator, dtype=torch.float64)
    logits[range(samples), targets] += 6 * torch.rand((), generator=generator)
    if kind == "row_scales":
        logits *= torch.exp(2 * torch.randn(samples, 1, generator=generator))
    elif kind == "one_class":
        logits[:, 0] += 20
    elif kind == "cubed":
        logits = logits**3
    elif kind == "few_huge":
        logits[:: max(2, samples // 5)] *= 100
    return logits, targets


def minimised(logits, targets):
    """Minimise over log T within the documented range: a scan, then SciPy between its neighbours."""
    scores, labels = logits.double().numpy(), targets.numpy()
    classes = scores.shape[1]
    scale = np.linalg.norm(scores - scores.mean(1, keepdims=True), axis=1).mean() / math.sqrt(classes)

    def loss(log_temperature):
        scaled = log_softmax(scores / math.exp(log_temperature), axis=1)
        return -scaled[np.arange(len(labels)), labels].mean()

    grid = np.linspace(math.log(scale * 2**-10), math.log(scale * 2**6), 200)
    best = int(np.argmin([loss(t) for t in grid]))
    bounds = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-9})
    return min(max(1 - found.fun / math.log(classes), 0), 1), math.exp(found.x)


@pytest.fixture(params=["as on the host", "as on an accelerator"])
def search(request, monkeypatch):
    if request.param == "as on an accelerator":
        monkeypatch.setattr(calibration, "_least_on_host", calibration._least)


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("seed", range(8))
def test_information_and_temperature_are_those_of_a_converged_minimiser(seed, kind, dtype):
    logits, targets = predictions(seed, kind)
    expected_information, expected_temperature = minimised(logits.to(dtype), targets)
    assert information(logits.to(dtype), targets).item() == pytest.approx(expected_information, abs=1e-6)
    if 1e-4 < expected_information < 1 - 1e-3:  # elsewhere the loss is flat to rounding
        found = temperature(logits.to(dtype), targets).item()
        assert found == pytest.approx(expected_temperature, rel=1e-3)


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize("wrong", [1, 2, 5, 20])
@pytest.mark.parametrize("lead", [0.01, 1.0, 300.0])
def test_two_classes_with_one_lead_are_calibrated_to_the_share_of_hits(wrong, lead):
    # Every sample leads by the same margin, so the best softmax says the share p of right ones:
    # lead / T = log(p / (1 - p)) and the information is 1 - H(p) / log 2.
    samples = 50
    logits = torch.tensor([lead, 0.0], dtype=torch.float64).repeat(samples, 1)
    targets = torch.tensor([1] * wrong + [0] * (samples - wrong))
    p = 1 - wrong / samples
    entropy = -p * math.log(p) - (1 - p) * math.log(1 - p)
    assert temperature(logits, targets).item() == pytest.approx(lead / math.log(p / (1 - p)), rel=1e-4)
    assert information(logits, targets).item() == pytest.approx(1 - entropy / math.log(2), abs=1e-9)


@pytest.mark.usefixtures("search")
def test_separable_logits_tell_everything_at_the_coldest_end_of_the_grid():
    logits, targets = 0.1 * torch.eye(5), torch.arange(5)
    scale = 0.1 * math.sqrt(4 / 5) / math.sqrt(5)
    assert information(logits, targets).item() == 1.0
    assert temperature(logits, targets).item() == pytest.approx(scale / 2**10)


@pytest.mark.usefixtures("search")
def test_logits_worse_than_none_tell_nothing_at_the_hottest_end_of_the_grid():
    logits, targets = -torch.eye(5), torch.arange(5)
    scale = math.sqrt(4 / 5) / math.sqrt(5)
    assert information(logits, targets).item() == 0.0
    assert temperature(logits, targets).item() == pytest.approx(scale * 2**6)


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize("value", [0.0, 0.1, -1e6])
def test_equal_logits_tell_nothing_and_leave_nothing_to_calibrate(value):
    logits, targets = torch.full((9, 7), value), torch.arange(9) % 7
    assert information(logits, targets).item() == 0.0
    assert temperature(logits, targets).item() == 1.0


def test_information_survives_what_fools_the_loss():
    # The over-confident model of a memorised split, before and after weight decay shrank it tenfold.
    generator = torch.Generator().manual_seed(0)
    logits, targets = 30 * torch.randn(500, 10, generator=generator), torch.arange(500) % 10
    logits[range(500), targets] += 3
    losses = [torch.nn.functional.cross_entropy(z, targets).item() for z in (logits, logits / 10)]
    assert losses[1] < losses[0] / 5
    assert information(logits / 10, targets).item() == pytest.approx(
        information(logits, targets).item(), abs=1e-6
    )


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_logit_that_is_not_finite_makes_both_nan(value):
    logits, targets = torch.randn(8, 3, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 3
    logits[5, 1] = value
    assert information(logits, targets).isnan()
    assert temperature(logits, targets).isnan()
