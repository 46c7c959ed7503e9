"""How many times cheaper: ratios by ranks, under censoring and a grid of evaluations."""

import numpy as np
import pytest
from scipy import stats

from grokscope.interventions.contrasts.samples import SampleError
from grokscope.interventions.contrasts.speed_up import speed_up, speed_up_p
from grokscope.interventions.outcomes.costs import CensoredCosts

INF = np.inf


def watched(costs, budget, grid=0.0):
    """Costs of runs that were evaluated every ``grid``, up to a budget."""
    high = np.ceil(costs / grid) * grid if grid else costs
    low = high - grid
    seen = high <= budget
    last = np.floor(budget / grid) * grid if grid else budget
    return CensoredCosts(np.where(seen, low, last), np.where(seen, high, INF))


def test_it_is_the_median_of_all_ratios_where_all_runs_are_there():
    rng = np.random.default_rng(1)
    a, b = np.exp(rng.normal(size=5)), np.exp(rng.normal(1, 1, size=7))
    assert speed_up(a, b).value == pytest.approx(np.exp(np.median(np.log(b)[:, None] - np.log(a))), rel=1e-9)


def test_without_censoring_its_test_is_the_exact_rank_sum_test():
    rng = np.random.default_rng(2)
    for _ in range(20):
        a, b = np.exp(rng.normal(size=4)), np.exp(rng.normal(0.5, 1, size=6))
        expected = stats.mannwhitneyu(a, b, method="exact").pvalue
        assert speed_up_p(a, b) == pytest.approx(expected)


def test_with_censoring_its_test_counts_all_ways_to_deal_gehans_scores():
    a = CensoredCosts(np.array([1.0, 2, 4, 9]), np.array([1.5, 3, 5, INF]))
    b = CensoredCosts(np.array([3.0, 6, 9, 9, 9]), np.array([4.0, 7, INF, INF, INF]))
    low, high = np.concatenate((a.low, b.low)), np.concatenate((a.high, b.high))
    scores = [(low[i] >= high).sum() - (high[i] <= low).sum() for i in range(9)]
    found = stats.permutation_test(
        (np.array(scores[:4]), np.array(scores[4:])), lambda x, y, axis: x.sum(axis), vectorized=True
    )
    assert speed_up_p(a, b) == pytest.approx(found.pvalue)


def test_the_interval_holds_exactly_the_ratios_that_are_not_rejected():
    a, b = [10.0, 11, 12, 15, 16], [21.0, 24, 26, 29, 40]
    found = speed_up(a, b)
    for inside in (found.low * 1.001, found.value, found.high * 0.999):
        assert speed_up_p(a, b, ratio=inside) > 0.05
    for outside in (found.low * 0.999, found.high * 1.001):
        assert speed_up_p(a, b, ratio=outside) <= 0.05


def test_neither_the_unit_nor_who_comes_first_matters():
    a, b = np.array([10.0, 11, 12, 15]), np.array([21.0, 24, 26, 29])
    found, scaled, turned = speed_up(a, b), speed_up(a * 1e9, b * 1e9), speed_up(b, a)
    assert (scaled.value, scaled.low, scaled.high) == pytest.approx((found.value, found.low, found.high))
    assert (turned.value, turned.low, turned.high) == pytest.approx(
        (1 / found.value, 1 / found.high, 1 / found.low)
    )


def test_three_runs_each_attain_no_level_of_95_per_cent_and_it_is_said():
    found = speed_up([1.0, 2, 3], [4.0, 5, 6])
    assert (found.value, found.low, found.high) == (pytest.approx(2.5), None, None)
    assert found.missing == "no result of 3 v 3 runs can have a p below 0.1; 4 v 4 can reach 0.029"
    assert speed_up([1.0, 2, 3], [4.0, 5, 6], level=0.9).low == pytest.approx(4 / 3)


def test_two_cells_of_a_coarse_grid_leave_the_range_that_they_allow():
    cell = np.ones(5)
    found = speed_up(CensoredCosts(16 * cell, 32 * cell), CensoredCosts(48 * cell, 64 * cell))
    assert (found.low, found.high) == pytest.approx((48 / 32, 64 / 16))
    assert found.value == pytest.approx(np.sqrt(1.5 * 4))


def test_a_group_that_never_gets_there_has_no_upper_end():
    a, b = np.array([10.0, 11, 12, 15]), CensoredCosts(np.full(4, 100.0), np.full(4, INF))
    found = speed_up(a, b)
    assert (found.value, found.high) == (None, None)
    assert found.low == pytest.approx(100 / 15)
    assert found.missing == (
        "too few runs reached the target to say how many times cheaper; "
        "the interval is unbounded above: too few runs reached the target"
    )


