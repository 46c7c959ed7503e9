"""Where a curve arrives at a level, by most of its evaluations."""

import numpy as np

from grokscope.transitions.curves.crossings import _usual_arrival as usual_arrival
from grokscope.transitions.curves.series import Curve


def test_a_curve_arrives_where_most_of_a_window_are_at_the_level():
    values = np.array([0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    curve = Curve(metric="test/accuracy", steps=np.arange(len(values)), values=values)
    assert usual_arrival(curve, 0.5) == 5
