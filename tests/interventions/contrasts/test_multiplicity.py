"""Corrections for many tests."""

import json
from pathlib import Path

import numpy as np
import pytest

from grokscope.interventions.contrasts.multiplicity import benjamini_hochberg, e_benjamini_hochberg, holm
from grokscope.interventions.contrasts.samples import SampleError
from grokscope.transitions import e_bh

ORACLES = json.loads((Path(__file__).parents[2] / "data" / "contrasts_oracles.json").read_text())


def test_holm_and_benjamini_hochberg_equal_those_of_statsmodels():
    assert holm(ORACLES["p_values"]) == pytest.approx(ORACLES["holm"])
    assert benjamini_hochberg(ORACLES["p_values"]) == pytest.approx(ORACLES["benjamini_hochberg"])


def test_adjusted_e_values_find_what_the_live_detectors_find():
    rng = np.random.default_rng(9)
    for _ in range(30):
        e_values = np.exp(rng.normal(1, 3, size=8))
        adjusted = e_benjamini_hochberg(e_values)
        for alpha in (0.01, 0.05, 0.2):
            found = {str(place) for place in np.flatnonzero(adjusted * alpha >= 1)}
            assert found == set(e_bh({str(place): e for place, e in enumerate(e_values)}, alpha))


def test_what_is_no_p_or_no_e_value_is_refused():
    with pytest.raises(SampleError, match=r"a p is between 0 and 1, got 0.1 to 1.2"):
        holm([0.1, 1.2])
    with pytest.raises(SampleError, match="an e-value is at least 0, got -1"):
        e_benjamini_hochberg([-1.0])