def test_where_nobody_gets_there_nothing_is_told():
    never = CensoredCosts(np.full(4, 100.0), np.full(4, INF))
    found = speed_up(never, never)
    assert (found.value, found.low, found.high) == (None, None, None)
    assert "unbounded below and above" in found.missing
    assert speed_up_p(never, never) == 1.0


def test_a_longer_budget_of_one_group_is_no_advantage():
    rng = np.random.default_rng(3)
    costs = np.exp(rng.normal(size=(2, 12)))
    short, long = watched(costs[0], 1.0), watched(costs[1], 3.0)
    assert speed_up_p(short, long) == speed_up_p(short, watched(costs[1], 1.0))


@pytest.mark.parametrize(("n", "budget", "grid"), [(5, INF, 0), (5, 1.2, 0), (10, 1.2, 0), (5, INF, 0.25)])
def test_the_true_ratio_is_rejected_as_often_as_is_said_at_most(n, budget, grid):
    rng, ratio, tries = np.random.default_rng(4), 1.5, 400
    rejected = 0
    for _ in range(tries):
        a, b = np.exp(rng.normal(0, 0.5, size=(2, n)))
        a, b = watched(a, budget, grid), watched(ratio * b, budget * 2, grid)
        rejected += speed_up_p(a, b, ratio=ratio) <= 0.05
    assert stats.binomtest(rejected, tries, 0.05, alternative="greater").pvalue > 0.01
    assert rejected > 0


def test_many_runs_are_compared_by_the_gaussian_limit_of_the_same_test():
    rng = np.random.default_rng(5)
    a, b = np.exp(rng.normal(size=40)), np.exp(rng.normal(0.7, 1, size=50))
    expected = stats.mannwhitneyu(a, b, method="asymptotic", use_continuity=False).pvalue
    assert speed_up_p(a, b) == pytest.approx(expected, rel=1e-6)
    found = speed_up(a, b)
    assert found.low < found.value < found.high


@pytest.mark.parametrize("budget", [INF, 6.0])
def test_of_many_runs_the_grid_of_ratios_changes_no_digit_that_is_shown(monkeypatch, budget):
    rng = np.random.default_rng(5)
    a, b = (watched(np.exp(rng.normal(mean, 1, size=500)), budget) for mean in (0, 0.3))
    on_grid = speed_up(a, b)
    monkeypatch.setattr("grokscope.interventions.contrasts.speed_up.MOST_BREAKS", 10**7)
    whole = speed_up(a, b)
    for name in ("value", "low", "high"):
        assert getattr(on_grid, name) == pytest.approx(getattr(whole, name), rel=1e-4)
    assert budget < INF or on_grid != whole  # the grid was taken


def test_costs_that_are_none_are_refused():
    with pytest.raises(SampleError, match="costs of a must be positive"):
        speed_up([0.0, 1], [1.0, 2])
    with pytest.raises(SampleError, match="b are of runs that all reached the target, got inf; give Cens"):
        speed_up([1.0, 1], [1.0, INF])
    with pytest.raises(SampleError, match="b must be finite, got nan at place 1"):
        speed_up([1.0, 1], [1.0, np.nan])
    with pytest.raises(SampleError, match="a ratio of costs must be positive, got 0"):
        speed_up_p([1.0], [1.0], ratio=0)
    with pytest.raises(SampleError, match="a must be the costs of at least 1 runs, got 0"):
        speed_up(CensoredCosts(np.array([]), np.array([])), [1.0])


def test_one_run_that_ended_early_does_not_end_the_watch_on_its_group():
    """Five of six get there at 50 to 54, the sixth ended at 5; none of six others did in 100.

    The run that ended at 5 is ordered with none, so no other deal is as extreme: 2 of 924.
    """
    low = np.array([50.0, 51.0, 52.0, 53.0, 54.0, 5.0])
    one = CensoredCosts(low, np.array([*low[:5], INF]))
    other = CensoredCosts(np.full(6, 100.0), np.full(6, INF))
    assert speed_up_p(one, other) == pytest.approx(2 / 924)


def test_ten_thousand_runs_a_group_are_compared_within_memory():
    rng = np.random.default_rng(6)
    a, b = np.exp(rng.normal(size=(2, 10_000)))
    found = speed_up(watched(a, 3.0), watched(2 * b, 6.0))
    assert found.low < 2 < found.high
    assert found.value == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("scale", [1e-290, 1e-200, 1e200, 1e290])
def test_a_ratio_beyond_the_root_of_the_largest_number_is_told(scale):
    a = np.array([1.0, 2, 3, 4, 5])
    found = speed_up(a, a * scale)
    assert found.value == pytest.approx(scale)
    assert found.low < found.value < found.high
