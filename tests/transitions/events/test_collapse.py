"""When dips are a loss, at the thresholds: what noise brings, what is over, and how the end is looked at."""

import numpy as np
import pytest

from grokscope.schemas import Date
from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.collapse import held_out_collapse, start_of_loss, train_collapse


def with_losses(count: int, *at: int) -> np.ndarray:
    later = np.ones(count)
    later[list(at)] = 0.1
    return later


@pytest.mark.parametrize(("late", "found"), [((33, 34), None), ((33, 34, 40), 0)])
def test_a_loss_is_over_where_an_eighth_of_the_last_third_is_lost_and_not_where_it_is_more(late, found):
    later = with_losses(48, *range(10), *late)  # its last third are sixteen evaluations
    assert start_of_loss(later, level=0.8, patience=5) == found


def test_the_end_of_a_short_loss_is_looked_at_over_twice_the_evaluations_that_make_a_level_sustained():
    later = with_losses(30, *range(20, 25))
    assert start_of_loss(later, level=0.8, patience=5) == 20
    assert start_of_loss(later, level=0.8, patience=2) is None


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_a_few_more_losses_than_the_noise_brings_on_average_are_noise_too(seed: int):
    """A fifth is expected; these draws have more, and less than four standard errors more."""
    later = np.random.default_rng(seed).normal(1.0, 0.1, 200)
    assert np.mean(later < 0.92) > 0.212
    assert start_of_loss(later, level=0.92, patience=5) is None


def test_a_loss_of_train_accuracy_is_dated_at_its_fall():
    values = np.array([0, 1, 1, 1, 1, 0.2, 0.1, 0.1, 0.1])
    found = train_collapse(Curve(metric="train/accuracy", steps=np.arange(9) * 10, values=values))
    assert found is not None
    assert (found.date.low, found.date.step, found.date.high) == (40, 50, 50)


def test_dips_that_come_again_and_again_are_counted_from_the_first():
    values = np.tile([1.0, 1.0, 0.1], 20)
    test = Curve(metric="test/accuracy", steps=np.arange(60), values=values)
    found = held_out_collapse(test, generalized=Date(step=1, low=0, high=1), level=0.8)
    assert found is not None
    assert (found.check.name, found.date.step) == ("chronic", 2)
    assert found.check.text == "20 dips below 0.80, 34% of the evaluations since step 2"
