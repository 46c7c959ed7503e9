"""What people call the sets that they measure on, and that their keys are read again as the same splits."""

import pytest

from grokscope.schemas import canonical, held_out_curves, score_of
from grokscope.schemas.metrics.split_names import UnusableSplitError, split_name, split_names


@pytest.mark.parametrize(
    ("split", "names"),
    [
        ("train", "train training Train trainSet training_data fit"),
        ("val", "val valid validation Validation VAL eval evaluation dev eval_set validation-split"),
        ("test", "test testing Test holdout held_out heldout test_data"),
    ],
)
def test_synonyms_are_read_as_their_split(split, names):
    assert {name: split_name(name) for name in names.split()} == dict.fromkeys(names.split(), split)


@pytest.mark.parametrize("name", ["test_ood", "val1", "Val2", "hard", "ood", "test-clean", "shift", "ünder"])
def test_any_other_name_is_a_held_out_set_of_its_own(name):
    key = f"{split_name(name)}/accuracy"
    assert key == f"shift:{name}/accuracy"
    assert canonical(key) == key
    assert held_out_curves([key], "accuracy") == [key]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train_eval", "train_eval"),
        ("eval_train", "eval_train"),
        ("train2", "train_2"),
        ("train_clean", "train_clean"),
    ],
)
def test_a_set_of_the_training_data_is_never_held_out(name, split):
    key = f"{split_names(['train', name])[name]}/accuracy"
    assert key == f"{split}/accuracy"
    assert held_out_curves([key], "accuracy") == []
    assert score_of(key).quantity == "accuracy"


def test_no_two_names_are_one_split():
    assert split_names(["valid", "val", "dev", "training", "train", "shift:a"]) == {
        "valid": "shift:valid",
        "val": "val",
        "dev": "shift:dev",
        "training": "training",
        "train": "train",
        "shift:a": "shift:a",
    }


@pytest.mark.parametrize("name", ["", "a/b", "shift:", "shift:a/b", "two words", "x" * 101, 3, "a\n"])
def test_a_name_that_no_key_can_hold_is_refused(name):
    with pytest.raises(UnusableSplitError, match=r"cannot name a split: a name is 1 to 100 letters"):
        split_name(name)
