"""What a continuous measure says of a jump: over which part of the log, and of which change."""

from dataclasses import replace

import numpy as np

from grokscope.schemas import Check, Date
from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.generalization import rise_of
from grokscope.transitions.verdict.continuous import no_artefact

STEPS = 2 ** np.arange(14)
ACCURACY = Curve(metric="test/accuracy", steps=STEPS, values=np.array([0.0] * 8 + [0.5] + [1.0] * 5))
RISE = rise_of(ACCURACY, after=None)


def check_of(tail: list[float], **changes: Date) -> Check:
    assert RISE is not None
    values = np.array([-4.0] * 8 + [-1.0, 0.0] + tail)
    measure = Curve(metric="test/log_probability_q50", steps=STEPS, values=values)
    return no_artefact(replace(RISE, **changes), curves={measure.metric: measure}, test=ACCURACY)


def test_what_a_measure_loses_after_the_rise_is_no_part_of_the_change_that_led_to_it():
    assert check_of([-9.0, -9.0, 0.0, 0.0]).text.startswith("75% of the change")


def test_a_rise_over_more_than_half_of_the_log_is_no_jump_to_begin_with():
    whole = Date(step=2, low=2, high=4)
    assert check_of([0.0] * 4, onset=whole).text == "the rise takes most of the log"
