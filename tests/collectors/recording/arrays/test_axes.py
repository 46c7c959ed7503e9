"""Axes are named as users name them, or it is said what does not fit."""

import numpy as np
import pytest
import torch

from grokscope.collectors.recording.arrays.axes import axes_of
from grokscope.schemas.arrays import Axis

TWO = (Axis(name="k", labels=("1", "2")),)


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        (iter(["k"]), (Axis(name="k"),)),
        ({"k": iter([1, 2])}, TWO),
        ({"k": torch.tensor([1, 2])}, TWO),
        ({"k": np.array(["1", "2"])}, TWO),
        ({"k": {"1": 0, "2": 0}.keys()}, TWO),
        ({1: None}, (Axis(name="1"),)),
        ({"": ["", "x\0\ud800"]}, (Axis(name="_", labels=("_", "x?")),)),
        ({"k": ["a" * 1000, "b"]}, (Axis(name="k", labels=("a" * 100, "b")),)),
    ],
)
def test_names_and_labels_of_any_kind_are_texts(axes, expected):
    assert axes_of("a", axes, [2], warn=pytest.fail) == expected


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        (5, "the axes of 'a' are names in their order, or name -> labels, got int"),
        ({"k": 5}, "the labels of axis 'k' of 'a' are a list in the order of its places, got int"),
        ({"k": {"x", "y"}}, "in the order of its places, got set"),
        ({"k": iter("abc")}, "axis 'k' of 'a' has 2 places and 3 labels"),
        ((), "and 0 are named: none"),
    ],
)
def test_what_does_not_fit_is_said(axes, sentence):
    with pytest.raises(ValueError, match="'a'") as raised:
        axes_of("a", axes, [2], warn=pytest.fail)
    assert sentence in str(raised.value)
