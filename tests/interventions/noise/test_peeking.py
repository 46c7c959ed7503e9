"""How much rules are inflated by looking after every seed."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from grokscope.interventions.contrasts.samples import SampleError
from grokscope.interventions.noise.peeking import MARGIN, T_TEST, Rule, at_one_look, inflation


def covers(found, expected):
    return found.low <= expected <= found.high


def test_one_look_passes_as_often_as_is_said():
    for rule in (T_TEST, replace(T_TEST, first=10), replace(MARGIN, first=5), replace(MARGIN, baseline=4)):
        found = inflation(rule, last=rule.first, sd=0.0015, level=0.999)
        assert covers(found, at_one_look(rule, sd=0.0015))
    assert at_one_look(MARGIN, sd=0.0015) == pytest.approx(stats.norm.sf(0.004 / 0.0015))


def test_two_looks_at_a_margin_pass_as_often_as_two_gaussians_say():
    found = inflation(MARGIN, last=2, sd=0.003, level=0.999)
    at = -0.004 / 0.003
    neither = stats.multivariate_normal([0, 0], [[1, 0.5**0.5], [0.5**0.5, 1]]).cdf([-at, -at])
    assert covers(found, 1 - neither)


def test_the_published_numbers_come_out():
    assert inflation(T_TEST, last=20, sd=1.0).value == pytest.approx(0.055, abs=0.004)
    assert inflation(MARGIN, last=30, sd=0.0015).value == pytest.approx(0.029, abs=0.003)
    assert inflation(MARGIN, last=30, sd=0.0013).value == pytest.approx(0.009, abs=0.002)


def test_more_looks_and_more_noise_never_pass_less():
    passed = [inflation(MARGIN, last=last, sd=0.0015).value for last in (1, 10, 40)]
    louder = inflation(MARGIN, last=40, sd=0.003).value
    assert passed == sorted(passed)
    assert louder > passed[-1]


def test_rules_that_are_none_are_refused():
    with pytest.raises(SampleError, match="a rule is one of t-test, margin, got 'anova'"):
        inflation(Rule(name="anova", bound=0.01), last=3, sd=1)
    with pytest.raises(SampleError, match="looks go from 2 or more to last"):
        inflation(replace(T_TEST, first=1), last=3, sd=1)
    with pytest.raises(SampleError, match="got first=1, last=3, sd=0"):
        inflation(MARGIN, last=3, sd=0)
    with pytest.raises(SampleError, match="a t-test has a p below 1 as its bound, and a fixed target"):
        inflation(replace(T_TEST, baseline=3), last=3, sd=1)


def test_the_same_seed_gives_the_same_number():
    assert inflation(T_TEST, last=5, sd=1.0) == inflation(T_TEST, last=5, sd=np.float64(1.0))
