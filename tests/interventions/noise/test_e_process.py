"""E-values that hold at every look, however often one looks."""

import numpy as np
import pytest
from scipy import integrate, stats

from grokscope.interventions.contrasts.samples import SampleError
from grokscope.interventions.noise.e_process import (
    _FAR,
    EFFECT,
    _log_ratio,
    difference_e_process,
    mean_e_process,
)

RNG = np.random.default_rng(15)


def by_noncentral_t(t, df, n):
    """Ratio of the densities of Student's t, with a half-normal weight on the effect and with none."""

    def weighted(effect):
        return stats.nct.pdf(t, df, np.sqrt(n) * effect) * 2 * stats.norm.pdf(effect, scale=EFFECT)

    return integrate.quad(weighted, 0, 12)[0] / stats.t.pdf(t, df)


@pytest.mark.parametrize("shift", [-1.5, -0.5, 0.0, 0.7])
def test_it_is_the_likelihood_ratio_of_students_t_with_a_half_normal_effect(shift):
    values = RNG.normal(3.28 + shift, 1.0, 6)
    t = stats.ttest_1samp(values, 3.28).statistic
    assert mean_e_process(values, 3.28)[-1] == pytest.approx(by_noncentral_t(-t, 5, 6), rel=1e-6)
    a, b = values[:4], RNG.normal(3.28, 1.0, 3)
    t = stats.ttest_ind(b, a).statistic
    assert difference_e_process(a, b)[-1] == pytest.approx(by_noncentral_t(t, 5, 12 / 7), rel=1e-6)


def test_pairs_are_one_sample_of_differences():
    a, b = RNG.normal(size=(2, 5))
    assert difference_e_process(a, b, paired=True, margin=0.3) == pytest.approx(mean_e_process(a - b, 0.3))


def test_the_other_direction_is_the_mirror_image():
    a, b = RNG.normal(size=(2, 5))
    assert mean_e_process(a, 1.0, below=False) == pytest.approx(mean_e_process(-a, -1.0))
    assert difference_e_process(a, b, below=False) == pytest.approx(difference_e_process(b, a))


def test_neither_the_unit_nor_a_common_level_matters():
    a, b = RNG.normal(size=(2, 5))
    assert mean_e_process(3 + a / 1000, 3.0, sd=0.002, df=9) == pytest.approx(
        mean_e_process(a, 0.0, sd=2.0, df=9)
    )
    assert difference_e_process(3 + a / 1000, 3 + b / 1000) == pytest.approx(difference_e_process(a, b))


def test_a_sd_of_ever_more_degrees_of_freedom_becomes_a_known_one():
    values = RNG.normal(-0.5, 1.0, 8)
    assert mean_e_process(values, 0.0, sd=1.1, df=1e7) == pytest.approx(
        mean_e_process(values, 0.0, sd=1.1), rel=1e-3
    )


def test_evidence_to_the_contrary_gives_a_small_number_however_much_there_is():
    for known in ({"sd": 0.001}, {"sd": 0.001, "df": 477.0}, {}):
        e_values = mean_e_process([3.30, 3.3001] * 40, 3.28, **known)
        assert np.all(np.isfinite(e_values))
        assert 0 < e_values[-1] < 0.02


@pytest.mark.parametrize("k", [60.0, 500.0, 5000.0])
def test_the_tail_goes_on_where_the_plain_formula_ends(k):
    c = -np.sqrt(np.array([_FAR - 1e-6, _FAR + 1e-6]) / k)
    plain, tail = _log_ratio(c, np.full(2, k))
    assert tail == pytest.approx(plain, abs=2e-3)


def test_values_that_are_at_the_target_say_that_there_is_no_gain():
    assert np.all(np.diff(mean_e_process([1.0, 1.0, 1.0], 1.0)) < 0)


def test_a_group_that_has_ended_stays_as_it_is_while_the_other_grows():
    a, b = RNG.normal(size=(2, 6))
    assert difference_e_process(a, b[:2])[-1] == pytest.approx(difference_e_process(a[::-1], b[:2])[-1])
    assert difference_e_process(a, b[:2]).shape == (6,)


def test_a_group_that_was_there_before_is_seen_whole_at_every_look():
    a, b = RNG.normal(size=(2, 6))
    found = difference_e_process(a[:3], b, b_first=True)
    each = [difference_e_process(a[:k], b)[-1] for k in (1, 2, 3)]
    assert found == pytest.approx(each)


@pytest.mark.parametrize("known", [{}, {"sd": 1.0}, {"sd": 1.0, "df": 8.0}], ids=str)
def test_where_there_is_no_gain_twenty_is_ever_reached_by_one_in_twenty_at_most(known):
    rng = np.random.default_rng(5)
    runs, looks = 400, 100
    values = rng.normal(size=(runs, looks))
    # The sd was estimated once, before each of the sequences.
    spread = np.sqrt(rng.chisquare(known["df"], runs) / known["df"]) if "df" in known else np.ones(runs)
    given = [known | ({"sd": s} if "sd" in known else {}) for s in spread]
    ever = [mean_e_process(row, 0.0, **sd).max() >= 20 for row, sd in zip(values, given, strict=True)]
    assert stats.binomtest(sum(ever), runs, 0.05, alternative="greater").pvalue > 0.01
    gains = [mean_e_process(row[:9] - 2, 0, **sd).max() >= 20 for row, sd in zip(values, given, strict=True)]
    assert np.mean(gains) > 0.95


def test_what_is_no_number_and_a_sd_that_is_none_are_refused():
    with pytest.raises(SampleError, match="must be finite, got nan at place 1; leave runs that diverged out"):
        mean_e_process([1.0, np.nan], 1.0)
    with pytest.raises(SampleError, match="sd and df must be positive, got sd=0"):
        mean_e_process([1.0], 1.0, sd=0.0)
    with pytest.raises(SampleError, match="as many values of a as of b, got 1 and 2"):
        difference_e_process([1.0], [1.0, 2.0], paired=True)
    with pytest.raises(SampleError, match="at least 1 runs; got the shape"):
        mean_e_process([], 1.0)
