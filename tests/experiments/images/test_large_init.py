"""Digits from large initial weights: what the settings change, and a short run."""

import torch

from grokscope.experiments.images.large_init import LARGE_INIT, LargeInit, prepare


def test_the_initial_weights_are_those_of_scale_one_times_the_scale():
    large, usual = (prepare(LargeInit(seed=4, init_scale=scale)).model for scale in (8.0, 1.0))
    assert all(
        torch.equal(one, 8 * other) for one, other in zip(large.parameters(), usual.parameters(), strict=True)
    )


def test_the_scale_leaves_the_images_as_they_are():
    large, usual = (prepare(LargeInit(seed=4, init_scale=scale)).splits for scale in (8.0, 1.0))
    assert list(large) == ["train", "test"]
    assert torch.equal(large["train"][0], usual["train"][0])


def test_the_settings_stand_on_their_axes():
    params = LargeInit().describe().to_params()
    told = {
        "compute.exposure.unique_examples": 200,
        "intervention.protocol.init_scale": 8.0,
        "intervention.protocol.loss": "mse",
        "intervention.regularization.weight_decay": 0.1,
    }
    assert {name: params[name] for name in told} == told


def test_all_arms_but_the_first_keep_the_event_away():
    assert [(arm.group, arm.is_control) for arm in LARGE_INIT.arms] == [
        ("init x 8", False),
        ("init x 1", True),
        ("no weight decay", True),
        ("norm kept", True),
    ]


def test_from_usual_weights_both_sets_are_learned_within_a_hundred_steps(curves_of):
    curves = curves_of(LARGE_INIT, init_scale=1.0, steps=100)
    assert curves["train/accuracy"][100] == 1.0
    assert curves["test/accuracy"][100] > 0.9
