"""Epoch-wise double descent of a linear model: its inputs, and short runs that the engine judges."""

import polars as pl
import pytest
import torch

from grokscope.collectors.testing import MemorySink
from grokscope.experiments.algorithmic.double_descent import (
    DOUBLE_DESCENT,
    DoubleDescent,
    prepare,
    regression,
)
from grokscope.experiments.training.run import Destination, Run
from grokscope.experiments.training.training import train
from grokscope.transitions import detect


def test_inputs_have_three_scales_and_those_of_the_middle_one_tell_nothing():
    recipe = DoubleDescent(examples=4000, middle_scale=0.5, small_scale=0.1, useless=30)
    (inputs, targets), _ = regression(recipe)
    expected = torch.tensor([1.0] * 10 + [0.5] * 30 + [0.1] * 20)
    assert torch.allclose(inputs.std(dim=0), expected, rtol=0.1)
    weights = torch.linalg.lstsq(inputs, targets).solution.flatten()
    assert torch.allclose(weights[:10], torch.ones(10), atol=0.1)
    assert torch.allclose(weights[10:40], torch.zeros(30), atol=0.2)
    assert torch.allclose(weights[40:], torch.full((20,), 0.4**0.5 / 0.1), rtol=0.2)


def test_without_noise_the_target_is_known_from_the_inputs():
    (inputs, targets), _ = regression(DoubleDescent(noise=0.0))
    assert torch.allclose(inputs @ torch.linalg.lstsq(inputs, targets).solution, targets, atol=1e-2)


def test_the_data_come_from_the_seed_alone():
    first, again, other = (regression(DoubleDescent(seed=seed))[0][0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"loss": "cross_entropy"}, "loss is mse, got 'cross_entropy'"),
        ({"examples": 0}, "examples is at least 1, got 0"),
        ({"useless": -1}, "useless is at least 0, got -1"),
        ({"small_scale": 0.0}, "small_scale is above 0, got 0.0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        prepare(DoubleDescent(**settings))


def judged(arm):
    recipe, sink = DoubleDescent(group=arm.group, steps=4000, **arm.settings), MemorySink()
    train(prepare(recipe), recipe, Run(to=Destination(experiment="e"), sink=sink))
    frame = pl.DataFrame(sink.rows(), schema=["step", "metric", "value"], orient="row")
    return detect(frame)[0]


@pytest.mark.parametrize("arm", DOUBLE_DESCENT.arms, ids=lambda arm: arm.group)
def test_a_short_run_does_what_its_arm_expects(arm):
    assert arm.expects.is_met_by(judged(arm))
