"""Dates of rises: what they are said to be is where the rise is."""

import numpy as np
import pytest

from grokscope.transitions.evaluation.laboratory.development.parts.rises import (
    FAST_START,
    STRAIGHT,
    Rise,
    Stages,
    straight,
)
from grokscope.transitions.evaluation.synthetic import Shape

RISES = [
    Rise(at=700.0, width=width, shape=shape, is_linear=is_linear)
    for shape in (*Shape, STRAIGHT, FAST_START)
    for width, is_linear in ((0.4, False), (0.4, True))
]


@pytest.mark.parametrize("rise", RISES, ids=str)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_so_much_of_a_rise_is_done_at_the_step_of_that_share(rise, share):
    assert rise.share(np.array([rise.step_of(share)]))[0] == pytest.approx(share)


@pytest.mark.parametrize("rise", RISES, ids=str)
def test_the_width_is_that_from_a_tenth_to_nine_tenths(rise):
    begin, end = rise.step_of(0.1), rise.step_of(0.9)
    width = (end - begin) / rise.at if rise.is_linear else np.log10(end / begin)
    assert width == pytest.approx(rise.width)


def test_stages_are_dated_on_their_sum():
    stages = Stages(rises=(straight(1.0, 10.0), straight(100.0, 1000.0)), heights=(0.4, 0.6))
    dates = [stages.step_of(share) for share in (0.2, 0.7)]
    assert dates == pytest.approx([10**0.5, 10**2.5])
    assert stages.share(np.array([1, 10, 100, 1000])) == pytest.approx([0.0, 0.4, 0.4, 1.0])
