import re

import pytest

from grokscope.schemas import METRICS, UnknownMetricError, find_metric, is_split, metric, spelled_out


@pytest.mark.parametrize("row", METRICS.values(), ids=lambda row: f"{row.family}/{row.quantity}")
def test_every_row_says_what_it_is_in_which_unit_and_from_where(row):
    assert all((row.label, row.unit, row.source))
    assert row.low is None or row.high is None or row.low < row.high


@pytest.mark.parametrize("key", spelled_out())
def test_every_key_is_found_and_is_a_name_that_mlflow_stores(key):
    assert (
        metric(key)
        == METRICS[("curve" if is_split(key.split("/")[0]) else key.split("/")[0], metric(key).quantity)]
    )
    assert re.fullmatch(r"[\w\-. :]+(/[\w\-. :]+)*", key)
    assert len(key) <= 250


def test_no_two_rows_have_one_key():
    assert len(set(spelled_out())) == len(spelled_out())


def test_the_place_in_the_model_does_not_change_the_row():
    assert metric("weights/norm/blocks.0/attention") is metric("weights/norm")


def test_a_curve_has_no_place_in_the_model():
    assert find_metric("test/accuracy/blocks.0") is None


def test_every_split_has_the_curves():
    assert {metric(f"{split}/accuracy") for split in ("train", "test", "val", "shift:rotated.30")} == {
        METRICS["curve", "accuracy"]
    }


@pytest.mark.parametrize("name", ["", "shift", "shift:", "shift:a/b", "shift:a b", "Train", "weights"])
def test_other_names_are_no_splits(name):
    assert not is_split(name)


@pytest.mark.parametrize("key", ["", "/", "accuracy", "curve/accuracy", "weights", "weights/", "my/own"])
def test_a_key_outside_the_table_is_not_found(key):
    assert find_metric(key) is None


def test_an_unknown_key_is_answered_with_the_closest_one_and_the_remedy():
    with pytest.raises(UnknownMetricError) as error:
        metric("val_acc")
    assert str(error.value) == (
        "'val_acc' is not a known metric; closest: 'val/accuracy'. Map it with --alias val_acc=val/accuracy"
    )


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError):
        METRICS["my", "own"] = metric("test/loss")
