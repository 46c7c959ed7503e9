"""The instruments of gradients and updates against the same by hand."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from grokscope.collectors.measures import (
    gradient_noise,
    second_moments,
    update_window,
)
from grokscope.collectors.measures.instrument import StepContext
from grokscope.collectors.measures.updates.trajectory import sketch


def classifier():
    x, y = torch.randn(32, 5, generator=torch.Generator().manual_seed(3)), torch.arange(32) % 3
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Linear(5, 3)
    return model, x, y


def test_second_moments_are_corrected_for_the_bias_of_their_start():
    model, x, y = classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, betas=(0.9, 0.95))
    gradients = []
    for _ in range(3):
        optimizer.zero_grad()
        cross_entropy(model(x), y).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]).clone())
        optimizer.step()
    v = sum(0.05 * 0.95 ** (2 - t) * g.square() for t, g in enumerate(gradients)) / (1 - 0.95**3)
    expected = v.sqrt().sort().values[round(0.5 * (len(v) - 1))]
    values = second_moments()(StepContext(step=0, model=model, optimizer=optimizer))
    assert values["updates/second_moment_q50"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_noise_scale_is_that_of_every_other_example_and_is_averaged_before_the_ratio():
    model, x, y = classifier()
    watch, moments = gradient_noise(memory=0.5), []
    for step in range(2):
        values = watch(StepContext(step=step, model=model, splits={"train": (x, y)}))
        halves = []
        for start in (0, 1):
            loss = cross_entropy(model(x[start::2]), y[start::2])
            halves.append(
                torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])
            )
        small = (halves[0].square().sum() + halves[1].square().sum()) / 2
        large = ((halves[0] + halves[1]) / 2).square().sum()
        moments.append(torch.stack([2 * large - small, (small - large) * 32]))
        model.weight.data *= 2
    signal, noise = (moments[0] + moments[1]) / 2
    assert values["gradients/noise_scale"].item() == pytest.approx(
        (noise / signal.clamp_min(0)).item(), rel=1e-3
    )


def test_a_window_speaks_once_it_is_full_and_sees_a_straight_way():
    model, watch, read = nn.Linear(6, 6), update_window(window=3), []
    for step in range(5):
        read.append(watch(StepContext(step=step, model=model)))
        model.weight.data += 1
    assert [bool(values) for values in read] == [False, False, False, True, True]
    assert read[4]["updates/first_share"].item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gradient_noise(memory=1.0), r"memory must lie in \[0, 1\)"),
        (lambda: update_window(window=2), "window must be at least 3"),
    ],
)
def test_options_that_cannot_work_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_complex_parameters_count_with_both_of_their_parts():
    model = nn.ParameterList([nn.Parameter(torch.tensor([1 + 2j, 3 - 4j]))])
    optimizer = torch.optim.Adam(model.parameters())
    model[0].grad = torch.tensor([3 + 1j, 4 + 2j])
    optimizer.step()
    values = second_moments()(StepContext(step=0, model=model, optimizer=optimizer))
    assert values["updates/second_moment_q90"].item() == pytest.approx(4.0)
    assert values["updates/second_moment_q10"].item() == pytest.approx(1.0)
    assert sketch([torch.tensor([1 + 2j, 3 - 4j])], width=4).abs().tolist() == [1.0, 2.0, 3.0, 4.0]
