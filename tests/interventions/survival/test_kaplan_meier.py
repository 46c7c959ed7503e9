"""The share not there yet, its bands, and the numbers at risk."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import CensoredData, binomtest, ecdf

from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.kaplan_meier import CURVE, kaplan_meier, numbers_at_risk

RUNS = st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=12)


def costs_of(runs):
    """Costs seen at evaluations one apart; a run that has not reached the target ended there."""
    at = np.array([float(cost) for cost, _ in runs])
    reached = np.array([done for _, done in runs])
    return CensoredCosts(np.where(reached, at - 1, at), np.where(reached, at, np.inf))


@settings(max_examples=25)
@given(RUNS)
def test_the_share_is_that_of_scipy(runs):
    costs = costs_of(runs)
    uncensored, right = costs.at[costs.reached], costs.at[~costs.reached]
    theirs = ecdf(CensoredData(uncensored=uncensored, right=right)).sf
    ours = kaplan_meier(costs)
    np.testing.assert_allclose(ours["share"], theirs.evaluate(ours["cost"].to_numpy()), atol=1e-12)


@settings(max_examples=25)
@given(RUNS, st.randoms(use_true_random=False))
def test_neither_the_order_of_runs_nor_the_unit_changes_the_curve(runs, random):
    curve = kaplan_meier(costs_of(runs))
    shuffled = random.sample(runs, len(runs))
    costs = costs_of(shuffled)
    other = kaplan_meier(CensoredCosts(costs.low * 1000, costs.high * 1000))
    assert curve.drop("cost").equals(other.drop("cost"))
    assert (curve["cost"] * 1000).to_list() == other["cost"].to_list()


@settings(max_examples=25)
@given(RUNS)
def test_the_band_holds_the_share_and_runs_add_up(runs):
    curve = kaplan_meier(costs_of(runs))
    assert (curve["low"] <= curve["share"] + 1e-12).all()
    assert (curve["share"] <= curve["high"] + 1e-12).all()
    assert curve["reached"].sum() + curve["ended"].sum() == len(runs)
    assert (curve["at_risk"] - curve["reached"] - curve["ended"])[:-1].to_list() == curve["at_risk"][
        1:
    ].to_list()


@pytest.mark.parametrize("runs", [1, 3, 6, 20])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_without_ended_runs_the_band_is_that_of_clopper_and_pearson(runs, level):
    curve = kaplan_meier(costs_of([(cost + 1, True) for cost in range(runs)]), level=level)
    ends = [binomtest(runs - k, runs).proportion_ci(level, "exact") for k in range(runs + 1)]
    np.testing.assert_allclose(curve["low"], [end.low for end in ends], atol=1e-12)
    np.testing.assert_allclose(curve["high"], [end.high for end in ends], atol=1e-12)


def test_with_ended_runs_the_band_is_that_of_products_of_beta_variables():
    costs = costs_of([(1, True), (2, False), (3, True), (3, True), (4, False), (5, True), (6, True)])
    row = kaplan_meier(costs).filter(cost=3).row(0, named=True)
    rng = np.random.default_rng(0)
    highest = rng.beta(7, 1, 100_000) * rng.beta(4, 2, 100_000)
    lowest = highest * rng.beta(3, 1, 100_000)
    # Products of beta variables are nearly beta variables; the band takes them for such.
    np.testing.assert_allclose(
        [row["low"], row["high"]], [np.quantile(lowest, 0.025), np.quantile(highest, 0.975)], atol=0.01
    )


def test_a_log_log_band_is_missing_where_the_share_is_one_or_zero():
    curve = kaplan_meier(costs_of([(1, True), (2, True)]), band="log-log")
    assert curve["low"].is_null().to_list() == [True, False, True]
    assert curve["high"].is_null().to_list() == [True, False, True]


def test_a_run_that_can_never_reach_the_target_stays_to_the_end():
    curve = kaplan_meier(CensoredCosts(np.array([1.0, math.inf]), np.array([2.0, math.inf])))
    assert curve["cost"].to_list() == [0.0, 2.0]
    assert curve["share"].to_list() == [1.0, 0.5]


def test_no_runs_give_no_rows():
    curve = kaplan_meier(CensoredCosts(np.array([]), np.array([])))
    assert curve.schema == CURVE
    assert curve.is_empty()


def test_runs_are_at_risk_until_and_with_the_cost_at_which_they_end():
    costs = costs_of([(1, True), (2, False), (2, True), (5, True)])
    assert numbers_at_risk(costs, [0, 1, 1.5, 2, 3, 9]).tolist() == [4, 4, 3, 3, 1, 0]
