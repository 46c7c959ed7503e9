"""What other programs made of the same random costs; benchmarks/survival_oracles.py wrote their values."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.accelerated import accelerated, model_median
from grokscope.interventions.survival.competing import cumulative_incidence
from grokscope.interventions.survival.kaplan_meier import kaplan_meier
from grokscope.interventions.survival.likelihood import Family
from grokscope.interventions.survival.log_rank import log_rank_statistic
from grokscope.interventions.survival.median import median_cost
from grokscope.interventions.survival.reached_by import reached_by
from grokscope.interventions.survival.restricted_mean import restricted_mean
from grokscope.interventions.survival.turnbull import turnbull

ORACLES = json.loads((Path(__file__).parents[2] / "data/survival_oracles.json").read_text())


def costs_of(case):
    """Costs as intervals, or known exactly or to be above the budget; an open end is null in JSON."""
    if "high" in case and "at" not in case:
        return CensoredCosts(np.array(case["low"]), np.array(case["high"], dtype=float).copy())
    at = np.array(case["at"])
    return CensoredCosts(at, np.where(case["reached"], at, np.inf))


def open_to_infinity(values):
    return np.array([np.inf if value is None else value for value in values])


def intervals_of(case):
    return CensoredCosts(np.array(case["low"]), open_to_infinity(case["high"]))


@pytest.mark.parametrize("case", ORACLES["curves"])
def test_kaplan_meier_and_its_log_log_band_are_those_of_lifelines(case):
    curve = kaplan_meier(costs_of(case), band="log-log")[1:]  # the first row is at 0
    assert curve["at_risk"].to_list() == case["at_risk"]
    for column in ("cost", "share"):
        np.testing.assert_allclose(curve[column], case[column], rtol=1e-9, atol=1e-12)
    inside = curve["low"].is_not_null().to_numpy()
    assert inside.sum() == ((curve["share"] > 0) & (curve["share"] < 1)).sum() > 0
    for column in ("low", "high"):
        np.testing.assert_allclose(
            curve[column].to_numpy()[inside], np.array(case[column])[inside], rtol=1e-6
        )


@pytest.mark.parametrize("case", ORACLES["curves"])
def test_median_restricted_mean_and_share_reached_are_theirs(case):
    costs = costs_of(case)
    assert median_cost(costs).value == case["median"]
    mean = restricted_mean(costs, until=case["until"])
    np.testing.assert_allclose(mean.value, case["restricted_mean"], rtol=1e-8)
    whole = CensoredCosts(np.where(costs.reached, costs.low, np.inf), costs.high)  # watched up to any budget
    by = reached_by(whole, 1e9)
    np.testing.assert_allclose([by.low, by.high], case["proportion"], rtol=1e-8)


@pytest.mark.parametrize("case", ORACLES["tests"])
def test_the_log_rank_statistic_is_that_of_lifelines_and_statsmodels(case):
    edges = np.cumsum(case["sizes"])[:-1]
    at, reached = np.split(np.array(case["at"]), edges), np.split(np.array(case["reached"]), edges)
    groups = [CensoredCosts(a, np.where(r, a, np.inf)) for a, r in zip(at, reached, strict=True)]
    expected = [case["lifelines"], case["statsmodels"]]
    np.testing.assert_allclose([log_rank_statistic(*groups)] * 2, expected, rtol=1e-7)


@pytest.mark.parametrize("case", ORACLES["distributions"], ids=lambda case: case["kind"])
@pytest.mark.parametrize(("program", "later", "close"), [("surpyval", 0, 2e-6), ("lifelines", 1, 2e-3)])
def test_turnbulls_distribution_is_theirs_after_each_interval_that_holds_some(case, program, later, close):
    masses = turnbull(intervals_of(case)).drop_nulls()
    cost, share = open_to_infinity(case[program]["cost"]), np.append(case[program]["share"], 0.0)
    # lifelines writes what is left after a cost in the row of the next one.
    found = share[np.searchsorted(cost, masses["high"].to_numpy(), side="right") - 1 + later]
    np.testing.assert_allclose(masses["share"], found, atol=close)


@pytest.mark.parametrize("case", ORACLES["regressions"], ids=lambda case: case["kind"])
@pytest.mark.parametrize("family", list(Family))
def test_an_accelerated_model_has_the_likelihood_and_coefficients_of_lifelines(case, family):
    design = np.column_stack((case["x"], case["z"]))
    fit, theirs = accelerated(intervals_of(case), design, ("x", "z"), family=family), case[family.value]
    # A Weibull intercept there is a quantile of 1 - 1/e; here it is the median.
    shift = 0.0 if family is Family.LOG_NORMAL else np.log(np.log(2)) / theirs["shape"]
    scale = theirs["shape"] if family is Family.LOG_NORMAL else 1 / theirs["shape"]
    ours = [fit.log_likelihood, np.log(fit.median.value), fit.scale]
    np.testing.assert_allclose(
        ours, [theirs["log_likelihood"], theirs["intercept"] + shift, scale], rtol=1e-4
    )
    coefficients = [effect.log_time_ratio.value for effect in fit.effects]
    np.testing.assert_allclose(coefficients, theirs["coefficients"], atol=2e-4)
    assert fit.log_likelihood >= theirs["log_likelihood"] - 1e-6


@pytest.mark.parametrize("case", ORACLES["regressions"], ids=lambda case: case["kind"])
@pytest.mark.parametrize("family", list(Family))
def test_a_models_median_is_that_of_surpyval(case, family):
    median = model_median(intervals_of(case), family=family)
    np.testing.assert_allclose(median.value, case[family.value]["alone"]["median"], rtol=1e-3)


@pytest.mark.parametrize("case", ORACLES["ends"])
def test_the_incidence_of_competing_ends_is_that_of_statsmodels(case):
    at, kind = np.array(case["at"]), np.array(case["end"])
    ends = [{2: "collapsed", 3: "diverged"}.get(end) for end in case["end"]]
    found = cumulative_incidence(CensoredCosts(at, np.where(kind == 1, at, np.inf)), ends)
    cost = np.array(case["cost"])
    for name, theirs in zip(("reached", "collapsed", "diverged"), case["incidence"], strict=True):
        ours = found.filter(pl.col("cost") > 0, end=name)
        there = np.isin(cost, ours["cost"].to_numpy())
        np.testing.assert_allclose(ours["share"], np.array(theirs)[there], rtol=1e-8)
