"""Accelerated failure time models of costs between two evaluations."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import lognorm, ttest_1samp, ttest_ind, weibull_min

from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.accelerated import DesignError, accelerated, model_median
from grokscope.interventions.survival.likelihood import Bounds, Family, held, maximized

FAMILIES = list(Family)


def exactly(costs):
    costs = np.array(costs, dtype=float)
    return CensoredCosts(costs, costs)


def some(rng, runs=24):
    """Costs known exactly, between evaluations, below or above a budget; two covariates."""
    cost = rng.lognormal(3, 0.6, runs)
    low, high = np.floor(cost / 5) * 5, np.ceil(cost / 5) * 5
    low[:6] = high[:6] = cost[:6]
    low[6:9], high[9:12] = 0, np.inf
    return CensoredCosts(low, high), np.column_stack((rng.normal(size=runs), np.arange(runs) % 2))


def test_of_known_log_normal_costs_the_intervals_are_students():
    a, b = np.array([100.0, 130, 90, 170]), np.array([210.0, 180, 330, 250, 160])
    costs, design = exactly([*a, *b]), np.repeat([0.0, 1.0], [4, 5])[:, None]
    effect = accelerated(costs, design, ("b",), family=Family.LOG_NORMAL).effects[0]
    expected = ttest_ind(np.log(b), np.log(a)).confidence_interval(0.95)
    ratio, speed_up = effect.log_time_ratio, effect.speed_up
    assert ratio.value == pytest.approx(np.log(b).mean() - np.log(a).mean())
    assert (ratio.low, ratio.high) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert (speed_up.low, speed_up.high) == (
        pytest.approx(np.exp(-expected.high)),
        pytest.approx(np.exp(-expected.low)),
    )
    median = model_median(exactly(a), family=Family.LOG_NORMAL)
    ends = ttest_1samp(np.log(a), 0).confidence_interval(0.95)
    assert (median.low, median.high) == (pytest.approx(np.exp(ends.low)), pytest.approx(np.exp(ends.high)))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_likelihood_is_that_of_scipys_distributions_and_flat_at_its_maximum(family):
    costs, design = some(np.random.default_rng(0))
    x = np.column_stack((np.ones(len(design)), design))

    def log_likelihood(parameters):
        location, scale = x @ parameters[:-1], np.exp(parameters[-1])
        if family is Family.LOG_NORMAL:
            law = lognorm(scale, scale=np.exp(location))
        else:
            law = weibull_min(1 / scale, scale=np.exp(location) / np.log(2) ** scale)
        known = costs.low == costs.high
        return np.where(
            known,
            law.logpdf(np.maximum(costs.low, 1e-9)),
            np.log(np.maximum(law.cdf(costs.high) - law.cdf(costs.low), 1e-300)),
        ).sum()

    best = maximized(Bounds.of(costs, x), family)
    at = np.append(best.coefficients, np.log(best.scale))
    assert best.log_likelihood == pytest.approx(log_likelihood(at))
    np.testing.assert_allclose(approx_fprime(at, log_likelihood, 1e-6), 0, atol=2e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_ends_of_an_interval_are_equally_likely(family):
    costs, design = some(np.random.default_rng(1))
    ratio = accelerated(costs, design, ("x", "z"), family=family).effects[0].log_time_ratio
    bounds = Bounds.of(costs, np.column_stack((np.ones(len(design)), design)))
    low, high = (held(bounds, family, 1, end) for end in (ratio.low, ratio.high))
    assert low == pytest.approx(high, abs=1e-5)
    assert ratio.low < ratio.value < ratio.high


@pytest.mark.parametrize("family", FAMILIES)
def test_another_unit_scales_the_median_and_leaves_speed_ups(family):
    costs, design = some(np.random.default_rng(2))
    fits = [
        accelerated(CensoredCosts(costs.low * unit, costs.high * unit), design, ("x", "z"), family=family)
        for unit in (1, 1000)
    ]
    for end in ("value", "low", "high"):
        medians, effects = (
            [getattr(each, end) for each in pair]
            for pair in zip(*((f.median, f.effects[1].speed_up) for f in fits), strict=True)
        )
        assert medians[1] == pytest.approx(1000 * medians[0], rel=1e-5)
        assert effects[0] == pytest.approx(effects[1], rel=1e-5)


def test_the_family_with_the_smaller_aic_is_taken():
    rng = np.random.default_rng(3)
    for law, family in ((lognorm(1.0), Family.LOG_NORMAL), (weibull_min(3.0), Family.WEIBULL)):
        costs = exactly(law.rvs(200, random_state=rng))
        both = [accelerated(costs, np.empty((200, 0)), (), family=each) for each in FAMILIES]
        assert accelerated(costs, np.empty((200, 0)), ()) == min(both, key=lambda fit: fit.aic)
        assert min(both, key=lambda fit: fit.aic).family is family
        assert both[0].aic == pytest.approx(4 - 2 * both[0].log_likelihood)


REFUSED = {
    "no run has reached the target": ([5, 5, 5, 5], [np.inf] * 4, [0, 1, 0, 1]),
    "a covariate separates": ([1, 2, 9, 9], [2, 3, np.inf, np.inf], [0, 0, 1, 1]),
    "between the same two evaluations": ([1, 1, 1, 1], [2, 2, 2, 2], [0, 1, 0, 1]),
    "do not vary independently": ([1, 2, 3, 4], [2, 3, 4, 5], [1, 1, 1, 1]),
    "cost of 0": ([0, 1, 2, 3], [0, 2, 3, 4], [0, 1, 0, 1]),
    "can never reach": ([np.inf, 1, 2, 3], [np.inf, 2, 3, 4], [0, 1, 0, 1]),
    "no spread": ([0, 0, 9, 9], [2, 3, np.inf, np.inf], [0, 1, 0, 1]),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_data_without_a_largest_likelihood_are_refused_with_the_reason(reason):
    low, high, x = (np.array(each, dtype=float) for each in REFUSED[reason])
    fit = accelerated(CensoredCosts(low, high), x[:, None], ("x",))
    assert reason in fit.missing
    assert fit.effects[0].speed_up.missing == fit.median.missing == fit.missing
    assert (fit.median.value, fit.scale, fit.log_likelihood, fit.aic) == (None, None, None, None)
    assert (fit.runs, fit.reached) == (4, np.isfinite(high).sum())


def test_a_run_of_which_nothing_is_known_changes_nothing():
    known = CensoredCosts(np.array([1.0, 2, 5]), np.array([2.0, 3, np.inf]))
    more = CensoredCosts(np.append(known.low, 0), np.append(known.high, np.inf))
    medians = [model_median(costs, family=Family.LOG_NORMAL) for costs in (known, more)]
    assert medians[0].value == pytest.approx(medians[1].value)
    assert medians[0].high == pytest.approx(medians[1].high)


def test_a_model_gives_a_median_below_six_runs_and_names_itself():
    median = model_median(CensoredCosts(np.array([100.0, 150, 200]), np.array([150.0, 200, np.inf])))
    assert median.low < median.value < (median.high or np.inf)
    assert median.method.endswith("model, profile likelihood")


def test_a_design_that_does_not_fit_is_refused():
    with pytest.raises(
        DesignError, match=r"each of 2 runs and a column for each of 1 names, got shape \(2, 2\)"
    ):
        accelerated(exactly([1, 2]), np.zeros((2, 2)), ("x",))
    with pytest.raises(DesignError, match="finite numbers"):
        accelerated(exactly([1, 2]), np.array([[np.nan], [1.0]]), ("x",))
