from dataclasses import FrozenInstanceError, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.schemas import (
    AXES,
    RunDescription,
    Setting,
    axis_of_param,
    guessed_param,
    params_on_axes,
)
from grokscope.schemas.runs.description import param

values = st.dictionaries(st.from_regex(r"[a-z_.]{1,8}", fullmatch=True), st.text(max_size=8), max_size=3)
descriptions = st.builds(
    RunDescription,
    setting=st.sampled_from(Setting),
    group=st.text(max_size=8),
    seed=st.integers(),
    **dict.fromkeys(AXES, values),
)
NEEDED = ("setting", "group", "seed")


def test_the_axes_are_the_fields_beside_setting_group_and_seed():
    assert [f.name for f in fields(RunDescription)] == ["setting", "group", "seed", *AXES]


def test_no_axis_is_the_beginning_of_another():
    prefixes = list(AXES.values())
    assert [p for p in prefixes for q in prefixes if p != q and q.startswith(f"{p}.")] == []


@given(descriptions)
def test_every_param_of_an_axis_is_found_on_that_axis(description):
    expected = {
        f"{prefix}.{key}": prefix for name, prefix in AXES.items() for key in getattr(description, name)
    }
    found = {name: axis_of_param(name) for name in description.to_params() if name not in NEEDED}
    assert found == expected


@pytest.mark.parametrize("name", ["lr", "compute", "compute.scale", "compute.scaled.x", "xcompute.scale.y"])
def test_a_free_form_param_is_on_no_axis(name):
    assert axis_of_param(name) is None


def test_a_description_is_frozen():
    with pytest.raises(FrozenInstanceError):
        RunDescription(setting=Setting.BRIDGE, group="g", seed=0).seed = 1


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("lr", "intervention.protocol.lr"),
        ("data.n_train", "compute.exposure.unique_examples"),
        ("dataset_tokens", "compute.exposure.unique_tokens"),
        ("maxTrainTokens", "compute.exposure.tokens"),
        ("total_samples", "compute.exposure.examples"),
        ("optimizer.weight-decay", "intervention.regularization.weight_decay"),
        ("training_args/perDeviceTrainBatchSize", "compute.exposure.batch"),
        ("config/frac_train", "intervention.data.fraction"),
        ("random_seed", "seed"),
        ("model.config.n_layer", "compute.scale.depth"),
    ],
)
def test_a_usual_param_of_other_code_is_found_on_its_axis(theirs, ours):
    assert guessed_param(theirs) == ours
    assert guessed_param(ours) == ours
    assert ours == "seed" or axis_of_param(ours) is not None


@pytest.mark.parametrize("name", ["", "notes", "lr_finder", "compute.scale", "output_dir"])
def test_a_param_that_says_nothing_known_is_left_alone(name):
    assert guessed_param(name) is None


def test_params_go_to_the_axes_and_none_is_lost():
    params = {"lr": "0.1", "weight_decay": "1", "model.n_layer": "2", "seed": "3", "wd": "5", "my/own": "x"}
    assert params_on_axes(params) == {
        "intervention.protocol.lr": "0.1",
        "intervention.regularization.weight_decay": "5",
        "weight_decay": "1",
        "compute.scale.depth": "2",
        "seed": "3",
        "my/own": "x",
    }


def test_of_two_that_mean_the_same_our_own_name_goes_first_then_the_least_nested():
    assert param({"seed": "1", "a_seed": "2", "random_seed": "3"}, "seed") == "1"
    assert param({"args/random_seed": "1", "rng_seed": "2", "torch_seed": "3"}, "seed") == "2"
    assert param({"notes": "x"}, "seed") is None
