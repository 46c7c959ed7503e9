"""Every curve measure against a closed form and against plain NumPy, sample by sample."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from grokscope.collectors.measures.outputs.calibration import information, temperature
from grokscope.collectors.measures.outputs.curves import (
    curve_measures,
    log_probability_quantile,
    loss,
    zero_loss_share,
)
from grokscope.collectors.measures.outputs.margins import layer_margin, logit_scale, margin, relative_margin
from grokscope.collectors.measures.outputs.ranks import accuracy, mrr
from grokscope.collectors.tensors.predictions import _with_nan_rows

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
QUANTITIES = [
    "loss",
    "accuracy",
    "mrr",
    "margin",
    "relative_margin",
    "log_probability_q10",
    "log_probability_q50",
    "log_probability_q90",
    "information",
    "temperature",
    "logit_scale",
    "zero_loss_share",
]


def predictions(seed, *, samples=57, classes=7, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(samples, classes, generator=generator, dtype=torch.float64)
    targets = torch.randint(0, classes, (samples,), generator=generator)
    logits[range(0, samples, 2), targets[::2]] += 4
    return logits.to(dtype), targets


def by_hand(logits, targets):
    """Measure in double precision, one sample at a time."""
    rows = [[float(z) for z in row] for row in logits.double().tolist()]
    log_probability, hits, reciprocal_ranks, margins, scales = [], [], [], [], []
    for row, y in zip(rows, targets.tolist(), strict=True):
        log_probability.append(row[y] - max(row) - math.log(math.fsum(math.exp(z - max(row)) for z in row)))
        hits.append(row.index(max(row)) == y)
        reciprocal_ranks.append(1 / sum(z >= row[y] for z in row))
        margins.append(row[y] - max(z for j, z in enumerate(row) if j != y))
        mean = math.fsum(row) / len(row)
        scales.append(math.sqrt(math.fsum((z - mean) ** 2 for z in row)))
    return {
        "loss": -np.mean(log_probability),
        "accuracy": np.mean(hits),
        "mrr": np.mean(reciprocal_ranks),
        "margin": np.mean(margins),
        "relative_margin": np.mean(np.divide(margins, scales)),
        **{f"log_probability_q{q}": np.percentile(log_probability, q) for q in (10, 50, 90)},
        "logit_scale": np.mean(scales),
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(4))
def test_measures_agree_with_a_loop_over_samples_in_every_precision(seed, dtype):
    logits, targets = predictions(seed, dtype=dtype)
    measured = curve_measures(logits, targets)
    expected = by_hand(logits, targets)
    assert list(measured) == QUANTITIES
    assert {name: measured[name].item() for name in expected} == pytest.approx(expected, rel=3e-6, abs=1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_loss_is_torchs_own_cross_entropy(seed):
    logits, targets = predictions(seed)
    torch.testing.assert_close(loss(logits, targets), cross_entropy(logits, targets))


@pytest.mark.parametrize("alone", [loss, accuracy, mrr, margin, zero_loss_share])
def test_a_measure_alone_equals_its_entry_among_all(alone):
    logits, targets = predictions(0)
    together = curve_measures(logits, targets)
    assert torch.equal(alone(logits, targets), together[alone.__name__])


def test_logit_scale_calibration_and_quantiles_alone_equal_their_entries_among_all():
    logits, targets = predictions(0)
    alone = {
        "logit_scale": logit_scale(logits),
        "information": information(logits, targets),
        "temperature": temperature(logits, targets),
        **{
            f"log_probability_q{q}": log_probability_quantile(logits, targets, q=q / 100)
            for q in (10, 50, 90)
        },
    }
    together = curve_measures(logits, targets)
    alone["relative_margin"] = relative_margin(logits, targets)
    # To rounding: together they share sums that each alone makes its own way.
    assert {name: together[name].item() for name in alone} == pytest.approx(
        {k: v.item() for k, v in alone.items()}, rel=1e-6
    )


@pytest.mark.parametrize("q", [0.0, 0.1, 0.25, 0.5, 0.9, 0.999, 1.0])
@pytest.mark.parametrize("samples", [1, 2, 11, 100])
def test_quantiles_interpolate_as_numpy_does(samples, q):
    logits, targets = predictions(1, samples=samples, dtype=torch.float64)
    expected = np.quantile(torch.log_softmax(logits, 1).numpy()[np.arange(samples), targets.numpy()], q)
    assert log_probability_quantile(logits, targets, q=q).item() == pytest.approx(expected)


@pytest.mark.parametrize("q", [-0.1, 1.5, 50, math.nan])
def test_a_quantile_outside_its_range_is_refused(q):
    with pytest.raises(ValueError, match=r"q must lie in \[0, 1\], got .*; a percentage is divided by 100"):
        log_probability_quantile(*predictions(0), q=q)


def test_equal_logits_rank_last_and_predict_the_first_class():
    logits, targets = torch.zeros(4, 4), torch.arange(4)
    measured = {name: value.item() for name, value in curve_measures(logits, targets).items()}
    assert measured == pytest.approx(
        {
            "loss": math.log(4),
            "accuracy": 0.25,
            "mrr": 0.25,
            "margin": 0.0,
            "relative_margin": 0.0,
            "log_probability_q10": -math.log(4),
            "log_probability_q50": -math.log(4),
            "log_probability_q90": -math.log(4),
            "information": 0.0,
            "temperature": 1.0,
            "logit_scale": 0.0,
            "zero_loss_share": 0.0,
        }
    )


def test_overwhelming_right_logits_collapse_the_softmax():
    measured = curve_measures(1000 * torch.eye(3), torch.arange(3))
    flat = ("loss", "accuracy", "mrr", "margin", "log_probability_q10", "zero_loss_share")
    assert [measured[name].item() for name in flat] == [0.0, 1.0, 1.0, 1000.0, 0.0, 1.0]
    assert math.copysign(1, measured["loss"].item()) == 1  # not -0


def two_classes(dtype):
    leads = torch.arange(1, 60, dtype=dtype)
    return torch.stack([leads, torch.zeros_like(leads)], dim=1), torch.zeros(len(leads), dtype=torch.int64)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_loss_is_zero_exactly_where_torchs_own_is_in_that_precision(dtype):
    logits, targets = two_classes(dtype)
    own = cross_entropy(logits, targets, reduction="none")
    expected = (own == 0).double().mean().item()
    assert zero_loss_share(logits, targets).item() == pytest.approx(expected)
    assert curve_measures(logits, targets)["zero_loss_share"].item() == pytest.approx(expected)


@pytest.mark.parametrize(("dtype", "last_alive"), [(torch.float32, 16), (torch.float64, 36)])
def test_the_softmax_collapses_where_a_rival_is_absorbed_by_one(dtype, last_alive):
    # exp(-lead) vanishes beside 1 at half the spacing there: 16 < 24 log 2 < 17 and 36 < 53 log 2 < 37.
    logits, targets = two_classes(dtype)
    assert zero_loss_share(logits, targets).item() == pytest.approx(1 - last_alive / 59)


@pytest.mark.parametrize("position", [0, 2])
def test_a_nan_row_counts_as_wrong_and_ranks_last_while_averages_become_nan(position):
    logits = torch.tensor([[9.0, 1.0, 2.0]]).repeat(20, 1)
    logits[0, position] = math.nan
    measured = {k: v.item() for k, v in curve_measures(logits, torch.zeros(20).long()).items()}
    assert measured["accuracy"] == pytest.approx(0.95)
    assert measured["zero_loss_share"] == 0.0
    assert measured["mrr"] == pytest.approx((19 + (1 / 3 if position == 0 else 1 / 2)) / 20)
    averaged = set(QUANTITIES) - {"accuracy", "zero_loss_share", "mrr"}
    assert {name for name, value in measured.items() if math.isnan(value)} == averaged


def test_a_class_masked_to_minus_infinity_costs_infinitely_only_where_it_is_true():
    logits = torch.tensor([[1.0, -math.inf], [1.0, -math.inf]])
    right = curve_measures(logits, torch.tensor([0, 0]))
    assert (right["loss"].item(), right["accuracy"].item(), right["margin"].item()) == (0.0, 1.0, math.inf)
    wrong = curve_measures(logits, torch.tensor([0, 1]))
    assert (wrong["loss"].item(), wrong["log_probability_q10"].item()) == (math.inf, -math.inf)


@pytest.mark.parametrize(
    ("logits", "targets", "message"),
    [
        (torch.zeros(0, 3), torch.zeros(0).long(), r"need at least one sample, got logits \[0, 3\]"),
        (torch.zeros(2, 1), torch.zeros(2).long(), r"need at least two classes.*stack \[0, z\]"),
        (torch.zeros(2, 3), torch.zeros(3).long(), r"got logits \[2, 3\] and targets \[3\]"),
        (torch.zeros(2, 4, 3), torch.zeros(2, 4).long(), r"logits must be \[N, C\].*flatten"),
        (torch.zeros(2, 3), torch.zeros(2), r"class indices \(int64\), got torch.float32"),
        (torch.zeros(2, 3).long(), torch.zeros(2).long(), r"floating point, got torch.int64"),
        (torch.zeros(2, 3), torch.tensor([0, 3]), r"0\.\.2, the classes of the logits, got 0\.\.3"),
        (torch.zeros(2, 3), torch.tensor([-100, 1]), r"got -100\.\.1; if one value marks padding"),
    ],
)
def test_unusable_input_is_refused_in_one_clear_sentence(logits, targets, message):
    with pytest.raises(ValueError, match=message):
        curve_measures(logits, targets)


def test_where_raising_would_synchronise_a_target_out_of_range_makes_its_row_nan():
    # What an accelerator does; on the CPU the same input raises.
    logits, targets = _with_nan_rows(torch.ones(3, 2), torch.tensor([1, 7, -1]))
    assert logits.isnan().all(dim=1).tolist() == [False, True, True]
    assert targets.tolist() == [1, 1, 0]


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int32])
def test_narrow_integer_targets_are_class_indices_too(dtype):
    logits, targets = predictions(0)
    assert torch.equal(loss(logits, targets.to(dtype)), loss(logits, targets))


@pytest.mark.parametrize("is_transposed", [False, True])
def test_measures_carry_no_gradient_and_leave_their_input_alone(is_transposed):
    logits, targets = predictions(0)
    if is_transposed:  # a view whose transpose is contiguous invites writing in place
        logits = logits.T.contiguous().T
    before = logits.clone()
    measured = curve_measures(logits.requires_grad_(), targets)
    assert not any(value.requires_grad for value in measured.values())
    assert torch.equal(logits, before)


def test_a_margin_in_units_of_the_layers_does_not_see_how_large_they_are():
    generator = torch.Generator().manual_seed(0)
    layers = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((8, 5), (6, 8))]
    inputs = torch.randn(20, 5, generator=generator, dtype=torch.float64)
    targets = torch.arange(20) % 6

    def found(scales):
        first, second = (s * layer for s, layer in zip(scales, layers, strict=True))
        logits = torch.relu(inputs @ first.T) @ second.T
        expected = margin(logits, targets).item() / (first.norm() * second.norm()).item()
        value = layer_margin(logits, targets, [first, second]).item()
        assert value == pytest.approx(expected)
        return value

    assert found((1, 1)) == pytest.approx(found((100, 0.03)))


def test_a_product_of_norms_beyond_the_largest_number_still_has_a_margin():
    logits, matrices = torch.tensor([[1e30, 0.0]]), [torch.full((1, 1), 1e20)] * 3
    value = layer_margin(logits, torch.tensor([0]), matrices)
    assert value.item() == pytest.approx(1e-30, rel=1e-4)
    assert layer_margin(logits, torch.tensor([0]), [torch.zeros(2, 2)]).isnan()
