from dataclasses import FrozenInstanceError, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.schemas import (
    AXES,
    InvalidDescriptionError,
    RunDescription,
    Setting,
    axis_of,
    description_from_params,
    guessed_param,
)

values = st.dictionaries(st.from_regex(r"[a-z_.]{1,8}", fullmatch=True), st.text(max_size=8), max_size=3)
descriptions = st.builds(
    RunDescription,
    setting=st.sampled_from(Setting),
    group=st.text(max_size=8),
    seed=st.integers(),
    **dict.fromkeys(AXES, values),
)
NEEDED = {"setting": "bridge", "group": "g", "seed": "0"}


def as_stored(description):
    return {name: str(value) for name, value in description.to_params().items()}


def test_the_axes_are_the_fields_beside_setting_group_and_seed():
    assert [f.name for f in fields(RunDescription)] == ["setting", "group", "seed", *AXES]


def test_no_axis_is_the_beginning_of_another():
    prefixes = list(AXES.values())
    assert [p for p in prefixes for q in prefixes if p != q and q.startswith(f"{p}.")] == []


@given(descriptions)
def test_a_description_is_read_back_from_its_params_among_params_of_others(description):
    assert description_from_params({**as_stored(description), "lr": "0.1", "compute": "x"}) == description


@given(descriptions)
def test_every_param_of_an_axis_is_found_on_that_axis(description):
    expected = {
        f"{prefix}.{key}": prefix for name, prefix in AXES.items() for key in getattr(description, name)
    }
    found = {name: axis_of(name) for name in description.to_params() if name not in NEEDED}
    assert found == expected


@pytest.mark.parametrize("name", ["lr", "compute", "compute.scale", "compute.scaled.x", "xcompute.scale.y"])
def test_a_free_form_param_is_on_no_axis(name):
    assert axis_of(name) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"setting": "outer space"}, "'outer space' is not a valid Setting"),
        ({"seed": "first"}, "'first'"),
        ({"group": None}, "'group'"),
        ({"setting": None}, "'setting'"),
        ({"seed": None}, "'seed'"),
    ],
)
def test_params_that_are_no_description_are_refused_with_what_is_allowed(change, said):
    params = {name: value for name, value in {**NEEDED, **change}.items() if value is not None}
    with pytest.raises(InvalidDescriptionError) as error:
        description_from_params(params)
    message = str(error.value)
    assert said in message
    assert message.startswith("a run description needs setting (bridge, pretraining, synthetic), group")
    assert message.endswith("Add them as params.")


def test_a_description_is_frozen():
    with pytest.raises(FrozenInstanceError):
        description_from_params(NEEDED).seed = 1


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("lr", "intervention.protocol.lr"),
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
    assert ours == "seed" or axis_of(ours) is not None


@pytest.mark.parametrize("name", ["", "notes", "lr_finder", "compute.scale", "output_dir"])
def test_a_param_that_says_nothing_known_is_left_alone(name):
    assert guessed_param(name) is None
