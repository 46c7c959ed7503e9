"""Between which steps a curve was at its best."""

import numpy as np

from grokscope.schemas import Date
from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.overfitting import overfitting_of


def test_the_best_is_dated_where_no_more_than_a_tenth_of_the_loss_is_lost():
    steps = np.arange(60)
    values = np.interp(steps, [0, 20, 59], [0.1, 0.7, 0.5])
    train = np.interp(steps, [0, 30], [0.1, 1.0])
    found = overfitting_of(
        Curve(metric="test/accuracy", steps=steps, values=values),
        train=Curve(metric="train/accuracy", steps=steps, values=train),
        counts_by_level=False,
    )
    assert found is not None
    assert found.date == Date(step=20, low=18, high=28)


def test_a_curve_that_never_changes_does_not_overfit():
    steps = np.arange(60)
    flat = Curve(metric="test/accuracy", steps=steps, values=np.ones(60))
    train = Curve(metric="train/accuracy", steps=steps, values=np.ones(60))
    for counts_by_level in (False, True):
        assert overfitting_of(flat, train=train, counts_by_level=counts_by_level) is None
