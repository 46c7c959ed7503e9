"""Rises after the fit that are no delayed generalization: won again, or not won in this log."""

from dataclasses import replace

import numpy as np
import pytest

from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.generalization import Rise, rise_of
from grokscope.transitions.verdict.analysis import _is_first_gain as is_first_gain
from grokscope.transitions.verdict.pattern import Wait, is_delayed
from grokscope.transitions.verdict.pattern import _is_regained as regained

STEPS = np.unique(np.geomspace(1, 20_000, 200).round().astype(int))
FIT = 100


def late(early: float) -> tuple[Curve, Rise]:
    """A curve that holds ``early`` for a time before the fit, and rises long after it, with its rise."""
    values = np.where(STEPS > 3000, 0.85, np.where((STEPS > 20) & (STEPS < 60), early, 0.1))
    curve = Curve(metric="test/accuracy", steps=STEPS, values=values)
    rise = rise_of(curve, after=FIT)
    assert rise is not None
    return curve, rise


@pytest.mark.parametrize(("early", "is_new"), [(0.1, True), (0.6, False)])
def test_what_was_held_before_the_fit_and_is_only_won_again_is_not_delayed(early: float, is_new: bool):  # noqa: FBT001
    curve, rise = late(early)
    assert is_delayed(FIT, rise, curve) is is_new


def test_a_gain_whose_beginning_is_not_in_the_log_is_not_called_the_first():
    curve, rise = late(0.1)
    assert is_first_gain(rise, curve)
    assert not is_first_gain(replace(rise, onset_at=None), curve)
    assert not is_first_gain(None, curve)


def test_a_first_gain_is_a_quarter_of_what_is_possible_where_next_to_nothing_was_held_before():
    curve, rise = late(0.1)
    assert is_first_gain(replace(rise, top=0.25), curve)
    assert not is_first_gain(replace(rise, top=0.24), curve)
    assert not is_first_gain(rise, late(0.6)[0])


def test_the_smaller_part_of_a_rise_is_delayed_if_it_left_flat_ground_late():
    values = np.array([0.0, 0.1, 0.4, *[0.55] * 40, 0.8, *[1.0] * 20])
    curve = Curve(metric="test/accuracy", steps=np.arange(1, len(values) + 1) * 100, values=values)
    rise = rise_of(curve, after=400)
    assert rise is not None
    assert is_delayed(400, rise, curve)
    assert not is_delayed(400, replace(rise, is_from_flat=False), curve)


@pytest.mark.parametrize(("begin", "is_regained"), [(0.4, True), (0.5, False)])
def test_a_loss_of_little_more_than_a_model_without_skill_has_is_not_won_again(begin, is_regained):
    _, rise = late(0.1)
    wait = Wait(level=0.1, before=0.6, ratio=9.0, evaluations=50)
    assert regained(replace(rise, begin=begin), wait) is is_regained
