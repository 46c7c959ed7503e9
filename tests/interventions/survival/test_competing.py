"""Competing ends: which share of runs ended how."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest

from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.competing import EndsError, cumulative_incidence
from grokscope.interventions.survival.kaplan_meier import kaplan_meier


def ended(*ends):
    """Runs that ended one after the other, at 1, 2, 3 ...; ``None`` of those that are still on their way."""
    at = np.arange(1.0, len(ends) + 1)
    reached = np.array([end == "reached" for end in ends])
    costs = CensoredCosts(np.where(reached, at - 1, at), np.where(reached, at, np.inf))
    return costs, [None if end == "reached" else end for end in ends]


def test_where_every_run_has_ended_shares_and_bands_are_those_of_counts():
    ends = ["reached", "diverged", "reached", "collapsed", "reached", "diverged", "reached"]
    found = cumulative_incidence(*ended(*ends))
    assert found["end"].unique(maintain_order=True).to_list() == ["reached", "collapsed", "diverged"]
    for kind in ("reached", "collapsed", "diverged"):
        rows = found.filter(end=kind)
        counts = [sum(end == kind for end in ends[:upto]) for upto in range(len(ends) + 1)]
        bands = [binomtest(count, len(ends)).proportion_ci(0.95, "exact") for count in counts]
        np.testing.assert_allclose(rows["share"], np.array(counts) / len(ends), atol=1e-12)
        np.testing.assert_allclose(rows["low"], [band.low for band in bands], atol=1e-9)
        np.testing.assert_allclose(rows["high"], [band.high for band in bands], atol=1e-9)


def test_the_shares_of_all_ends_and_of_runs_on_their_way_add_up():
    ends = ["reached", None, "diverged", "reached", None, "stopped by a person", "collapsed", None]
    costs, others = ended(*ends)
    shares = cumulative_incidence(costs, others).group_by("cost").agg(pl.col("share").sum()).sort("cost")
    at = costs.at
    any_end = np.array([end is not None for end in ends])
    on_their_way = kaplan_meier(CensoredCosts(at, np.where(any_end, at, np.inf))).filter(pl.col("ended") == 0)
    np.testing.assert_allclose(1 - shares["share"], on_their_way["share"], atol=1e-12)


def test_without_other_ends_it_is_one_minus_kaplan_and_meier_with_its_band():
    costs, none = ended("reached", None, "reached", "reached", None, "reached")
    found, curve = cumulative_incidence(costs, none), kaplan_meier(costs).filter(pl.col("ended") == 0)
    np.testing.assert_allclose(found["share"], 1 - curve["share"], atol=1e-12)
    np.testing.assert_allclose(found["low"], 1 - curve["high"], atol=1e-12)
    np.testing.assert_allclose(found["high"], 1 - curve["low"], atol=1e-12)


def test_diverged_runs_that_are_taken_for_running_make_the_target_look_likelier():
    costs, ends = ended("diverged", "diverged", "reached", "diverged", "reached", None)
    really = cumulative_incidence(costs, ends).filter(end="reached")["share"][-1]
    assert really == pytest.approx(2 / 6)
    assert 1 - kaplan_meier(costs)["share"][-1] == pytest.approx(1 - 3 / 4 * 1 / 2)


def test_as_many_ends_as_runs_are_needed():
    with pytest.raises(EndsError, match="got 1 ends of 2 runs"):
        cumulative_incidence(CensoredCosts(np.zeros(2), np.ones(2)), [None])


def test_no_runs_give_no_rows():
    assert cumulative_incidence(CensoredCosts(np.array([]), np.array([])), []).is_empty()
