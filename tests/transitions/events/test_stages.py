"""How long a curve has to stay at a level for a rest."""

import numpy as np
import pytest

from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.generalization import rise_of
from grokscope.transitions.events.stages import rests_of


@pytest.mark.parametrize(("until", "rests"), [(1_230, 0), (1_270, 1)])
def test_a_rest_takes_a_tenth_of_a_decade(until: int, rests: int):
    steps = np.arange(1, 300) * 10
    values = np.where(steps < 1_000, 0.0, np.where(steps < until, 0.5, 1.0))
    test = Curve(metric="test/accuracy", steps=steps, values=values)
    found = rise_of(test, after=10)
    assert found is not None
    assert len(rests_of(found, test)) == rests
