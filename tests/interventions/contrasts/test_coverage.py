"""Intervals cover as often as they say: the small version of ``benchmarks/contrasts_coverage.py``."""

import numpy as np
from scipy import stats

from grokscope.interventions.contrasts.improvement import improvement
from grokscope.interventions.contrasts.interquartile_mean import interquartile_mean
from grokscope.interventions.contrasts.paired_speed_up import paired_speed_up
from grokscope.interventions.contrasts.speed_up import speed_up, speed_up_p
from grokscope.interventions.outcomes.costs import CensoredCosts


def cover(make, truth, *, tries):
    """Whether intervals cover at least as often as 95 %, as far as so many tries can tell."""
    held = 0
    for _ in range(tries):
        found = make()
        assert found.low is not None or found.high is not None
        held += (-np.inf if found.low is None else found.low) <= truth and (
            found.high is None or truth <= found.high
        )
    return stats.binomtest(held, tries, 0.95, alternative="less").pvalue > 0.01


def test_a_speed_up_and_a_speed_up_of_pairs_cover_the_true_ratio():
    rng = np.random.default_rng(13)

    def costs(ratio, n):
        return ratio * np.exp(rng.normal(0, 0.5, n))

    assert cover(lambda: speed_up(costs(1, 5), costs(2, 5)), 2, tries=120)
    assert cover(lambda: paired_speed_up(costs(1, 10), costs(2, 10)), 2, tries=120)
    assert not cover(lambda: speed_up(costs(1, 5), costs(2, 5)), 3.5, tries=60)


def test_the_probability_of_improvement_is_covered_at_five_runs_a_group():
    rng = np.random.default_rng(14)
    truth = stats.norm.cdf(1 / np.sqrt(2))
    assert cover(
        lambda: improvement(np.exp(rng.normal(0, 1, 5)), np.exp(rng.normal(1, 1, 5))), truth, tries=400
    )


def test_the_interquartile_mean_is_covered_with_strata_and_without():
    rng = np.random.default_rng(15)
    assert cover(lambda: interquartile_mean(rng.normal(size=8)), 0, tries=150)
    level, strata = np.repeat(np.arange(6), 3), np.repeat(np.arange(6), 3).tolist()
    assert cover(lambda: interquartile_mean(level + rng.normal(size=18), strata=strata), 2.5, tries=150)


def test_groups_that_were_watched_for_different_times_are_told_apart_by_chance_no_more_often_than_said():
    rng = np.random.default_rng(3)

    def group(watched):
        cost = np.exp(rng.normal(7, 1, watched.size))
        is_there = cost <= watched
        return CensoredCosts(np.where(is_there, cost - 1e-6, watched), np.where(is_there, cost, np.inf))

    found = [
        speed_up_p(group(np.full(5, 4000.0)), group(np.append(rng.uniform(0, 400, 19), 4000.0))) <= 0.05
        for _ in range(300)
    ]
    assert stats.binomtest(sum(found), len(found), 0.05, "greater").pvalue > 0.01
