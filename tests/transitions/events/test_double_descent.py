"""The peak of a double descent, dated by the evaluations about it."""

import numpy as np

from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.double_descent import double_descent_of


def test_the_peak_lies_between_the_evaluations_beside_it():
    progress = np.interp(np.arange(50), [0, 10, 25, 49], [0.0, 0.5, 0.1, 0.9])
    found = double_descent_of(Curve(metric="test/loss", steps=np.arange(50), values=progress))
    assert found is not None
    assert 15 < found.date.low < found.date.step < found.date.high < 35
