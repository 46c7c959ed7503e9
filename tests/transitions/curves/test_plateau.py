"""Flat ground, at its threshold: what gains more than its share of the rise is none."""

import numpy as np
import pytest

from grokscope.transitions.curves.plateau import _flat_ground, is_flat, plateau_of, top_of
from grokscope.transitions.curves.series import Curve

GROUND = np.array([0.0, 0.0, 0.5, 0.5])  # gains a half, and lies a quarter up


@pytest.mark.parametrize(("top", "flat"), [(1.25, True), (1.2, False)])
def test_ground_that_gains_just_its_share_of_the_rise_is_flat(top: float, flat: bool):  # noqa: FBT001
    assert is_flat(GROUND, top=top, share=0.5) is flat


@pytest.mark.parametrize(("count", "flat"), [(3, False), (4, True)])
def test_fewer_than_four_evaluations_show_nothing(count: int, flat: bool):  # noqa: FBT001
    assert is_flat(np.zeros(count), top=1.0) is flat


@pytest.mark.parametrize("lost", [0, 60, 260])
def test_noise_does_not_lift_the_top_and_a_collapse_does_not_lower_it(lost: int):
    values = np.random.default_rng(0).normal(0.8, 0.05, 400)
    values[len(values) - lost :] = 0.1
    curve = Curve(metric="test/accuracy", steps=np.arange(400), values=values)
    assert top_of(curve, 0) == pytest.approx(0.8, abs=0.015)


@pytest.mark.parametrize(("power", "steady"), [(0.8, True), (1.2, False)])
def test_a_creep_that_gathers_no_speed_is_steady(power: float, steady: bool):  # noqa: FBT001
    steps = np.unique(np.geomspace(10, 10_000, 40).astype(int))
    curve = Curve(metric="test/accuracy", steps=steps, values=np.linspace(0, 1, 40) ** power)
    found = plateau_of(curve, 0, 30, top=1.0)
    assert (found.is_flat, found.is_steady) == (False, steady)


def test_ground_before_a_rise_may_be_as_short_as_a_sixteenth_of_the_wait():
    values = np.concatenate((np.zeros(23), np.linspace(0, 1, 542) ** 0.3))
    curve = Curve(metric="test/accuracy", steps=np.arange(1, 566) * 100, values=values)
    ground = _flat_ground(curve, 0, 350, top=1.0)
    assert ground is not None
    assert len(ground) == 22  # of 350, rounded up
