"""What must not change a curve measure, as laws over random logits."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grokscope.collectors.measures.outputs.calibration import information, temperature
from grokscope.collectors.measures.outputs.curves import curve_measures, loss
from grokscope.collectors.measures.outputs.margins import logit_scale
from grokscope.schemas.metrics.table import metric

# Time says nothing on a shared machine.
laws = settings(deadline=None, max_examples=60)


@st.composite
def splits(draw):
    """Draw logits on a grid of eighths, so that shifts and scalings by powers of 2 round nothing."""
    samples, classes = draw(st.integers(1, 12)), draw(st.integers(2, 6))
    eighths = draw(st.lists(st.integers(-200, 200), min_size=samples * classes, max_size=samples * classes))
    targets = draw(st.lists(st.integers(0, classes - 1), min_size=samples, max_size=samples))
    return torch.tensor(eighths, dtype=torch.float64).view(samples, classes) / 8, torch.tensor(targets)


def values(logits, targets, *, names=None):
    measured = curve_measures(logits, targets)
    return {name: measured[name].item() for name in names or measured}


@laws
@given(splits(), st.integers(-64, 64))
def test_no_measure_sees_a_constant_added_to_all_logits_of_a_sample(split, shift):
    logits, targets = split
    shifts = shift * torch.arange(1, len(logits) + 1).unsqueeze(1)
    assert values(logits + shifts, targets) == pytest.approx(values(logits, targets), rel=1e-6, abs=1e-9)


@laws
@given(splits(), st.integers(-4, 6))
def test_ranks_hits_and_information_do_not_see_a_positive_scale(split, exponent):
    logits, targets = split
    names = ("accuracy", "mrr", "information")
    scaled = values(logits * 2.0**exponent, targets, names=names)
    assert scaled == pytest.approx(values(logits, targets, names=names), rel=1e-9, abs=1e-9)


@laws
@given(splits(), st.integers(-4, 6))
def test_temperature_margin_and_logit_scale_follow_a_positive_scale(split, exponent):
    logits, targets = split
    names = ("temperature", "margin", "logit_scale")
    before, after = (values(z, targets, names=names) for z in (logits, logits * 2.0**exponent))
    if before["logit_scale"] == 0:  # nothing to calibrate: the temperature stays 1
        before["temperature"] /= 2.0**exponent
    assert after == pytest.approx({name: value * 2.0**exponent for name, value in before.items()}, rel=1e-9)


@laws
@given(splits(), st.randoms(use_true_random=False))
def test_no_measure_sees_the_order_of_samples(split, shuffler):
    logits, targets = split
    order = list(range(len(targets)))
    shuffler.shuffle(order)
    assert values(logits[order], targets[order]) == pytest.approx(values(logits, targets), rel=1e-9, abs=1e-9)


@laws
@given(splits(), st.randoms(use_true_random=False))
def test_no_measure_but_accuracy_under_ties_sees_the_names_of_classes(split, shuffler):
    logits, targets = split
    order = list(range(logits.shape[1]))
    shuffler.shuffle(order)
    renamed = torch.tensor([order.index(y) for y in targets.tolist()])
    before, after = values(logits, targets), values(logits[:, order], renamed)
    is_tied = (logits == logits.amax(1, keepdim=True)).sum(1).max() > 1
    if is_tied:
        del before["accuracy"], after["accuracy"]
    assert after == pytest.approx(before, rel=1e-9, abs=1e-9)


@laws
@given(splits(), st.integers(2, 4))
def test_means_and_shares_do_not_see_a_split_repeated(split, times):
    logits, targets = split
    names = [name for name in values(logits, targets) if not name.startswith("log_probability")]
    repeated = values(logits.repeat(times, 1), targets.repeat(times), names=names)
    assert repeated == pytest.approx(values(logits, targets, names=names), rel=1e-9, abs=1e-9)


@laws
@given(splits())
def test_every_measure_stays_within_the_bounds_of_the_table(split):
    for name, value in values(*split).items():
        row = metric(f"test/{name}")
        assert row.low is None or value >= row.low, name
        assert row.high is None or value <= row.high, name


@laws
@given(splits())
def test_information_is_at_least_what_the_logits_tell_without_calibration(split):
    logits, targets = split
    uncalibrated = 1 - loss(logits, targets).item() / torch.tensor(logits.shape[1]).log().item()
    fitted = temperature(logits, targets).item()
    scale = logit_scale(logits).item() / logits.shape[1] ** 0.5
    # The search may not go as far as T = 1 when the logits are very large or very small.
    if scale / 2**10 < fitted < scale * 2**6:
        assert information(logits, targets).item() >= uncalibrated - 1e-6
