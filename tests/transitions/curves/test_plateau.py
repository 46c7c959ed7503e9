"""Flat ground, at its threshold: what gains more than its share of the rise is none."""

import numpy as np
import pytest

from grokscope.transitions.curves.plateau import is_flat

GROUND = np.array([0.0, 0.0, 0.5, 0.5])  # gains a half, and lies a quarter up


@pytest.mark.parametrize(("top", "flat"), [(1.25, True), (1.2, False)])
def test_ground_that_gains_just_its_share_of_the_rise_is_flat(top: float, flat: bool):  # noqa: FBT001
    assert is_flat(GROUND, top=top, share=0.5) is flat


@pytest.mark.parametrize(("count", "flat"), [(3, False), (4, True)])
def test_fewer_than_four_evaluations_show_nothing(count: int, flat: bool):  # noqa: FBT001
    assert is_flat(np.zeros(count), top=1.0) is flat
