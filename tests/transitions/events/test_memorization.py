"""The level that a training set was fit to."""

import numpy as np
import pytest

from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.memorization import fit_of


@pytest.mark.parametrize(
    ("values", "ceiling", "fitted_step"),
    [
        (np.append(np.linspace(0.1, 0.9, 5), np.full(12, 0.9)), 0.9, 4),  # it settles below 95 %
        (np.append([0.1, 0.87], np.full(12, 0.9)), 0.9, 1),  # 95 % of the way from its first value
        (np.linspace(0.1, 0.7, 12), 1.0, None),  # it still rises: no ceiling shows, and none is claimed
    ],
)
def test_the_ceiling_is_where_a_curve_settles_and_1_where_none_shows(values, ceiling, fitted_step):
    fit = fit_of(Curve(metric="train/accuracy", steps=np.arange(len(values)), values=values))
    assert (fit.ceiling, fit.fitted_step) == (pytest.approx(ceiling), fitted_step)
