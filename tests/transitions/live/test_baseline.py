"""The level that a live score has to exceed, against its formula."""

import numpy as np
import pytest

from grokscope.transitions.live.baseline import Baseline


@pytest.mark.parametrize("scores", [(0.1, 0.2, 0.3, 0.2, 0.1), (0.1, 0.1, 0.12, 0.1, 0.1)])
def test_the_level_lies_two_and_a_half_deviations_of_a_sample_above_the_mean_or_the_margin(scores):
    baseline = Baseline(margin=0.05)
    for score in scores:
        baseline.add(score)
    expected = np.mean(scores) + max(0.05, 2.5 * np.std(scores, ddof=1))
    assert baseline.level == pytest.approx(expected)
