"""The rise of a held-out curve: its noise, and whether the log shows the level that it left."""

from dataclasses import replace

import numpy as np
import pytest

from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.generalization import Rise, rise_of


def rise(values: list[float]) -> Rise:
    steps = np.arange(1, len(values) + 1) * 100
    found = rise_of(Curve(metric="test/accuracy", steps=steps, values=np.array(values)), after=None)
    assert found is not None
    return found


def test_a_rise_after_a_single_evaluation_is_held_against_the_noise_all_the_same():
    assert rise([0.01, 0.5, 0.62, 0.55, 0.6, 0.65, 0.58, 0.6, 0.61, 0.6]).noise > 0.1


@pytest.mark.parametrize(
    ("begin", "is_seen"),
    [
        pytest.param([0.3] * 8, True, id="waits where it begins"),
        pytest.param([0.6, 0.6, *[0.3] * 6], False, id="waits elsewhere"),
        pytest.param([0.5, 0.5, 0.51, 0.56, 0.66, 0.8], False, id="creeps from where it begins"),
    ],
)
def test_the_level_before_a_rise_is_seen_where_a_log_begins_on_flat_ground(begin, is_seen):
    found = rise([*begin, 0.97, 0.98, 0.99, 1.0, 1.0, 1.0])
    assert (found.is_seen_from_plateau, found.onset is not None) == (is_seen, is_seen)


@pytest.mark.parametrize(("top", "lost_below"), [(0.9, 0.8), (0.8, 0.6)])
def test_what_was_reached_is_lost_below_80_percent_or_60_percent_of_the_way_there(top, lost_below):
    found = replace(rise([0.3] * 8 + [1.0] * 6), begin=0.3, top=top)
    assert found.lost_below == pytest.approx(lost_below)


@pytest.mark.parametrize(
    ("is_clear", "is_completed", "end", "lasts"),
    [
        (True, True, 0.3, True),
        (True, False, 0.3, False),
        (True, False, 0.7, True),
        (False, True, 0.7, False),
    ],
)
def test_a_clear_rise_lasts_that_was_completed_or_did_not_revert(is_clear, is_completed, end, lasts):
    found = rise([0.3] * 8 + [1.0] * 6)
    assert found.completed is not None
    completed = found.completed if is_completed else None
    assert replace(found, is_clear=is_clear, completed=completed, held=end, end=end).lasts is lasts


@pytest.mark.parametrize(("top", "sure"), [(0.9, 0.6 / 0.7), (0.89, (0.59 - 0.2) / 0.7)])
def test_noise_takes_from_a_rise_only_below_the_level_that_is_generalized(top, sure):
    found = replace(rise([0.3] * 8 + [1.0] * 6), plateau=0.3, top=top, noise=0.2)
    assert found.sure_share == pytest.approx(sure)
