"""In float16 the loss without weight decay becomes exactly 0, and then nothing moves any more."""

import pytest

from grokscope.experiments.instabilities.softmax_collapse import SOFTMAX_COLLAPSE, SoftmaxCollapse, prepare

SMALL = {"p": 13, "width": 32, "hidden": 64, "steps": 200, "lr": 0.1}


def test_learning_stops_where_every_loss_has_rounded_to_zero(curves_of):
    curves = curves_of(SOFTMAX_COLLAPSE, **SMALL)
    last = {metric: values[max(values)] for metric, values in curves.items()}
    assert (last["train/loss"], last["train/zero_loss_share"], last["train/accuracy"]) == (0.0, 1.0, 1.0)
    assert (last["gradients/norm"], last["updates/ratio"]) == (0.0, pytest.approx(0.0, abs=1e-6))


def test_in_float32_the_same_steps_leave_a_loss(curves_of):
    curves = curves_of(SOFTMAX_COLLAPSE, **SMALL, dtype="float32")
    last = {metric: values[max(values)] for metric, values in curves.items()}
    assert last["train/zero_loss_share"] < 1
    assert last["gradients/norm"] > 0


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="dtype is float16, bfloat16 or float32, got 'int8'"):
        prepare(SoftmaxCollapse(dtype="int8"))
