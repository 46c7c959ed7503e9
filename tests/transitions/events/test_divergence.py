"""What a divergence tells of the curve before it."""

import numpy as np

from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.divergence import divergence_of


def test_the_level_before_a_divergence_is_the_last_number():
    loss = Curve(metric="train/loss", steps=np.array([0, 9]), values=np.array([4.0, 2.0]), lost_at=(18, 27))
    found = divergence_of([loss])
    assert found is not None
    assert found.before == 2.0
