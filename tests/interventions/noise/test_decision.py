"""Is a gain noise, and how many more seeds would tell."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from grokscope.interventions.contrasts.samples import SampleError
from grokscope.interventions.noise.decision import _more, decide
from grokscope.interventions.noise.floor import noise_floor

ORACLES = json.loads((Path(__file__).parents[2] / "data" / "contrasts_oracles.json").read_text())
RNG = np.random.default_rng(11)
A, B = RNG.normal(1.2, 1, 5), RNG.normal(0, 1, 4)
FLOOR = noise_floor(np.append(A, B), ["a"] * 5 + ["b"] * 4)


def test_with_the_floor_of_the_same_runs_it_is_the_t_test():
    gain = A.mean() - B.mean()
    found, expected = decide(gain, FLOOR, 5, 4), stats.ttest_ind(A, B)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert found.sigmas == pytest.approx(gain / FLOOR.sd.value)


def test_against_a_fixed_target_it_is_the_t_test_of_one_group():
    floor = noise_floor(A, ["a"] * 5)
    assert decide(A.mean() - 0.5, floor, 5).p == pytest.approx(stats.ttest_1samp(A, 0.5).pvalue)


@pytest.mark.parametrize(("groups", "n_b", "df"), [("two_groups", 2, 2), ("one_group", None, 1)])
def test_the_seeds_needed_are_those_of_statsmodels(groups, n_b, df):
    found = [2 + _more(effect, df, 2, n_b, (0.05, 0.8)) for effect in ORACLES["effects"]]
    assert found == ORACLES[groups]


@pytest.mark.parametrize("effect", [0.01, 0.02, 0.05, 0.1, 0.3])
def test_with_many_degrees_of_freedom_the_seeds_needed_are_those_of_a_gaussian(effect):
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert _more(effect, 10_000, 1, None, (0.05, 0.8)) + 1 == pytest.approx(
        (z / effect) ** 2, rel=0.01, abs=2
    )


def test_the_words_say_what_the_numbers_say():
    sd = FLOOR.sd.value
    decision = decide(0.4 * sd, FLOOR, 10, 10)
    assert (decision.verdict, round(decision.sigmas, 2)) == ("undecided", 0.4)
    assert decision.more_low < decision.more < decision.more_high
    ends = f"{decision.more_low} to {decision.more_high}"
    assert decision.sentence == (
        f"this gain is 0.4 sd of a seed: undecided (p = {decision.p:.2g}); "
        f"{decision.more} more seeds a group would settle it if the true gain is this large "
        f"({ends} as the sd is not known exactly; half the gain needs four times the seeds)"
    )
    gain, loss = decide(5 * sd, FLOOR, 10, 10), decide(-5 * sd, FLOOR, 10, 10)
    assert (gain.verdict, loss.verdict, gain.more, loss.more) == ("gain", "loss", None, None)
    assert decide(0.0, FLOOR, 3).sentence.endswith(
        "no number of seeds up to 100000 would settle a gain of this size"
    )


def test_half_the_gain_needs_four_times_the_seeds():
    sd = FLOOR.sd.value
    whole, half = (decide(size * sd, FLOOR, 2, 2).more + 2 for size in (0.2, 0.1))
    assert half / whole == pytest.approx(4, rel=0.02)


def test_a_gain_without_a_floor_is_refused():
    with pytest.raises(SampleError, match="a noise floor above 0 to be judged by: no configuration has two"):
        decide(1.0, noise_floor([1.0], ["a"]), 3)
    with pytest.raises(SampleError, match=r"needs a noise floor above 0 to be judged by: 0\.0"):
        decide(1.0, noise_floor([1.0, 1.0], ["a", "a"]), 3)
    with pytest.raises(SampleError, match=r"seeds in each group are needed, got 1\.0, 0 and None"):
        decide(1.0, FLOOR, 0)
    with pytest.raises(SampleError, match="alpha and power are between 0 and 1"):
        decide(1.0, FLOOR, 3, power=80)
